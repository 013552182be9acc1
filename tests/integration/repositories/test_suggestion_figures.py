"""What the AI coach's events add up to is what the oracle says, in whatever company they come."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import product
from random import Random
from typing import Any

import pytest
from asyncpg import Connection

from repositories.calendar import day_in_alberta
from repositories.claims.fill import fill_all
from repositories.claims.top_code_flush import flush_top_codes
from repositories.claims.verification import verify
from repositories.postgres.database import Database
from repositories.suggestions.rows import SuggestionRow
from repositories.vocabulary import SuggestionEvent
from tests.integration.repositories.database_state import dump
from tests.integration.repositories.examples import apply, paid, settled, submitted, uuid_of
from tests.integration.repositories.suggestion_examples import apply_suggestions, plain, suggestion
from tests.integration.repositories.waiting import transaction_of_another, until_waiting
from tests.oracle import tables
from tests.strategies import to_plain

P = uuid_of("provider P")
LOCK_PROVIDER = "SELECT FROM providers WHERE provider_id = $1 FOR NO KEY UPDATE"
FIRST_OF_MONTH = datetime(2024, 11, 1, 6, tzinfo=UTC)  # midnight in Alberta
SECOND = timedelta(seconds=1)


def at(moment: datetime, event: str = "A", **data: Any) -> SuggestionRow:
    """An event of this moment."""
    return suggestion(event, created_at=moment, created_day=day_in_alberta(moment), **data)


def variety() -> list[SuggestionRow]:
    """Every kind of event, in two months and two categories, of two rules and of none; and one
    category that no amount is known of."""
    rules = [(uuid_of("one"), "One"), (uuid_of("two"), None), (None, "no rule")]
    kinds = product(SuggestionEvent, rules, ("MODIFIER", 'a "b"'), (None, Decimal("3.10")), "PQ")
    without_amount = at(FIRST_OF_MONTH, "without", category="OTHER", revenue_impact=None)
    return [without_amount] + [
        at(
            FIRST_OF_MONTH + (n % 5 - 2) * SECOND,
            f"{n}",
            provider=provider,
            event_type=kind,
            rule_id=rule_id,
            rule_name=name and f"{name} {n}",
            category=category,
            revenue_impact=impact,
        )
        for n, (kind, (rule_id, name), category, impact, provider) in enumerate(kinds)
    ]


async def assert_as_the_oracle_says(
    database: Database, observer: Connection, rows: list[SuggestionRow], **horizon: date
) -> None:
    assert await settled(database, observer) == tables(map(plain, rows), **horizon)
    assert (await verify(database)).clean


@pytest.mark.parametrize("batches", [1, 9])
async def test_every_kind_of_event_counts_as_it_is_defined(
    database: Database, observer: Connection, batches: int
) -> None:
    rows = variety()
    shuffled = Random(batches).sample(rows, len(rows))
    for number in range(batches):
        await apply_suggestions(database, *shuffled[number::batches])
    await assert_as_the_oracle_says(database, observer, rows)


async def test_a_month_is_one_of_alberta(database: Database, observer: Connection) -> None:
    rows = [at(FIRST_OF_MONTH - SECOND, "before"), at(FIRST_OF_MONTH, "after")]
    await apply_suggestions(database, *rows)
    await assert_as_the_oracle_says(database, observer, rows)
    months = "SELECT period_start FROM analytics_cache WHERE metric_key = $1 ORDER BY 1"
    found = await observer.fetch(months, "ai_coach_acceptance_rate")
    assert [row["period_start"] for row in found] == [date(2024, 10, 1), date(2024, 11, 1)]


async def test_a_repetition_counts_nothing_and_marks_nothing(
    database: Database, observer: Connection
) -> None:
    await apply_suggestions(database, *variety())
    await flush_top_codes(database)
    before = await dump(observer)
    conflicting = [
        row._replace(category="other", source_offset=row.source_offset + 1_000) for row in variety()
    ]
    done = await apply_suggestions(database, *variety(), *conflicting)
    assert (done.duplicate, len(done.refused)) == (len(conflicting), len(conflicting))
    assert await dump(observer) == before


async def test_a_list_follows_each_event_of_its_rules(
    database: Database, observer: Connection
) -> None:
    """Also one that only brings the rule another name, and one that came late."""
    rows: list[SuggestionRow] = []
    for n, (kind, name) in enumerate(
        [
            (SuggestionEvent.ACCEPTED, "One"),
            (SuggestionEvent.GENERATED, "Renamed"),
            (SuggestionEvent.SUPPRESSED, None),
            (SuggestionEvent.UNSUPPRESSED, None),
        ]
    ):
        moment = FIRST_OF_MONTH + (n - 10 * (kind is SuggestionEvent.UNSUPPRESSED)) * SECOND
        rows.append(at(moment.replace(month=12), f"{n}", event_type=kind, rule_name=name))
        await apply_suggestions(database, rows[-1])
        await assert_as_the_oracle_says(database, observer, rows)


async def test_months_before_the_horizon_are_stored_and_not_counted(
    database: Database, observer: Connection
) -> None:
    await observer.execute("INSERT INTO cache_horizon (first_month) VALUES ('2024-11-01')")
    await apply_suggestions(database, *variety())
    await assert_as_the_oracle_says(database, observer, variety(), first_month=date(2024, 11, 1))


async def test_a_provider_that_waits_to_be_filled_has_events_and_no_figures_until_it_is(
    database: Database, observer: Connection
) -> None:
    await observer.execute(
        "INSERT INTO providers (provider_id, metrics_revision) VALUES ($1, 1)", P
    )
    rows = [row for row in variety() if row.provider_id == P]
    done = await apply_suggestions(database, *rows)
    assert done.applied == len(rows)
    no_figures = tables(map(plain, rows))._replace(analytics_cache={})
    assert await settled(database, observer) == no_figures
    assert (await verify(database)).clean
    await fill_all(database)
    await assert_as_the_oracle_says(database, observer, rows)


async def test_claims_and_suggestions_of_one_provider_count_side_by_side(
    migrated_url: str, database: Database, observer: Connection
) -> None:
    claims = [[submitted("A"), paid("A")], [submitted("B", provider="Q"), submitted("C")]]
    rows = variety()
    await observer.execute("INSERT INTO providers VALUES ($1)", P)
    await observer.execute("UPDATE providers SET metrics_revision = 2")
    async with (
        asyncio.TaskGroup() as group,
        transaction_of_another(migrated_url, LOCK_PROVIDER, P),
    ):
        for number, batch in enumerate(claims):
            group.create_task(apply(database, *batch))
            group.create_task(apply_suggestions(database, *rows[number::2]))
        await until_waiting(observer, 4)
    events = [to_plain(event) for batch in claims for event in batch]
    assert await settled(database, observer) == tables([*events, *map(plain, rows)])
    assert (await verify(database)).clean
