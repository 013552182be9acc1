"""Dead letters' rows: when one is written, and what moves it."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from asyncpg import Connection

from repositories.claims.batch import Merged, apply_claim_batch
from repositories.erasure import erase_provider
from repositories.operations.letter_states import (
    REDRIVEN_MINUTES,
    KnownLetter,
    LetterFilter,
    find_letters,
    grouped_letters,
    mark_lost,
    mark_redriven,
    park_letters,
)
from repositories.operations.letters import (
    BatchLetters,
    Copied,
    Letter,
    LetterId,
    Span,
    highest_unresolved,
    store_copies,
)
from repositories.postgres.database import Database
from repositories.tombstones import ERASURE_LOCK
from repositories.vocabulary import ErasedKind, LetterState
from tests.integration.repositories.database_state import dump
from tests.integration.repositories.examples import (
    TOPIC,
    apply,
    next_offset,
    rows,
    submitted,
    uuid_of,
)
from tests.integration.repositories.waiting import transaction_of_another, until_waiting

NOW = 1_768_581_001_250
DETAIL = "value: must be JSON"
P = uuid_of("provider P")
LOCK_ERASURES = f"SELECT pg_advisory_xact_lock({ERASURE_LOCK})"
TOMBSTONE = (
    "INSERT INTO erasures (id_hash, kind, why)"
    " SELECT sha256(hash_key || uuid_send($1)), $2, 'asked' FROM erasure_keys"
)


def place(offset: int, timestamp: int = NOW) -> LetterId:
    return LetterId.of(TOPIC, 0, offset, timestamp)


def letter(offset: int, **changed: Any) -> Letter:
    usual: dict[str, Any] = {
        "reason": "not-json",
        "detail": "value: must be JSON",
        "group": "group",
    }
    return Letter(place(offset), **{**usual, **changed})


def read(*offsets: int, timestamp: int = NOW, **others: Any) -> BatchLetters:
    """What a batch of messages at these offsets has to do with letters."""
    span = Span(TOPIC, 0, offsets, [timestamp] * len(offsets))
    return BatchLetters(**{"read": [span], **others})


async def take(database: Database, letters: BatchLetters) -> None:
    """A batch that holds nothing but letters, or messages that change nothing."""
    await apply_claim_batch(database, [], [next_offset(9)], letters=letters)


async def dead(database: Database, *letters: Letter) -> None:
    await take(database, read(*(each.letter_id.offset for each in letters), dead=letters))


async def known(database: Database, **rules: Any) -> Sequence[KnownLetter]:
    return await find_letters(database, LetterFilter(**rules), 100)


async def states(database: Database) -> dict[int, str]:
    return {each.letter_id.offset: each.state.value for each in await known(database)}


async def test_a_batch_of_nothing_else_writes_its_letters_once(
    database: Database, observer: Connection
) -> None:
    ids = {"provider_id": P, "claim_id": uuid_of("claim"), "report_id": uuid_of("report")}
    await dead(database, letter(2, **ids), letter(1), letter(7))
    before = await dump(observer)
    await dead(database, letter(1, detail="another"), letter(2), letter(7))
    after = await dump(observer)
    assert after["dead_letters"] == before["dead_letters"]
    first, second, _ = await known(database)
    assert (first.letter_id, first.detail, first.claim_id) == (
        place(1),
        "value: must be JSON",
        None,
    )
    assert {name: getattr(second, name) for name in ids} == ids
    assert await states(database) == {1: "open", 2: "open", 7: "open"}


async def test_of_what_is_refused_the_letters_are_in_the_transaction(
    database: Database, observer: Connection
) -> None:
    events = rows([submitted("A"), submitted("A", provider="Q"), submitted("B")])

    def judge(merged: Merged) -> Sequence[Letter]:
        [refused] = merged.refused
        named = {"claim_id": refused.claim_id, "provider_id": refused.provider_id}
        return [letter(refused.offset, **named)]

    def stop(merged: Merged) -> Sequence[Letter]:
        raise OverflowError

    before = await dump(observer)
    with pytest.raises(OverflowError):
        await apply_claim_batch(database, events, [], stop, read(0, 1, 2, 3, dead=[letter(3)]))
    assert await dump(observer) == before
    await apply_claim_batch(database, events, [], judge, read(0, 1, 2, 3, dead=[letter(3)]))
    refused, undecoded = await known(database)
    assert (refused.letter_id, undecoded.letter_id) == (place(1), place(3))
    assert (refused.claim_id, refused.provider_id) == (uuid_of("claim A"), uuid_of("provider Q"))


async def test_an_original_that_can_be_used_now_resolves_its_own_letter_alone(
    database: Database,
) -> None:
    await dead(database, *map(letter, range(5)))
    await park_letters(database, LetterFilter(place=(TOPIC, 0, 4)), lift=False)
    await take(database, read(1, 3, 4, dead=[letter(3)]))
    assert await states(database) == {0: "open", 1: "resolved", 2: "open", 3: "open", 4: "resolved"}


async def test_a_message_of_a_topic_that_was_created_anew_is_another(database: Database) -> None:
    await dead(database, letter(1))
    await take(database, read(1, timestamp=NOW + 1))
    assert await states(database) == {1: "open"}


async def test_a_copy_resolves_the_letter_that_it_names_or_opens_it_again(
    database: Database,
) -> None:
    await dead(database, *map(letter, range(3)))
    await mark_redriven(database, await known(database))
    await park_letters(database, LetterFilter(place=(TOPIC, 0, 2)), lift=False)
    copies = {(TOPIC, 1, 50 + n): place(n) for n in range(4)}
    died = [letter(n, detail="of today", is_copy=True) for n in (1, 2, 3)]
    span = Span(TOPIC, 1, range(50, 54), [NOW + 9] * 4)
    await take(database, BatchLetters(dead=died, copies=copies, read=[span]))
    letters = await known(database)
    assert [each.state for each in letters] == ["resolved", "open", "parked", "open"]
    assert [each.redrives for each in letters] == [1, 1, 1, 1]  # the last one's row was gone
    assert [each.detail for each in letters][1:] == ["of today", DETAIL, "of today"]


async def test_a_redrive_marks_no_letter_that_its_copy_has_moved_already(
    database: Database,
) -> None:
    await dead(database, *map(letter, range(4)))
    found = await known(database)
    copies = {(TOPIC, 1, 50): place(0), (TOPIC, 1, 51): place(1)}
    died = [letter(1, is_copy=True)]
    span = Span(TOPIC, 1, [50, 51], [NOW] * 2)
    await take(database, BatchLetters(dead=died, copies=copies, read=[span]))
    await mark_redriven(database, found[:3])
    await mark_lost(database, [found[0], found[3]])
    letters = await known(database)
    assert [each.state for each in letters] == ["resolved", "open", "redriven", "lost"]
    assert [each.redrives for each in letters] == [1, 1, 1, 0]


async def test_a_copy_of_which_nothing_is_heard_counts_as_open(
    database: Database, observer: Connection
) -> None:
    await dead(database, letter(1), letter(2))
    await mark_redriven(database, await known(database))
    await observer.execute(
        "UPDATE dead_letters SET state_since = state_since - $1::interval WHERE source_offset = 1",
        timedelta(minutes=REDRIVEN_MINUTES, seconds=1),
    )
    assert await states(database) == {1: "open", 2: "redriven"}
    assert [each.letter_id for each in await known(database, states=[LetterState.OPEN])] == [
        place(1)
    ]
    groups = await grouped_letters(database, LetterFilter())
    assert {(group.state, group.letters) for group in groups} == {("open", 1), ("redriven", 1)}


async def test_parked_letters_are_opened_again_and_others_are_left_alone(
    database: Database,
) -> None:
    await dead(database, letter(1), letter(2, reason="not-cloudevent"))
    assert await park_letters(database, LetterFilter(reasons=["not-json"]), lift=False) == 1
    await take(database, read(2))
    assert await park_letters(database, LetterFilter(), lift=False) == 0
    assert await states(database) == {1: "parked", 2: "resolved"}
    assert await park_letters(database, LetterFilter(), lift=True) == 1
    assert await states(database) == {1: "open", 2: "resolved"}


async def test_where_messages_lie_on_the_dead_letter_topic_is_kept(database: Database) -> None:
    await dead(database, letter(1), letter(2))
    gone = Copied(place(8), 0, 99)
    await store_copies(database, [Copied(place(2), 2, 20), gone, Copied(place(1), 1, 10)])
    await store_copies(database, [Copied(place(1), 1, 11)])
    letters = await known(database)
    assert [(each.copy_partition, each.copy_offset) for each in letters] == [(1, 11), (2, 20)]


@pytest.mark.parametrize("timestamp", [-1, 0, 2**63 - 1])
async def test_any_timestamp_of_a_publisher_names_a_letter(
    database: Database, timestamp: int
) -> None:
    named = LetterId.of(TOPIC, 0, 1, timestamp)
    made = Letter(named, "not-json", "detail", "group")
    await take(database, read(1, timestamp=timestamp, dead=[made]))
    assert [each.letter_id for each in await known(database)] == [named]
    await take(database, read(1, timestamp=timestamp))
    assert await states(database) == {1: "resolved"}


async def test_a_letter_of_a_provider_whose_erasure_is_under_way_waits_and_is_not_written(
    migrated_url: str, database: Database, observer: Connection
) -> None:
    await observer.execute("INSERT INTO erasure_keys VALUES (decode(repeat('ab', 32), 'hex'))")
    kind = ErasedKind.PROVIDER.value
    async with (
        asyncio.TaskGroup() as group,
        transaction_of_another(migrated_url, LOCK_ERASURES, commit=True),
    ):
        group.create_task(dead(database, letter(1, provider_id=P), letter(2)))
        await until_waiting(observer, 1)
        await observer.execute(TOMBSTONE, P, kind)
    assert await states(database) == {2: "open"}


async def test_with_a_provider_go_its_letters_and_those_that_name_its_claims(
    database: Database,
) -> None:
    await apply(database, submitted("A"), submitted("B", provider="Q"))
    await dead(
        database,
        letter(1, provider_id=P),
        letter(2, claim_id=uuid_of("claim A"), provider_id=uuid_of("provider Q")),
        letter(3, claim_id=uuid_of("claim B")),
        letter(4),
    )
    await erase_provider(database, P, "asked")
    assert await states(database) == {3: "open", 4: "open"}


async def test_letters_are_looked_for_only_where_there_can_be_some(database: Database) -> None:
    await dead(database, letter(1), letter(5), letter(7))
    await take(database, read(7))
    at = (TOPIC, 0)
    known_until = await highest_unresolved(database, [at, ("another", 0)])
    assert known_until == {at: 5}
    await take(database, read(1, known_until={}))
    assert await states(database) == {1: "open", 5: "open", 7: "resolved"}
    await take(database, read(1, 2, known_until=known_until))
    await take(database, read(5, 6, known_until=known_until))
    assert set((await states(database)).values()) == {"resolved"}


async def test_two_sessions_that_move_the_same_letters_wait_and_do_not_deadlock(
    database: Database,
) -> None:
    await dead(database, *map(letter, range(50)))
    found = await known(database)
    copies = {(TOPIC, 1, n): place(n) for n in range(50)}
    span = Span(TOPIC, 1, range(50), [NOW] * 50)
    async with asyncio.TaskGroup() as group:
        for _ in range(4):
            group.create_task(mark_redriven(database, found[::-1]))
            group.create_task(take(database, BatchLetters(copies=copies, read=[span])))
            group.create_task(store_copies(database, [Copied(place(n), 0, n) for n in range(50)]))
    assert set((await states(database)).values()) == {"resolved"}
