"""`top_hsc_codes` follows its months, whatever happens between a claim and the flush."""

import asyncio
from typing import Any

import pytest
from asyncpg import Connection

from repositories.database import Database
from repositories.errors import DatabaseRefused, DatabaseUnavailable
from repositories.top_code_flush import PROVIDERS_AT_ONCE, flush_top_codes
from repositories.verification import verify
from tests.integration.repositories.database_state import dump, read_cache
from tests.integration.repositories.examples import (
    apply,
    expected,
    next_offset,
    paid,
    settled,
    submitted,
    uuid_of,
)
from tests.integration.repositories.waiting import transaction_of_another, until_waiting

LOCK_TOP_CODES = "SELECT FROM analytics_cache WHERE metric_key = 'top_hsc_codes' FOR UPDATE"


async def listed(observer: Connection) -> list[dict[str, Any]]:
    """The codes of the one month that the test is about."""
    codes: list[dict[str, Any]] = (await read_cache(observer, "top_hsc_codes"))[None]["codes"]
    return codes


async def marks(observer: Connection) -> int:
    return int(await observer.fetchval("SELECT count(*) FROM top_codes_due"))


async def test_codes_stand_by_amount_then_count_then_bytes(
    database: Database, observer: Connection
) -> None:
    codes = ["é", "z", "_", "Z", "03.04a", "03.04A", "03,04A", "03.04 A", "\ufb01", "\U0001f600"]
    tied = [paid(f"tied {code}", hsc_code=code, assessed_fee="10") for code in codes]
    halves = [paid(f"half {n}", hsc_code="two", assessed_fee="5") for n in range(2)]
    richest = paid("rich", hsc_code="rich", assessed_fee="10.01")
    await apply(database, *tied, *halves, richest)
    await flush_top_codes(database)
    found = await listed(observer)
    assert found[:2] == [
        {"hsc_code": "rich", "count": 1, "amount": "10.01"},
        {"hsc_code": "two", "count": 2, "amount": "10.00"},
    ]
    assert [code["hsc_code"] for code in found[2:]] == sorted(codes, key=str.encode)[:8]


async def test_a_flush_says_how_many_months_it_did_and_then_nothing_is_due(
    database: Database, observer: Connection
) -> None:
    await apply(
        database,
        paid("A"),
        paid("B", date_of_service="2024-09-30"),
        paid("C", provider="Q"),
        submitted("D", date_of_service="2024-08-01"),
    )
    assert await marks(observer) == 3
    assert await flush_top_codes(database) == 3
    assert await marks(observer) == 0
    assert await flush_top_codes(database) == 0


async def test_only_months_whose_revenue_by_code_changed_are_due(
    database: Database, observer: Connection
) -> None:
    await apply(database, paid())
    await flush_top_codes(database)
    await apply(database, submitted("B"), paid(version=3, ba_number="7654321"))
    assert await marks(observer) == 0


async def test_a_claim_that_moves_to_another_month_makes_both_due(
    database: Database, observer: Connection
) -> None:
    await apply(database, paid())
    await flush_top_codes(database)
    moved = paid(version=3, date_of_service="2024-09-30")
    await apply(database, moved)
    assert await marks(observer) == 2
    assert await settled(database, observer) == expected(paid(), moved)


async def test_a_month_with_nothing_left_lists_no_codes(
    database: Database, observer: Connection
) -> None:
    await apply(database, paid())
    await flush_top_codes(database)
    await apply(database, submitted(version=3))
    await flush_top_codes(database)
    assert await read_cache(observer, "top_hsc_codes") in ({}, {None: {"codes": []}})
    assert (await verify(database)).clean


async def test_the_eleventh_code_moves_up_when_one_of_the_ten_goes(
    database: Database, observer: Connection
) -> None:
    claims = [paid(f"{n}", hsc_code=f"{n:02}", assessed_fee=f"{50 - n}") for n in range(11)]
    await apply(database, *claims)
    await flush_top_codes(database)
    assert [code["hsc_code"] for code in await listed(observer)] == [f"{n:02}" for n in range(10)]
    await apply(database, submitted("3", version=3))
    await flush_top_codes(database)
    assert [code["hsc_code"] for code in await listed(observer)] == (
        ["00", "01", "02", "04", "05", "06", "07", "08", "09", "10"]
    )


async def test_more_providers_than_one_transaction_takes_are_all_flushed(
    database: Database, observer: Connection
) -> None:
    names = [f"P{n}" for n in range(PROVIDERS_AT_ONCE + 1)]
    await apply(database, *(paid(name, provider=name) for name in names))
    assert await flush_top_codes(database) == len(names)
    rows = "SELECT count(*) FROM analytics_cache WHERE metric_key = 'top_hsc_codes'"
    assert await observer.fetchval(rows) == len(names)


async def test_a_batch_that_fails_marks_nothing(database: Database, observer: Connection) -> None:
    with pytest.raises(DatabaseRefused):
        await apply(database, paid(), offsets=[next_offset(-(2**70))])
    assert await marks(observer) == 0


async def test_a_flush_that_dies_half_done_leaves_its_months_due(
    migrated_url: str, database: Database, observer: Connection
) -> None:
    await apply(database, paid())
    await flush_top_codes(database)
    await apply(database, paid("B", hsc_code="z"))
    before = await dump(observer)
    async with transaction_of_another(migrated_url, LOCK_TOP_CODES):
        flush = asyncio.create_task(flush_top_codes(database))
        [pid] = await until_waiting(observer, 1)
        await observer.execute("SELECT pg_terminate_backend($1)", pid)
        with pytest.raises(DatabaseUnavailable):
            await flush
    assert await dump(observer) == before
    assert await flush_top_codes(database) == 1
    assert await settled(database, observer) == expected(paid(), paid("B", hsc_code="z"))


async def test_a_batch_and_a_flush_of_one_provider_wait_for_each_other(
    migrated_url: str, database: Database, observer: Connection
) -> None:
    """Else a flush could read a month before the batch and write it after."""
    await apply(database, paid())
    await flush_top_codes(database)
    await apply(database, paid("B", hsc_code="z"))
    async with asyncio.TaskGroup() as group, transaction_of_another(migrated_url, LOCK_TOP_CODES):
        group.create_task(flush_top_codes(database))
        await until_waiting(observer, 1)
        group.create_task(apply(database, paid("C", hsc_code="y")))
        await until_waiting(observer, 2)
    events = (paid(), paid("B", hsc_code="z"), paid("C", hsc_code="y"))
    assert await settled(database, observer) == expected(*events)


async def test_a_flush_leaves_other_providers_alone(
    migrated_url: str, database: Database, observer: Connection
) -> None:
    """The lock of a provider with nothing due holds up nobody."""
    await apply(database, paid("B", provider="Q"))
    await flush_top_codes(database)
    await apply(database, paid())
    lock = "SELECT FROM providers WHERE provider_id = $1 FOR UPDATE"
    async with transaction_of_another(migrated_url, lock, uuid_of("provider Q")):
        assert await asyncio.wait_for(flush_top_codes(database), 60) == 1
