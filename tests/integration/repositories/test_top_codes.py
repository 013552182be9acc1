"""`top_hsc_codes` follows its months, whatever happens between a claim and the flush."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import asyncpg
import pytest
from asyncpg import Connection
from sqlalchemy import select
from sqlalchemy.dialects.postgresql.asyncpg import dialect

from repositories.claims.top_code_flush import (
    PROVIDERS_AT_ONCE,
    _marked,
    _recompute,
    flush_top_codes,
)
from repositories.claims.verification import verify
from repositories.errors import DatabaseRefused, DatabaseUnavailable
from repositories.postgres.database import Database
from repositories.statements import BY_INDEX, compiled
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
from tests.integration.repositories.migrated import upgrade
from tests.integration.repositories.waiting import transaction_of_another, until_waiting

LOCK_TOP_CODES = "SELECT FROM analytics_cache WHERE metric_key = 'top_hsc_codes' FOR UPDATE"


async def listed(observer: Connection) -> list[dict[str, Any]]:
    """The codes of the one month that the test is about."""
    codes: list[dict[str, Any]] = (await read_cache(observer, "top_hsc_codes"))[None]["codes"]
    return codes


async def marks(observer: Connection) -> int:
    return int(await observer.fetchval("SELECT count(*) FROM lists_due"))


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


# Each of PROVIDERS_AT_ONCE providers has so many. In a cache of less than some 50,000 rows all
# months of a provider are read, which takes no longer.
MONTHS, CODES = 12, 60
FILL = f"""
    ALTER TABLE analytics_cache SET (autovacuum_enabled = false);
    INSERT INTO providers (provider_id)
        SELECT gen_random_uuid() FROM generate_series(1, {PROVIDERS_AT_ONCE});
    INSERT INTO analytics_cache
        (provider_id, metric_key, period_start, period_end, dimensions, value, computed_at)
    SELECT provider_id, metric_key, day, day + 27, jsonb_build_object('hsc_code', code::text),
           jsonb_build_object('count', 1, 'amount', code::text), now()
    FROM providers, generate_series(1, {MONTHS}) month, make_date(2025, month, 1) day,
         generate_series(1, {CODES}) code, unnest(ARRAY['revenue_by_hsc', 'claims_paid']) metric_key
"""
MARK = "INSERT INTO lists_due SELECT unnest($1::uuid[]), 'top_hsc_codes', '2025-03-01'"


async def test_a_flush_reads_the_codes_of_the_months_that_changed_and_no_others(
    any_postgres: str,
) -> None:
    """Without statistics, as in the first minutes of a backlog.

    Once it compared each month with each code: 1.7 million pairs for 100 providers.
    """
    upgrade(any_postgres)
    connection = await asyncpg.connect(any_postgres)
    try:
        await connection.execute(FILL)
        for marked in (1, PROVIDERS_AT_ONCE):
            for plan in ("force_custom_plan", "force_generic_plan"):
                nodes = await _flush_plan(connection, marked, plan)
                read = sum(_rows_read(node) for node in nodes if _scans(node, "analytics_cache"))
                assert marked * CODES <= read <= 2 * marked * CODES, (marked, plan)
                assert sum(node.get("Rows Removed by Join Filter", 0) for node in nodes) == 0
    finally:
        await connection.close()


async def test_a_flush_looks_at_no_provider_that_is_not_marked(any_postgres: str) -> None:
    """Once it asked of each of them whether it is: 10,000 times for every hundred of a flush."""
    upgrade(any_postgres)
    connection = await asyncpg.connect(any_postgres)
    try:
        known = await connection.fetch(
            "INSERT INTO providers (provider_id)"
            " SELECT gen_random_uuid() FROM generate_series(1, 10000) RETURNING provider_id"
        )
        await connection.execute(MARK, [row["provider_id"] for row in known[:3]])
        async with connection.transaction():
            await connection.execute(compiled(select(*BY_INDEX)).text)
            lock = compiled(_marked().with_for_update(key_share=True)).text
            found = await connection.fetchval(f"EXPLAIN (ANALYZE, FORMAT JSON) {lock}")
        nodes = [*_nodes(json.loads(found)[0]["Plan"])]
        assert sum(_rows_read(node) for node in nodes if _scans(node, "providers")) == 3
    finally:
        await connection.close()


async def _flush_plan(connection: Connection, marked: int, plan: str) -> list[dict[str, Any]]:
    """The nodes of the flush's statement as it ran for so many providers; nothing stays of it."""
    rows = await connection.fetch("SELECT provider_id FROM providers LIMIT $1", marked)
    locked = [row["provider_id"] for row in rows]
    flush = _recompute().compile(dialect=dialect())  # type: ignore[no-untyped-call]  # untyped
    transaction = connection.transaction()
    await transaction.start()
    await connection.execute(MARK, locked)
    await connection.execute(compiled(select(*BY_INDEX)).text)
    await connection.execute(f"SET LOCAL plan_cache_mode = {plan}; PREPARE flush AS {flush}")
    providers = ",".join(map(str, locked))
    found = await connection.fetchval(
        f"EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE flush('{{{providers}}}')"
    )
    await connection.execute("DEALLOCATE flush")
    await transaction.rollback()
    return list(_nodes(json.loads(found)[0]["Plan"]))


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", ()):
        yield from _nodes(child)


def _scans(node: dict[str, Any], table: str) -> bool:
    return "Scan" in node["Node Type"] and node.get("Relation Name") == table


def _rows_read(scan: dict[str, Any]) -> float:
    """In all its loops; those that it read and did not want too."""
    names = ("Actual Rows", "Rows Removed by Filter", "Rows Removed by Index Recheck")
    return float(scan["Actual Loops"] * sum(scan.get(name, 0) for name in names))
