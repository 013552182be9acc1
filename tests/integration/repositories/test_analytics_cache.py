"""Single rows of `analytics_cache`: one provider's, through the unique key."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from asyncpg import Connection

from repositories import InsertAnalyticsCache, SelectAnalyticsCache
from repositories.claims.cache import metrics_present, put_metric, read_metrics
from repositories.errors import DatabaseRefused
from repositories.postgres.database import Database
from repositories.vocabulary import MetricKey
from tests.integration.repositories.database_state import read_tables
from tests.integration.repositories.examples import apply, paid, submitted, uuid_of

P, Q = uuid_of("provider P"), uuid_of("provider Q")
ROW = InsertAnalyticsCache(
    provider_id=P,
    metric_key=MetricKey.CLAIMS_PAID,
    period_start=date(2024, 10, 1),
    period_end=date(2024, 10, 31),
    value={"count": 1, "amount": "40.00"},
    computed_at=datetime(2024, 11, 1, 6, 30, tzinfo=UTC),
)
BY_TYPE = replace(ROW, dimensions={"claim_type": "AHCIP"}, cache_id=uuid_of("row"))


@pytest.fixture(autouse=True)
async def providers(observer: Connection) -> None:
    await observer.executemany("INSERT INTO providers (provider_id) VALUES ($1)", [(P,), (Q,)])


async def put(database: Database, *rows: InsertAnalyticsCache) -> None:
    async with database.transaction() as connection:
        for row in rows:
            await put_metric(connection, row)


async def read(database: Database, **which: Any) -> list[SelectAnalyticsCache]:
    async with database.transaction() as connection:
        return list(await read_metrics(connection, P, **which))


def selected(row: InsertAnalyticsCache) -> SelectAnalyticsCache:
    return SelectAnalyticsCache(**vars(row))


async def test_a_row_is_read_as_it_was_put(database: Database) -> None:
    await put(database, BY_TYPE, ROW)
    found = await read(database)
    assert found == [selected(ROW), selected(BY_TYPE)]
    assert isinstance(found[0].metric_key, MetricKey)


async def test_the_metrics_of_a_provider_are_those_of_its_own_rows(database: Database) -> None:
    other = replace(ROW, provider_id=Q, metric_key=MetricKey.EXPIRED_CLAIMS, cache_id=uuid_of("Q"))
    await put(database, ROW, BY_TYPE, other)
    async with database.snapshot() as connection:
        assert await metrics_present(connection, P) == {MetricKey.CLAIMS_PAID}


@pytest.mark.parametrize("row", [ROW, BY_TYPE], ids=["top_level", "dimension"])
async def test_a_row_with_the_same_key_replaces_value_and_time_and_keeps_its_id(
    database: Database, row: InsertAnalyticsCache
) -> None:
    later: dict[str, Any] = {
        "value": {"count": 2, "amount": "80.00"},
        "computed_at": datetime.now(UTC),
    }
    await put(database, row, replace(row, **later, cache_id=uuid_of("another")))
    assert await read(database) == [replace(selected(row), **later)]


@pytest.mark.parametrize(
    "other",
    [
        {"provider_id": Q},
        {"metric_key": MetricKey.REVENUE_MONTHLY},
        {"period_start": date(2024, 10, 2)},
        {"period_end": date(2024, 10, 30)},
        {"dimensions": {"claim_type": "AHCIP"}},
    ],
    ids=lambda changed: next(iter(changed)),
)
async def test_each_part_of_the_key_makes_another_row(
    database: Database, observer: Connection, other: dict[str, Any]
) -> None:
    await put(database, ROW, replace(ROW, **other, cache_id=uuid_of("another")))
    assert await observer.fetchval("SELECT count(*) FROM analytics_cache") == 2


async def test_the_top_level_is_sql_null(database: Database, observer: Connection) -> None:
    await put(database, ROW)
    await apply(database, submitted("B", provider="Q"))
    kinds = "SELECT DISTINCT jsonb_typeof(dimensions) AS kind FROM analytics_cache"
    assert {row["kind"] for row in await observer.fetch(kinds)} == {None, "object"}


async def test_another_providers_rows_are_never_read(
    database: Database, observer: Connection
) -> None:
    await apply(database, paid("A", provider="P"), paid("B", provider="Q"))
    found = await read(database)
    assert {row.provider_id for row in found} == {P}
    everyones = (await read_tables(observer)).analytics_cache
    assert len(found) == sum(key.provider_id == P for key in everyones)


async def test_one_month_is_named_by_any_of_its_days(database: Database) -> None:
    await apply(
        database,
        paid("A", date_of_service="2024-09-30"),
        paid("B", date_of_service="2024-10-01"),
        paid("C", date_of_service="2024-11-01"),
    )
    for day in (date(2024, 10, 1), date(2024, 10, 31)):
        found = await read(database, month=day)
        assert {row.period_start for row in found} == {date(2024, 10, 1)}


async def test_one_metric_is_read_in_order_of_its_keys(database: Database) -> None:
    codes = {f"{n}": date(2024, month, 1) for n, month in enumerate((11, 10, 10, 9))}
    await apply(
        database,
        *(paid(code, hsc_code=code, date_of_service=f"{day}") for code, day in codes.items()),
    )
    found = await read(database, metric_key=MetricKey.REVENUE_BY_HSC)
    assert {row.metric_key for row in found} == {MetricKey.REVENUE_BY_HSC}
    shown = [(row.period_start.month, (row.dimensions or {})["hsc_code"]) for row in found]
    assert shown == [(9, "3"), (10, "1"), (10, "2"), (11, "0")]


async def test_a_provider_that_is_not_known_is_refused(database: Database) -> None:
    with pytest.raises(DatabaseRefused, match="23503"):
        await put(database, replace(ROW, provider_id=uuid_of("nobody")))
