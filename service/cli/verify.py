"""`claim-analytics verify`: are the figures right?"""

import dataclasses
import json
from collections.abc import Sequence
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from repositories.top_code_flush import flush_top_codes
from repositories.verification import CacheDifference, Verification
from repositories.verification import verify as compare
from service import wiring
from service.cli.common import Exit, load_settings, run_async
from service.settings import Settings


def verify(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object, for programs.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="Most differences to list.")] = 100,
) -> None:
    """Recompute claims from their history and figures from claims, and compare.

    Nothing is changed, but for top_hsc_codes rows that were due anyway. Live consumers may go on.
    Exit code 1 if anything differs; what differs is listed.
    """
    settings = load_settings()
    found = run_async(_verify(settings, limit))
    if as_json:
        typer.echo(json.dumps(_plain(found), default=str))
    else:
        show(found, Console())
    if not found.clean:
        raise typer.Exit(Exit.FAILED)


async def _verify(settings: Settings, limit: int) -> Verification:
    database = wiring.database(settings)
    try:
        await flush_top_codes(database)
        return await compare(database, limit=limit)
    finally:
        await database.close()


def show(found: Verification, console: Console) -> None:
    """What was compared, and a table of what differs."""
    console.print(
        f"Compared {found.claims:,} claims with {found.events:,} events, and"
        f" {found.cache_rows:,} rows of analytics_cache with the claims.",
        soft_wrap=True,
    )
    if found.clean:
        console.print("Everything is as recomputed.")
        return
    if found.wrong_claims:
        console.print(f"Claims that are not the newest of their events: {len(found.wrong_claims)}")
        for claim_id in found.wrong_claims:
            console.print(f"  {claim_id}")
    if found.wrong_rows:
        console.print(_table(found.wrong_rows))


def _table(rows: Sequence[CacheDifference]) -> Table:
    table = Table("provider", "metric", "month", "dimensions", "recomputed", "in the cache")
    for row in rows:
        table.add_row(
            str(row.provider_id),
            row.metric_key,
            f"{row.period_start:%Y-%m}",
            json.dumps(row.dimensions) if row.dimensions else "",
            json.dumps(row.expected) if row.expected else "no row",
            json.dumps(row.found) if row.found else "no row",
        )
    return table


def _plain(found: Verification) -> dict[str, object]:
    return {"clean": found.clean, **dataclasses.asdict(found)}
