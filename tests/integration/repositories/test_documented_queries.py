"""The queries of `docs/metrics.md`, run as a reader runs them."""

import re
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest
from asyncpg import Connection

from repositories.claims.top_code_flush import flush_top_codes
from repositories.postgres.database import Database
from tests.integration.repositories.examples import apply, paid, rejected, saved, submitted
from tests.strategies import EventSpec
from tests.unit.project_files import project_files

PAGE = project_files()["docs/metrics.md"]
BLOCKS = re.findall(r"^```sql\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
BEGINNING, *QUERIES = [
    [statement for statement in map(str.strip, block.split(";")) if statement] for block in BLOCKS
]
STATEMENTS = [statement for block in QUERIES for statement in block]
ZERO = Decimal("0.00")
# What each gives over `events`, in the order of the page.
ROWS: list[list[tuple[object, ...]]] = [
    [("3", "200.00")],
    [("AHCIP", "50.00"), ("WCB", "100.00")],
    [("05BA", 1), ("10", 1)],
    [(1, 4, Decimal("25.00"))],
    [(1, "03.03A", "1", "60.00"), (2, "03.04A", "1", "40.00")],
    [("0-30", 0, ZERO), ("31-60", 0, ZERO), ("61-90", 0, ZERO), ("over 90", 2, Decimal("80.00"))],
    [(1, Decimal("50.00"))],
    [(None, 1), ("AHCIP", 1), ("WCB", 0)],
    [(2, Decimal("80.00"))],
    [(True,)],
]


def events(provider_id: str) -> list[EventSpec]:
    """Claims of this provider, and one of another."""
    own: dict[str, Any] = {"provider_id": provider_id}
    march, before = own | {"date_of_service": "2026-03-10"}, own | {"date_of_service": "2025-02-01"}
    wcb: dict[str, Any] = {
        "claim_type": "WCB",
        "hsc_code": None,
        "form_id": "C050E",
        "ba_number": None,
    }
    codes, deadline = ["05BA", "10", "05BA"], "2026-03-30"
    return [
        paid("A", hsc_code="03.04A", assessed_fee="40.00", **march),
        paid("B", hsc_code="03.03A", assessed_fee="60.00", **march),
        paid("C", assessed_fee="100.00", **march, **wcb),
        rejected("D", explanatory_codes=codes, submission_deadline=deadline, **march),
        submitted("E", **before),
        saved("F", submitted_fee="30.00", created_at="2025-02-01T18:00:00Z", **before),
        paid("G", date_of_service="2026-03-10"),
    ]


@pytest.fixture
async def reader(database: Database, observer: Connection) -> AsyncIterator[Connection]:
    """A connection on which the page's first statements have been executed."""
    named = re.search(r"app.provider_id = '(.+)'", BEGINNING[1])
    assert named
    await apply(database, *events(named[1]))
    await flush_top_codes(database)
    async with observer.transaction():
        for statement in BEGINNING:
            await observer.execute(statement.replace("SET", "SET LOCAL", 1))
        yield observer


async def test_every_query_of_the_page_gives_what_the_page_says_it_does(
    reader: Connection,
) -> None:
    found = [[tuple(row) for row in await reader.fetch(query)] for query in STATEMENTS]
    assert dict(zip(STATEMENTS, found, strict=True)) == dict(zip(STATEMENTS, ROWS, strict=True))
