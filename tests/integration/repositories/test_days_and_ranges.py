"""Brackets of any day, and figures of any range of days, after any delivery of events."""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from repositories.claims.batch import apply_claim_batch
from repositories.claims.figures import figures
from repositories.postgres.database import Database
from tests.integration.repositories.database_state import clear
from tests.integration.repositories.examples import rows
from tests.integration.repositories.suggestion_examples import apply_suggestions, suggestion
from tests.oracle import Value, cache_key, cache_rows, tables
from tests.strategies import (
    EventSpec,
    claims_histories,
    deliveries,
    suggestion_histories,
    to_plain,
)
from tests.strategies.contents import DATES, PROVIDERS

some = settings(
    max_examples=20,
    deadline=None,  # the machine is shared
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
UNSENT = "'DRAFT', 'VALIDATED', 'QUEUED'"
# Which claims count, and the bracket of each, straight from `claims`. The strategies' days are
# about a leap day and both changes of the clock.
DIRECT = {
    "aging": (
        f"state IN ('SUBMITTED', {UNSENT})",
        """CASE WHEN $1 - date_of_service <= 30 THEN '0-30'
                WHEN $1 - date_of_service <= 60 THEN '31-60'
                WHEN $1 - date_of_service <= 90 THEN '61-90'
                ELSE 'over 90' END""",
    ),
    "approaching_deadline": (
        f"state IN ('REJECTED', {UNSENT}) AND submission_deadline - $1 BETWEEN 0 AND 7",
        "'0-7'",
    ),
    "stale_claims": (
        """state IN ('DRAFT', 'VALIDATED')
            AND $1 - (created_at AT TIME ZONE 'America/Edmonton')::date > 14""",
        "'over 14'",
    ),
}
Brackets = set[tuple[object, ...]]
Rows = dict[tuple[str, object], Value]  # by metric key and dimensions
A_DAY = date(2010, 6, 15)


class Laboratory:
    """One loop and one pool for all examples: opening them takes longer than an example."""

    def __init__(self, runner: asyncio.Runner, url: str) -> None:
        self._runner = runner
        self._database = Database(url)
        self._observer: asyncpg.Connection = runner.run(asyncpg.connect(url))

    def deliver(
        self, batches: Iterable[Sequence[EventSpec]], suggestions: Iterable[dict[str, Any]] = ()
    ) -> None:
        """Apply the batches over empty tables, and what the coach said."""
        self._runner.run(self._deliver(batches, suggestions))

    def brackets(self, function: str, as_of: date) -> Brackets:
        """What the function returns, but for empty brackets."""
        statement = f"SELECT * FROM claim_analytics.{function}($1) WHERE count > 0"
        return self._fetch(statement, as_of)

    def direct(self, function: str, as_of: date) -> Brackets:
        """The same, from the claims themselves."""
        counts, bracket = DIRECT[function]
        return self._fetch(
            f"""
            SELECT provider_id, claim_type, bracket, count(*), sum(coalesce(submitted_fee, 0))
            FROM (SELECT *, {bracket} AS bracket FROM claims WHERE {counts}) AS claim
            GROUP BY GROUPING SETS ((provider_id, claim_type, bracket), (provider_id, bracket))
            """,
            as_of,
        )

    def figures(self, provider_id: str, first: date, last: date) -> Rows:
        return self._runner.run(self._figures(UUID(provider_id), first, last))

    def close(self) -> None:
        self._runner.run(self._observer.close())
        self._runner.run(self._database.close())

    def _fetch(self, statement: str, as_of: date) -> Brackets:
        return set(map(tuple, self._runner.run(self._observer.fetch(statement, as_of))))

    async def _deliver(
        self, batches: Iterable[Sequence[EventSpec]], suggestions: Iterable[dict[str, Any]]
    ) -> None:
        await clear(self._observer)
        for batch in batches:
            await apply_claim_batch(self._database, rows(batch), [])
        await apply_suggestions(self._database, *(suggestion(**said) for said in suggestions))

    async def _figures(self, provider_id: UUID, first: date, last: date) -> Rows:
        async with self._database.snapshot() as connection:
            found = await figures(connection, provider_id, first, last)
        return {(each.metric_key, _pairs(each.dimensions)): each.value for each in found}


def _pairs(dimensions: dict[str, str] | None) -> object:
    """As the oracle has them."""
    return cache_key(UUID(int=0), "", A_DAY, A_DAY, dimensions).dimensions


@pytest.fixture(scope="module")
def laboratory(migrated_url: str) -> Iterator[Laboratory]:
    with asyncio.Runner() as runner:
        laboratory = Laboratory(runner, migrated_url)
        yield laboratory
        laboratory.close()


DAYS = ("date_of_service", "submission_deadline", "created_day")
days = st.sampled_from(DATES) | st.dates(date(2023, 12, 1), date(2024, 7, 10))
ranges = st.tuples(days, days) | days.map(lambda day: (day, day)) | st.just((date.min, date.max))
edges = st.sampled_from([-8, -7, -1, 0, 1, 14, 15, 30, 31, 60, 61, 90, 91, 366])


@some
@given(data=st.data())
def test_brackets_of_any_day_are_those_of_a_query_over_the_claims(
    laboratory: Laboratory, data: st.DataObject
) -> None:
    events = data.draw(claims_histories(), label="events")
    laboratory.deliver(data.draw(deliveries(events), label="batches"))
    claims = tables(map(to_plain, events)).claims.values()
    found = {claim[name] for claim in claims for name in DAYS}
    for day in sorted(found - {None}):
        as_of = day + timedelta(days=data.draw(edges, label="days later"))
        for function in DIRECT:
            assert laboratory.brackets(function, as_of) == laboratory.direct(function, as_of)


@some
@given(data=st.data())
def test_figures_of_any_range_are_those_that_the_oracle_makes_of_its_days(
    laboratory: Laboratory, data: st.DataObject
) -> None:
    events = data.draw(claims_histories(), label="events")
    said = data.draw(suggestion_histories(), label="suggestions")
    every = tables(map(to_plain, [*events, *said]))
    laboratory.deliver([events], every.ai_suggestions.values())
    for provider in PROVIDERS:
        first, last = data.draw(ranges, label="range")
        claims = _in_range(every.claims.values(), "date_of_service", provider, first, last)
        suggestions = _in_range(every.ai_suggestions.values(), "created_day", provider, first, last)
        expected = {
            (key.metric_key, key.dimensions): value
            for key, value in cache_rows(claims, suggestions).items()
            if key.period_start != key.period_end
        }
        assert laboratory.figures(provider, first, last) == expected


def _in_range(
    counted: Iterable[dict[str, Any]], day: str, provider: str, first: date, last: date
) -> list[dict[str, Any]]:
    """Those of the provider in the range, all moved to one day: then the oracle's month is it."""
    return [
        each | {day: A_DAY} | _moved(each, A_DAY - each[day])
        for each in counted
        if each["provider_id"] == UUID(provider) and first <= each[day] <= last
    ]


def _moved(counted: dict[str, Any], by: timedelta) -> dict[str, Any]:
    """A claim takes as long to be paid as before."""
    paid_on = counted.get("payment_date")
    return {"payment_date": paid_on + by} if paid_on else {}
