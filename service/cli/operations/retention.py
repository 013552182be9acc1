"""`claim-analytics retention`: claims that are over their time, for good."""

import json
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from repositories.operations.retention import Removed
from service import wiring
from service.cli.common import Exit, fail, load_settings, run_async
from service.cli.operations.interruptible import end_broken_off, run_interruptible
from service.cli.progress import Progress
from service.operations.recorded import recorded
from service.operations.retention import Removable, removable_claims, remove_claims
from service.settings import Settings

COMMAND = "retention"


def retention(
    older_than: Annotated[
        str,
        typer.Option(
            metavar="MONTHS|DATE",
            help="Claims of service before this day, or before the month so many months back.",
        ),
    ],
    why: Annotated[
        str, typer.Option(help="The reason, to be kept; no personal data. Not with --dry-run.")
    ] = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would go, and change nothing.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object, for programs.")] = False,
) -> None:
    """Remove old claims whole, for good: all their versions, the claims, their dead letters.

    Only claims from before the first month that the figures cover can go, so no month's figure
    changes. Each leaves a tombstone (a keyed hash that names nobody): a message of it that is read
    again is a duplicate still. Live consumers may go on. Shows what would go, and asks, before it
    begins.

    Broken off, by Ctrl-C too, it leaves nothing half done: what is gone stays gone, repeat it for
    the rest. After a restore of the database import the list of erasures, then repeat it.

    \b
      claim-analytics retention --older-than 84 --dry-run
      claim-analytics retention --older-than 2019-01-01 --why "ten years are over"

    \b
    Exit codes:
      0    done, or nothing to do
      1    answered with no
      2    no day, or one in months that the figures cover
      3    PostgreSQL did not answer, or somebody kept a provider for two minutes
      130  broken off by Ctrl-C
    """
    if not dry_run and not why.strip():
        fail("Say --why it is done, or look first with --dry-run.", Exit.USAGE)
    settings = load_settings()
    found = run_async(_look(settings, older_than))
    if not as_json:
        _show(found)
    if dry_run or not found.claims:
        if as_json:
            typer.echo(json.dumps(_plain(found, Removed()), default=str))
        return
    if not yes:
        typer.confirm(f"Remove these {found.claims:,} claims for good?", abort=True, err=True)
    _remove(settings, found, why, as_json)


async def _look(settings: Settings, older_than: str) -> Removable:
    async with wiring.open_database(settings) as database:
        return await removable_claims(database, older_than)


def _remove(settings: Settings, found: Removable, why: str, as_json: bool) -> None:
    gone, ended = Removed(), False

    async def work() -> bool:
        nonlocal gone
        arguments = {"before": found.before.isoformat()}
        async with wiring.open_database(settings) as database:
            with Progress("claims") as progress:
                async with recorded(settings, database, COMMAND, arguments, why) as action:

                    def tell(so_far: Removed) -> None:
                        nonlocal gone
                        gone = so_far
                        action.counts.update(gone._asdict())
                        progress.tell(gone.claims, found.claims)

                    await remove_claims(database, found.before, why, tell)
        return True

    try:
        ended = run_interruptible(work) is not None
    finally:
        if as_json:
            typer.echo(json.dumps(_plain(found, gone), default=str))
        else:
            typer.echo(
                f"removed {gone.claims:,} claims, {gone.events:,} events, {gone.letters:,} dead"
                " letters"
            )
    if not ended:
        end_broken_off("What is gone stays gone; repeat it for the rest.")


def _show(found: Removable) -> None:
    if not found.claims:
        typer.echo(f"There is no claim of service before {found.before}.")
        return
    typer.echo(f"Claims of service before {found.before}:")
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
    for head in ("year", "providers", "claims", "events"):
        table.add_column(head, justify="right")
    for year in found.years:
        table.add_row(str(year.year), *(f"{count:,}" for count in year[1:]))
    Console().print(table)


def _plain(found: Removable, gone: Removed) -> dict[str, object]:
    years = [year._asdict() for year in found.years]
    return {"before": found.before, "years": years, "removed": gone._asdict()}
