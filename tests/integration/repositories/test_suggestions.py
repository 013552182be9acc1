"""Each event of the AI coach is stored once, whoever else is at work."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, NoReturn

import pytest
from asyncpg import Connection

from repositories.claims.batch import Merged
from repositories.erasure import erase_provider, lift_erasure
from repositories.errors import DatabaseRefused
from repositories.offsets import stored_offset
from repositories.postgres.database import Database
from repositories.suggestions.batch import (
    AppliedSuggestions,
    RefusedSuggestion,
    apply_suggestion_batch,
)
from repositories.suggestions.rows import SuggestionRow
from repositories.vocabulary import SuggestionEvent
from tests.integration.repositories.database_state import dump
from tests.integration.repositories.examples import TOPIC as OFFSETS_TOPIC
from tests.integration.repositories.examples import apply, next_offset, submitted, uuid_of
from tests.integration.repositories.ledger import counts
from tests.integration.repositories.suggestion_examples import (
    TOPIC,
    apply_suggestions,
    suggestion,
)
from tests.integration.repositories.waiting import transaction_of_another, until_waiting

P, Q = uuid_of("provider P"), uuid_of("provider Q")
LOCK_PROVIDER = "SELECT FROM providers WHERE provider_id = $1 FOR NO KEY UPDATE"
LOCK_OFFSETS = "LOCK TABLE consumer_offsets IN EXCLUSIVE MODE"
BLOCK_EVENT = """
    INSERT INTO ai_suggestions (event_id, suggestion_id, claim_id, provider_id, category, tier,
        event_type, created_at, created_day, occurred_at, source_topic, source_partition,
        source_offset)
    VALUES ($1, $1, $1, $1, '', 1, 'GENERATED', now(), '2024-10-15', now(), '', 0, 0)
"""

ANOTHER: dict[str, Any] = {
    "suggestion_id": uuid_of("another suggestion"),
    "claim_id": uuid_of("another claim"),
    "provider_id": Q,
    "rule_id": None,
    "rule_name": None,
    "category": "modifier",
    "tier": 2,
    "event_type": SuggestionEvent.DISMISSED,
    "revenue_impact": Decimal("12.51"),
    "created_at": datetime(2024, 10, 16, 3, 0, 1, tzinfo=UTC),
}


async def stored(observer: Connection) -> Sequence[SuggestionRow]:
    rows = await observer.fetch("SELECT * FROM ai_suggestions ORDER BY source_offset, event_id")
    return [SuggestionRow(**{name: row[name] for name in SuggestionRow._fields}) for row in rows]


def refused(*offsets: int) -> tuple[RefusedSuggestion, ...]:
    return tuple(RefusedSuggestion(TOPIC, 0, offset) for offset in offsets)


async def test_events_are_stored_as_they_came(database: Database, observer: Connection) -> None:
    sparse = suggestion("B", 1, "Q", rule_id=None, rule_name=None, revenue_impact=None)
    done = await apply_suggestions(database, suggestion(), sparse, offsets=[next_offset(2)])
    assert done == AppliedSuggestions(applied=2)
    assert await stored(observer) == [suggestion(), sparse]
    assert await stored_offset(database, "group", OFFSETS_TOPIC, 0) == 2
    providers = await observer.fetch("SELECT provider_id FROM providers")
    assert {row["provider_id"] for row in providers} == {P, Q}


async def test_an_empty_batch_stores_its_offsets(database: Database) -> None:
    assert await apply_suggestions(database, offsets=[next_offset(9)]) == AppliedSuggestions()
    assert await stored_offset(database, "group", OFFSETS_TOPIC, 0) == 9


async def test_a_repetition_changes_nothing(database: Database, observer: Connection) -> None:
    twins = [suggestion(), suggestion(offset=1, revenue_impact=Decimal("12.5"))]
    assert await apply_suggestions(database, *twins) == AppliedSuggestions(applied=1, duplicate=1)
    before = await dump(observer)
    again = [suggestion(offset=offset) for offset in (2, 3)]
    assert await apply_suggestions(database, *again) == AppliedSuggestions(duplicate=2)
    assert await dump(observer) == before


@pytest.mark.parametrize("batched", [True, False], ids=["one_batch", "two_batches"])
async def test_other_content_under_a_known_id_is_refused_and_the_first_stands(
    database: Database, observer: Connection, batched: bool
) -> None:
    first = suggestion()
    others = [
        suggestion(offset=offset)._replace(**{name: value})
        for offset, (name, value) in enumerate(ANOTHER.items(), start=1)
    ]
    if not batched:
        await apply_suggestions(database, first)
    batch = [first, *others] if batched else others
    assert await apply_suggestions(database, *batch) == AppliedSuggestions(
        applied=int(batched), refused=refused(*range(1, len(others) + 1))
    )
    assert await stored(observer) == [first]


async def test_its_own_record_is_never_in_conflict_with_an_event(
    database: Database, observer: Connection
) -> None:
    await apply_suggestions(database, suggestion())
    before = await dump(observer)
    again = await apply_suggestions(database, suggestion(tier=3), suggestion(offset=1, tier=3))
    assert again == AppliedSuggestions(decoded_differently=1, refused=refused(1))
    assert await dump(observer) == before


def test_every_field_of_the_content_is_compared_but_what_follows_from_it() -> None:
    derived = {"event_id", "created_day", "occurred_at"}
    sources = {name for name in SuggestionRow._fields if name.startswith("source_")}
    assert ANOTHER.keys() == set(SuggestionRow._fields) - derived - sources


async def test_a_repetition_is_one_whatever_day_its_decoder_finds(database: Database) -> None:
    """Newer time zone data may see the same moment on another day."""
    await apply_suggestions(database, suggestion())
    later = suggestion(created_day=date(2024, 10, 16))
    assert await apply_suggestions(database, later) == AppliedSuggestions(duplicate=1)


async def test_each_event_of_a_batch_is_counted_once(database: Database) -> None:
    await erase_provider_of(database, "E")
    await apply_suggestions(database, suggestion("known"))
    batch = [
        suggestion("known", 1),
        suggestion("known", 2, tier=3),
        suggestion("new", 3),
        suggestion("new", 4),
        suggestion("new", 5, tier=3),
        suggestion("erased", 6, "E"),
        suggestion("known", 7, "E"),
    ]
    assert await apply_suggestions(database, *batch) == AppliedSuggestions(
        applied=1, duplicate=2, refused=refused(2, 5), erased=2
    )


async def erase_provider_of(database: Database, provider: str) -> None:
    await apply_suggestions(database, suggestion("of the erased", provider=provider))
    assert await erase_provider(database, uuid_of(f"provider {provider}"), "asked for")


async def test_what_the_judge_raises_rolls_all_of_it_back(
    database: Database, observer: Connection
) -> None:
    await apply_suggestions(database, suggestion())
    before, seen = await dump(observer), []

    def judge(applied: AppliedSuggestions) -> NoReturn:
        seen.append(applied)
        raise OverflowError

    batch = [suggestion("B", 1), suggestion(offset=2, tier=3)]
    with pytest.raises(OverflowError):
        await apply_suggestion_batch(database, batch, [next_offset(3)], judge)
    assert [(it.applied, it.refused) for it in seen] == [(1, refused(2))]
    assert await dump(observer) == before


async def test_a_batch_that_fails_leaves_nothing(database: Database, observer: Connection) -> None:
    before = await dump(observer)
    batch = [suggestion(), suggestion("B", category="longer than a category may be" * 2)]
    with pytest.raises(DatabaseRefused):
        await apply_suggestions(database, *batch, offsets=[next_offset(8)])
    assert await dump(observer) == before


async def test_an_erased_providers_events_go_and_do_not_come_back(
    database: Database, observer: Connection
) -> None:
    await apply_suggestions(database, suggestion(), suggestion("B", 1, "Q"))
    await erase_provider(database, P, "asked for")
    assert await stored(observer) == [suggestion("B", 1, "Q")]
    before = await dump(observer)
    again = [suggestion(), suggestion("C", 2)]
    assert await apply_suggestions(database, *again) == AppliedSuggestions(erased=2)
    assert await dump(observer) == before
    await lift_erasure(database, P)
    assert await apply_suggestions(database, *again) == AppliedSuggestions(applied=2)


async def test_a_batch_under_way_leaves_nothing_of_a_provider_that_is_erased(
    migrated_url: str, database: Database, observer: Connection
) -> None:
    async with (
        asyncio.TaskGroup() as group,
        transaction_of_another(migrated_url, LOCK_OFFSETS),
    ):
        group.create_task(apply_suggestions(database, suggestion(), offsets=[next_offset(1)]))
        await until_waiting(observer, 1)
        group.create_task(erase_provider(database, P, "asked for"))
        await until_waiting(observer, 2)
    assert await stored(observer) == []
    assert await observer.fetchval("SELECT count(*) FROM providers") == 0


async def test_it_waits_for_a_batch_of_claims_of_its_provider_and_for_no_other(
    migrated_url: str, database: Database, observer: Connection
) -> None:
    await apply(database, submitted(), submitted("B", provider="Q"))
    async with (
        asyncio.TaskGroup() as group,
        transaction_of_another(migrated_url, LOCK_PROVIDER, P),
    ):
        claims = group.create_task(apply(database, submitted("C")))
        coach = group.create_task(apply_suggestions(database, suggestion()))
        await until_waiting(observer, 2)
        async with asyncio.timeout(10):
            of_another = await apply_suggestions(database, suggestion("B", 1, "Q"))
        assert of_another == AppliedSuggestions(applied=1)
    assert counts(claims.result()) == Merged(applied=1)
    assert coach.result() == AppliedSuggestions(applied=1)


@pytest.mark.parametrize("commit", [False, True], ids=["rolled_back", "committed"])
async def test_of_two_providers_that_bring_one_id_the_first_stands_and_the_other_is_refused(
    migrated_url: str, database: Database, observer: Connection, commit: bool
) -> None:
    """Each has the lock of its provider; a third, under way, has brought the id already."""
    async with asyncio.TaskGroup() as group:
        event_id = uuid_of("event A")
        async with transaction_of_another(migrated_url, BLOCK_EVENT, event_id, commit=commit):
            rivals = [
                group.create_task(apply_suggestions(database, suggestion("A", n, provider)))
                for n, provider in enumerate("PQ")
            ]
            await until_waiting(observer, 2)
    done = [rival.result() for rival in rivals]
    if commit:
        assert done == [AppliedSuggestions(refused=refused(n)) for n in range(2)]
    else:
        [winner] = [n for n, applied in enumerate(done) if applied.applied]
        assert done[1 - winner] == AppliedSuggestions(refused=refused(1 - winner))
        assert await stored(observer) == [suggestion("A", winner, "PQ"[winner])]


async def test_two_batches_with_the_same_events_in_other_orders_count_each_once(
    migrated_url: str, database: Database, observer: Connection
) -> None:
    """Providers and ids cross, so that each would wait for the other if they were not sorted."""
    rows = [suggestion(f"{n}", n, f"{n % 7}") for n in range(60)]
    orders: Any = (rows, rows[::-1])
    await observer.execute("INSERT INTO providers (provider_id) VALUES ($1)", uuid_of("provider 0"))
    async with (
        asyncio.TaskGroup() as group,
        transaction_of_another(migrated_url, LOCK_PROVIDER, uuid_of("provider 0")),
    ):
        both = [group.create_task(apply_suggestions(database, *order)) for order in orders]
        await until_waiting(observer, 2)
    done = sorted((task.result() for task in both), key=lambda applied: applied.duplicate)
    assert done == [AppliedSuggestions(applied=60), AppliedSuggestions(duplicate=60)]
    assert await stored(observer) == rows
