"""Where partitions stand, as tables of 80 columns and as JSON."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.table import Table

from service.operations.standing import GroupStanding, Standing
from service.wiring import MEMBER_PREFIX

MINUTE, HOUR, DAY = 60, 3_600, 86_400


def show_groups(groups: Sequence[GroupStanding], console: Console) -> None:
    """A table for each group, and below it what a person should know of its partitions."""
    for group in groups:
        console.print(f"{group.group}: {group.state.state}, members: {len(group.state.members)}")
        if group.partitions:
            console.print(_table(group.partitions))
        for line in _remarks(group):
            console.print(line, soft_wrap=not console.is_terminal)
        console.print()


def _table(partitions: Sequence[Standing]) -> Table:
    """Two lines each, so that offsets and members are whole on 80 columns."""
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
    table.add_column("topic-partition", overflow="fold")
    for head in ("first\nend", "committed\nstored", "lag\nbehind"):
        table.add_column(head, justify="right")
    table.add_column("member\naddress", overflow="fold")
    for one in partitions:
        state = [word for word, is_so in (("stopped", one.stop), ("paused", one.pause)) if is_so]
        member = one.member
        table.add_row(
            f"{one.topic}-{one.partition}\n{', '.join(state)}",
            f"{one.first}\n{one.end}",
            f"{_or_dash(one.committed)}\n{_or_dash(one.stored)}",
            f"{one.lag:,}\n{_duration(one.lag_seconds)}",
            f"{member.client_id.removeprefix(MEMBER_PREFIX)}\n{member.host}" if member else "-",
        )
    return table


def _remarks(group: GroupStanding) -> Iterator[str]:
    if group.missing:
        yield f"Not there, or not permitted: {', '.join(group.missing)}"
    for one in group.partitions:
        if known := one.stop:
            seen = "" if known.confirmed else ", which has not said so again since"
            yield (
                f"Stopped since {_time(known.stopped_at)} UTC, as {known.instance} said at"
                f" {_time(known.confirmed_at)}{seen}: {known.stop.why}"
            )
    pauses = {one.pause.topic: one.pause for one in group.partitions if one.pause}
    for topic, pause in pauses.items():
        yield (
            f"Paused since {_time(pause.ordered_at)} UTC, by {pause.who}:"
            f" {topic or 'all topics'} ({pause.why})"
        )


def as_json(groups: Sequence[GroupStanding]) -> list[dict[str, Any]]:
    """A list of groups, each with its partitions."""
    return [
        {
            "group": group.group,
            "state": group.state.state,
            "members": [asdict(member) for member in group.state.members],
            "missing_topics": group.missing,
            "partitions": [_plain(one) for one in group.partitions],
        }
        for group in groups
    ]


def _plain(one: Standing) -> dict[str, Any]:
    stop, pause = one.stop, one.pause
    return {
        "topic": one.topic,
        "partition": one.partition,
        "first": one.first,
        "end": one.end,
        "committed": one.committed,
        "stored": one.stored,
        "lag_messages": one.lag,
        "lag_seconds": one.lag_seconds,
        "member": asdict(one.member) if one.member else None,
        "stopped": stop
        and {
            "at": stop.stop.next_offset,
            "cause": stop.stop.cause,
            "why": stop.stop.why,
            "instance": stop.instance,
            "since": stop.stopped_at,
            "confirmed_at": stop.confirmed_at,
            "confirmed": stop.confirmed,
        },
        "paused": pause
        and {"topic": pause.topic, "since": pause.ordered_at, "who": pause.who, "why": pause.why},
    }


def _or_dash(offset: int | None) -> str:
    return "-" if offset is None else str(offset)


def _duration(seconds: float | None) -> str:
    if seconds is None:
        return "-"
    for unit, name in ((DAY, "d"), (HOUR, "h"), (MINUTE, "min")):
        if seconds >= unit:
            return f"{seconds / unit:.1f} {name}"
    return f"{seconds:.0f} s"


def _time(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
