"""`claim-analytics verify`: are the figures right?"""

import dataclasses
import json
from contextlib import suppress
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from repositories.claims.top_code_flush import flush_top_codes
from repositories.claims.verification import CacheDifference, Verification
from repositories.claims.verification import verify as compare
from repositories.errors import LockNotAvailable
from service import wiring
from service.cli.common import Exit, load_settings, run_async
from service.settings import Settings


def verify(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object, for programs.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="Most differences to list.")] = 100,
) -> None:
    """Recompute everything, compare, and list what differs.

    Claims are recomputed from their history, and figures from the claims. Nothing is changed, but
    for top_hsc_codes rows that were due anyway. Live consumers may go on. Exit code 1 if anything
    differs.
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
    async with wiring.open_database(settings) as database:
        with suppress(LockNotAvailable):  # of marked months it is known that they are behind
            await flush_top_codes(database)
        return await compare(database, limit=limit)


def show(found: Verification, console: Console) -> None:
    """What was compared, and a table of what differs."""
    console.print(
        f"Compared {found.claims:,} claims with {found.events:,} events, and"
        f" {found.cache_rows:,} rows of analytics_cache with the claims.",
        soft_wrap=not console.is_terminal,
    )
    if found.not_filled:
        console.print(
            f"Of {found.not_filled:,} providers the figures that are new in this version are not"
            " filled in yet, and were not compared: `claim-analytics run` fills them in.",
            soft_wrap=not console.is_terminal,
        )
    if found.clean:
        console.print("Everything is as recomputed.")
        return
    if found.wrong_claims:
        console.print(f"Claims that are not the newest of their events: {len(found.wrong_claims)}")
        for claim_id in found.wrong_claims:
            console.print(f"  {claim_id}")
    for row in found.wrong_rows:
        console.print(_difference(row), "", highlight=False)


def _difference(row: CacheDifference) -> Table:
    """Ids whole at any width, to be copied."""
    lines = Table.grid(padding=(0, 2))
    lines.add_row("provider", str(row.provider_id))
    lines.add_row("figure", f"{row.metric_key}, {row.period_start:%Y-%m}")
    if row.dimensions:
        lines.add_row("only", json.dumps(row.dimensions))
    lines.add_row("recomputed", json.dumps(row.expected) if row.expected else "no row")
    lines.add_row("in the cache", json.dumps(row.found) if row.found else "no row")
    return lines


def _plain(found: Verification) -> dict[str, object]:
    return {"clean": found.clean, **dataclasses.asdict(found)}
