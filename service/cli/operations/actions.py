"""`claim-analytics actions`: what operators did."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from repositories.operations.actions import RecordedAction, close_abandoned, recorded_actions
from service import wiring
from service.cli.common import load_settings, run_async
from service.cli.operations.times import moment
from service.settings import Settings

NOTHING: tuple[Any, ...] = (None, False, 0, [], {})


def actions(
    since: Annotated[
        datetime | None,
        typer.Option(
            parser=moment, metavar="TIME", help="Begun since then, such as 2026-03-01T00:00:00Z."
        ),
    ] = None,
    command: Annotated[
        str | None,
        typer.Option(help="Of this command only, such as erase, or 'report fetch'."),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="Most to list.")] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="JSON, for programs.")] = False,
) -> None:
    """List what operators did, and who looked at patients' data; the newest first.

    Who, when, which command with which arguments, why, what it did, and how it ended: done, failed,
    or broken off (Ctrl-C, SIGTERM, or its process was killed; then the end is when that was
    noticed). Rows are added and closed, and never changed. Times are in UTC.

    Who: the setting CLAIM_ANALYTICS_OPERATOR, else user@host.
    """
    found = run_async(_actions(load_settings(), since, command, limit))
    if as_json:
        typer.echo(json.dumps([asdict(action) for action in found], default=str))
        return
    for action in found:
        typer.echo("\n".join(_lines(action)))
    if not found:
        typer.echo("No operator has done anything of that kind.")


async def _actions(
    settings: Settings, since: datetime | None, command: str | None, limit: int
) -> Sequence[RecordedAction]:
    async with wiring.open_database(settings) as database:
        await close_abandoned(database)
        return await recorded_actions(database, since=since, command=command, limit=limit)


def _lines(action: RecordedAction) -> Iterator[str]:
    """Ids whole at any width, to be copied."""
    started = action.started_at.astimezone(UTC)
    yield f"{started:%Y-%m-%d %H:%M:%S}  {action.command}: {_end(action)}"
    yield f"    by     {action.who}"
    if action.why:
        yield f"    why    {action.why}"
    for name, value in action.arguments.items():
        if value not in NOTHING:
            yield f"    {name:<6} {_shown(value)}"
    yield from _counted(action.counts or {})


def _counted(counts: Mapping[str, Any]) -> Iterator[str]:
    """What is not 0; by topic where it was counted so."""
    flat = {name: value for name, value in counts.items() if not isinstance(value, dict)}
    parts = {name: value for name, value in counts.items() if isinstance(value, dict)}
    for where, part in ({"": flat} | parts).items():
        told = [f"{name.replace('_', ' ')} {n}" for name, n in part.items() if n not in NOTHING]
        if told:
            yield f"    did    {where}{': ' if where else ''}{', '.join(told)}"


def _end(action: RecordedAction) -> str:
    if action.ended_at is None:
        return "under way"
    seconds = (action.ended_at - action.started_at).total_seconds()
    return f"{action.outcome} after {seconds:,.1f} s"


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return value if isinstance(value, str) else json.dumps(value)
