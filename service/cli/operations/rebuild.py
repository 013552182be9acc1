"""`claim-analytics rebuild`: claims and figures anew, from what they are made of."""

import json
from collections.abc import Callable, Coroutine
from dataclasses import asdict
from datetime import UTC, date, datetime
from typing import Annotated, Any
from uuid import UUID

import typer
from rich.console import Console
from rich.table import Table

from repositories.postgres.database import Database
from repositories.recomputation.figures import RowDifference
from service import wiring
from service.cli.common import Exit, complain, fail, load_settings
from service.cli.operations.interruptible import end_broken_off, run_interruptible
from service.cli.progress import Progress
from service.operations import rebuild as operations
from service.operations.rebuild import Forecast, Order, Rebuilt
from service.settings import Settings


def rebuild(
    provider: Annotated[
        list[UUID] | None,
        typer.Option(metavar="ID", help="This provider alone; may be repeated."),
    ] = None,
    from_month: Annotated[
        str | None,
        typer.Option(metavar="YYYY-MM", help="Months of service from this one on alone."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="List what differs; change and lock nothing.")
    ] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on where the last rebuild was broken off.")
    ] = False,
    limit: Annotated[int, typer.Option(min=1, help="Most differences that --dry-run lists.")] = 100,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object, for programs.")] = False,
    why: Annotated[
        str | None,
        typer.Option(metavar="TEXT", help="The reason, to be kept; no personal data."),
    ] = None,
) -> None:
    """Recompute claims from their history and figures from the claims, and repair what differs.

    Provider by provider, beside live consumers: each is done in one transaction, so nobody sees
    half of one, and batches of a provider wait for a fifth of a second. What is right is not
    written. Rows of analytics_cache that were wrong are kept, as they were, in repaired_rows for 30
    days. Afterwards `claim-analytics verify` finds nothing. --from-month leaves earlier months of
    service as they are, and rows of single days (waiting claims) are always recomputed.

    It can be broken off at any moment, by Ctrl-C too; it says what it did, and --resume goes on
    from there, for the same providers and months. What it did is in the table operator_actions.

    \b
    Look first, then do it:
      claim-analytics rebuild --provider ID --dry-run
      claim-analytics rebuild --provider ID --why "figures of ticket 4711"

    \b
    Exit codes:
      0    done; --dry-run: listed, whatever it found
      2    wrong usage, or there is nothing to resume
      3    PostgreSQL did not answer, or somebody kept a provider for two minutes:
           what was done stays, go on with --resume
      5    a provider is unknown; nothing was changed
      130  broken off by Ctrl-C
    """
    _refuse_odd_arguments(bool(provider or from_month), dry_run, resume, why)
    month = _month(from_month) if from_month else None
    settings = load_settings()

    async def order(database: Database) -> Order:
        if resume:
            return await operations.order_to_resume(database)
        return await operations.order_for(database, provider or [], month)

    if dry_run:
        _look(settings, order, limit, as_json)
    else:
        _do(settings, order, why or "", as_json)


Ordered = Callable[[Database], Coroutine[Any, Any, Order]]


def _refuse_odd_arguments(chosen: bool, dry_run: bool, resume: bool, why: str | None) -> None:
    if resume and (chosen or dry_run):
        fail(
            "--resume goes on with the providers and months of the rebuild that was broken off:"
            " give it no --provider, --from-month or --dry-run.",
            Exit.USAGE,
        )
    if not dry_run and not (why and why.strip()):
        fail("Say --why it is done, or look first with --dry-run.", Exit.USAGE)


def _month(text: str) -> date:
    try:
        return datetime.strptime(text, "%Y-%m").date()  # noqa: DTZ007  # a month has no time zone
    except ValueError:
        fail(f"--from-month {text!r} is no month: write it as 2026-03.", Exit.USAGE)


def _do(settings: Settings, ordered: Ordered, why: str, as_json: bool) -> None:
    rebuilt = Rebuilt()

    async def work() -> bool:
        async with wiring.open_database(settings) as database:
            order = await ordered(database)
            complain(_announced(order))
            with Progress("providers") as progress:
                await operations.rebuild(
                    settings,
                    database,
                    order,
                    why,
                    rebuilt,
                    lambda: progress.tell(rebuilt.providers, rebuilt.of),
                )
        return True

    ended = False
    try:
        ended = run_interruptible(work) is not None
    finally:
        if ended or rebuilt.providers:
            _tell(rebuilt, ended, as_json)
        if not ended and rebuilt.of:
            complain("To go on from there: claim-analytics rebuild --resume --why TEXT")
    if not ended:
        end_broken_off("Nothing is half done.")


def _look(settings: Settings, ordered: Ordered, limit: int, as_json: bool) -> None:
    found = Forecast()

    async def work() -> bool:
        async with wiring.open_database(settings) as database:
            order = await ordered(database)
            with Progress("providers") as progress:
                await operations.forecast(
                    database,
                    order,
                    limit,
                    found,
                    lambda: progress.tell(found.providers, found.of),
                )
        return True

    if not run_interruptible(work):
        end_broken_off("Nothing was changed.")
    if as_json:
        rows = [row._asdict() for row in found.listed_rows]
        typer.echo(json.dumps({**asdict(found), "listed_rows": rows}, default=str))
    else:
        _show(found, Console())


def _announced(order: Order) -> str:
    whom = f"{len(order.providers):,} providers" if order.providers else "all providers"
    since = f", months of service from {order.from_month:%Y-%m} on" if order.from_month else ""
    after = ""
    if order.begun_at:
        begun = f"{order.begun_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
        after = f", from where the rebuild of {begun} was broken off"
    return f"Recomputing claims and figures of {whom}{since}{after}."


def _tell(rebuilt: Rebuilt, ended: bool, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({"done": ended, **rebuilt.plain()}))
        return
    counts = rebuilt.counts
    lines = [
        (counts.repaired_claims, "claims repaired"),
        (counts.repaired_rows, "rows of analytics_cache repaired; they are in repaired_rows"),
        (counts.list_rows, "rows of lists brought up to their months"),
        (counts.filled_rows, "rows filled in that are new in this version"),
        (counts.removed_rows, "rows removed that lie before the horizon"),
    ]
    typer.echo(f"{rebuilt.providers:,} of {rebuilt.of:,} providers recomputed:")
    shown = [f"  {count:,} {what}" for count, what in lines if count]
    typer.echo("\n".join(shown) or "  everything was right")


def _show(found: Forecast, console: Console) -> None:
    """What differs, whole at any width, to be copied."""
    console.print(
        f"Looked at {found.providers:,} providers: {found.claims:,} claims and {found.rows:,} rows"
        " of analytics_cache would be written. Nothing was changed.",
        soft_wrap=not console.is_terminal,
    )
    if found.listed_claims:
        console.print(f"Claims, {len(found.listed_claims):,} of {found.claims:,}:")
        for claim_id in found.listed_claims:
            console.print(f"  {claim_id}", highlight=False)
    if found.listed_rows:
        console.print(f"Rows, {len(found.listed_rows):,} of {found.rows:,}:")
    for row in found.listed_rows:
        console.print(_difference(row), "", highlight=False)


def _difference(row: RowDifference) -> Table:
    lines = Table.grid(padding=(0, 2))
    lines.add_row("provider", str(row.provider_id))
    lines.add_row("figure", f"{row.metric_key}, {row.period_start}")
    if row.dimensions:
        lines.add_row("only", json.dumps(row.dimensions))
    lines.add_row("why", row.why)
    lines.add_row("is", json.dumps(row.value_before) if row.value_before else "no row")
    lines.add_row("will be", json.dumps(row.value_after) if row.value_after else "no row")
    return lines
