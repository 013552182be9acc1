"""`claim-analytics refresh`: what runs once a night, now."""

import asyncio
import json
from dataclasses import asdict
from typing import Annotated
from uuid import UUID

import typer

from repositories.recomputation.passes import known_providers
from service import wiring
from service.cli.common import Exit, complain, fail, load_settings
from service.cli.operations.interruptible import end_broken_off, run_interruptible
from service.cli.progress import Progress
from service.operations.errors import UnknownProviders
from service.operations.recorded import recorded
from service.operations.refresh import (
    RefreshCounts,
    RefreshedMonths,
    refresh_all,
    refresh_providers,
    refreshed_months,
)

COMMAND = "refresh"


def refresh(
    why: Annotated[str, typer.Option(help="The reason, to be kept; no personal data.")],
    provider: Annotated[
        list[UUID] | None,
        typer.Option(metavar="ID", help="This provider alone; may be repeated."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object, for programs.")] = False,
) -> None:
    """Confirm or repair the figures, and move their horizon: what runs once a night, now.

    Recomputes this month and the twelve before it, and all rows of single days, provider by
    provider, beside live consumers. Rows that are right are confirmed: their computed_at moves.
    Rows that were wrong are repaired, and kept as they were in repaired_rows for 30 days. Then
    figures begin with the month 24 months back, and rows of earlier months are removed; with
    --provider the horizon stays where it is. Claims and history are not touched: see rebuild.

    Broken off, by Ctrl-C too, it leaves nothing half done; repeat it.

    \b
    Exit codes:
      0    done
      2    wrong usage
      3    PostgreSQL did not answer, or somebody kept a provider for two minutes:
           what was done stays, repeat it
      5    a provider is unknown; nothing was changed
      130  broken off by Ctrl-C
    """
    if not why.strip():
        fail("Say --why it is done.", Exit.USAGE)
    settings, told = load_settings(), RefreshCounts()
    chosen = sorted(set(provider or []))

    async def work() -> RefreshCounts:
        nonlocal told
        async with wiring.open_database(settings) as database:
            if unknown := set(chosen) - await known_providers(database, chosen):
                raise UnknownProviders(unknown)
            complain(_announced(await refreshed_months(database), len(chosen)))
            arguments = {"providers": [str(each) for each in chosen] or None}
            with Progress("providers") as progress:
                async with recorded(settings, database, COMMAND, arguments, why) as action:

                    def tell(counts: RefreshCounts, of: int) -> None:
                        nonlocal told
                        told = counts
                        action.counts.update(asdict(counts))
                        progress.tell(counts.providers, of)

                    go = asyncio.Event()  # is never set: Ctrl-C cancels
                    if chosen:
                        told = await refresh_providers(database, chosen, COMMAND, tell, go)
                    else:
                        told = await refresh_all(database, COMMAND, tell, go)
                    action.counts.update(asdict(told))
        return told

    try:
        done = run_interruptible(work)
    finally:
        if told.done or told.providers:
            _tell(told, as_json)
    if done is None:
        end_broken_off("Nothing is half done; repeat it.")


def _announced(months: RefreshedMonths, chosen: int) -> str:
    whom = f"{chosen:,} providers" if chosen else "all providers"
    recomputed = f"Recomputing months from {months.since:%Y-%m} on of {whom}"
    if chosen:
        return f"{recomputed}."
    return f"{recomputed}; figures begin with {months.horizon:%Y-%m} from now on."


def _tell(counts: RefreshCounts, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(asdict(counts)))
        return
    typer.echo(
        f"{counts.providers:,} providers: {counts.confirmed_rows:,} rows confirmed,"
        f" {counts.repaired_rows:,} repaired, {counts.removed_rows:,} before the horizon removed"
    )
    if counts.repaired_rows:
        typer.echo("What was repaired is in the table repaired_rows: it should be nothing.")
