"""What a replay did, or would do, for people."""

from collections.abc import Sequence
from itertools import groupby

from rich.console import Console
from rich.table import Table

from repositories.replaying.replayed import Identity, Place
from service.operations.replaying.tally import Tally

SHOWN = 20  # of each list; --json has more
COLUMNS = {
    "read": "read",
    "already_applied": "already applied",
    "new": "new",
    "corrected": "corrected",
    "moved": "moved",
    "erased": "erased",
    "other_provider": "other provider",
    "decoded_differently": "decoded differently",
    "not_correctable": "not correctable from here",
    "identity_changed": "identity changed",
    "undecided": "undecided",
}
ALWAYS = ("read", "already_applied", "new")


def show(tally: Tally, console: Console, *, dry_run: bool) -> None:
    """Counts by topic, and lists of what a person must see."""
    names = [name for name in COLUMNS if name in ALWAYS or tally.total(name)]
    table = Table("topic", *(COLUMNS[name] for name in names), "dead", "times are of")
    for topic, its in sorted(tally.topics.items()):
        counts = [f"{getattr(its, name):,}" for name in names]
        table.add_row(topic, *counts, f"{its.dead.total():,}", tally.whose_times(topic))
    console.print(table)
    for topic, its in sorted(tally.topics.items()):
        for reason, number in sorted(its.dead.items()):
            console.print(f"dead in {topic}: {number:,} {reason} (not sent again)", soft_wrap=True)
    _list(
        "Not correctable from here: the row came from another record, which alone can correct it.",
        [f"{_at(each.place)}: the row came from {_at(each.source)}" for each in tally.conflicts],
        tally.total("not_correctable"),
        console,
    )
    _list(
        "Identity changed: the record says now that it is another event than its row says.",
        [f"{_at(c.place)}: {_named(c.says)}, stored as {_named(c.was)}" for c in tally.changed],
        tally.total("identity_changed"),
        console,
    )
    if dry_run:
        _show_months(tally, console)


def _show_months(tally: Tally, console: Console) -> None:
    if not tally.moved_months:
        console.print("No figure would move.")
        return
    console.print("Figures that would move:")
    for provider, its in groupby(tally.moved_months, key=lambda moved: moved.provider_id):
        months = ", ".join(f"{moved.month:%Y-%m}" for moved in its)
        console.print(f"  provider {provider}: {months}", soft_wrap=True, highlight=False)


def _list(what: str, lines: Sequence[str], total: int, console: Console) -> None:
    if not total:
        return
    console.print(what, soft_wrap=True)
    for line in lines[:SHOWN]:
        console.print(f"  {line}", soft_wrap=True, highlight=False)
    if total > SHOWN:
        console.print(f"  … {total:,} in all; --json lists the first {len(lines):,}")


def _at(place: Place) -> str:
    return f"{place.topic}-{place.partition} offset {place.offset}"


def _named(identity: Identity) -> str:
    version = f" version {identity.version}" if identity.version is not None else ""
    return f"{identity.event_id}{version} of provider {identity.provider_id}"
