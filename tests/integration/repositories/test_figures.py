"""`figures`: what it has in common with the cache's rows of months, and what not."""

from datetime import date
from random import Random

from asyncpg import Connection

from repositories.claims.cache import read_metrics
from repositories.claims.figures import Figure, figures
from repositories.claims.top_code_flush import flush_top_codes
from repositories.metrics.definitions import DAY_KEYS
from repositories.postgres.database import Database
from repositories.vocabulary import MetricKey
from tests.integration.repositories.examples import apply, paid, submitted, uuid_of
from tests.integration.repositories.random_traffic import PROVIDERS, deliver, history
from tests.integration.repositories.suggestion_examples import apply_suggestions, suggestion
from tests.oracle import cache_key, without_zero_rows

OCTOBER = (date(2024, 10, 1), date(2024, 10, 31))
MONTHS = ((date(2024, 9, 1), date(2024, 9, 30)), OCTOBER)


async def ask(database: Database, first: date, last: date, provider: str = "P") -> list[Figure]:
    async with database.snapshot() as connection:
        return list(await figures(connection, uuid_of(f"provider {provider}"), first, last))


async def months_rows(database: Database, provider: str, first: date, last: date) -> list[Figure]:
    """The month as the cache has it, less what may be there or not."""
    async with database.snapshot() as connection:
        rows = await read_metrics(connection, uuid_of(f"provider {provider}"), month=first)
    keys = {
        cache_key(row.provider_id, row.metric_key, first, last, row.dimensions): row for row in rows
    }
    there = without_zero_rows({key: row.value for key, row in keys.items()})
    return [
        Figure(row.metric_key, row.dimensions, row.value)
        for key, row in keys.items()
        if key in there and row.metric_key not in DAY_KEYS
    ]


async def test_of_a_whole_month_they_are_its_rows_in_their_order(database: Database) -> None:
    random = Random(8)  # a repeatable choice
    for batch in deliver(random, history(random, 60)):
        await apply(database, *batch)
    for provider in PROVIDERS:
        await apply_suggestions(database, suggestion(f"of {provider}", provider=provider))
    await flush_top_codes(database)
    seen: set[MetricKey] = set()
    for provider in PROVIDERS:
        for first, last in MONTHS:
            expected = await months_rows(database, provider, first, last)
            assert await ask(database, first, last, provider=provider) == expected
            seen |= {figure.metric_key for figure in expected}
    assert seen >= {MetricKey.TOP_HSC_CODES, MetricKey.AI_COACH_TOP_ACCEPTED}


async def test_what_depends_on_today_has_no_figure_of_a_range(database: Database) -> None:
    await apply(database, submitted())
    keys = {figure.metric_key for figure in await ask(database, *OCTOBER)}
    assert keys >= {MetricKey.CLAIMS_SUBMITTED, MetricKey.PENDING_PIPELINE}
    assert not keys & set(DAY_KEYS)


async def test_where_nothing_is_there_are_no_figures(database: Database) -> None:
    await apply(database, paid())
    assert await ask(database, date(2024, 10, 16), date(2024, 10, 31)) == []
    assert await ask(database, date(2024, 10, 31), date(2024, 10, 1)) == []
    assert await ask(database, *OCTOBER, provider="Q") == []


async def test_the_horizon_leaves_nothing_out(database: Database, observer: Connection) -> None:
    await apply(database, paid())
    before = await ask(database, *OCTOBER)
    await observer.execute("INSERT INTO cache_horizon (first_month) VALUES ('2024-11-01')")
    assert await ask(database, *OCTOBER) == before
    assert before
