"""Dead letters of a service that is at fault, and of messages that are, sent back to their topics.

The service runs in the test's own process, with real servers and decoders that can be broken.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import RecordsToDelete

from consumers.topics.claims import CLAIMS
from repositories.claims.top_code_flush import flush_top_codes
from repositories.operations.letter_states import KnownLetter, LetterFilter, find_letters
from repositories.postgres.database import Database
from repositories.vocabulary import LetterState
from service.message_files import read_messages
from service.operations import redrive as redriving
from service.operations.redrive import (
    LOST,
    TAKEN_IN,
    TOO_OFTEN,
    forecast,
    message_of,
    redrive,
)
from service.parts import EVERY_SUBSCRIPTION
from service.topics import READ
from tests.harness.deployment import PAID, SUBMITTED, Deployment
from tests.harness.faults import Fault, consuming_with
from tests.harness.kafka import admin, all_end_offsets, commit, dead_letters, publish, read_topics
from tests.harness.messages import EXAMPLES, message, nonsense, simulated
from tests.harness.reports import deploy_reports
from tests.harness.rows import assert_tables_equal_oracle, connected
from tests.harness.waiting import until_async
from tests.integration.repositories.database_state import dump
from tests.integration.repositories.examples import paid, submitted

OPEN = LetterFilter(states=[LetterState.OPEN])


@pytest.fixture
async def database(postgres: str) -> AsyncIterator[Database]:
    database = Database(postgres)
    yield database
    await database.close()


async def letters(database: Database) -> Sequence[KnownLetter]:
    return await find_letters(database, LetterFilter(), 10_000)


async def until_states(database: Database, **expected: int) -> None:
    """Until so many letters are in these states, none in others, and all copies' places known."""

    async def reached() -> bool:
        found = await letters(database)
        states = Counter(letter.state.value for letter in found)
        return states == expected and all(letter.copy_offset is not None for letter in found)

    await until_async(reached, f"letters in these states: {expected}")


async def sent_back(
    deployment: Deployment, database: Database, *, again: bool = False
) -> dict[str, int]:
    counts: Counter[str] = Counter()
    await redrive(deployment.settings, database, OPEN, counts, again=again)
    return +counts


def untimed(tables: dict[str, list[tuple[object, ...]]]) -> dict[str, list[tuple[object, ...]]]:
    """Without the time of the offsets: a service at work may store the same ones again."""
    return tables | {"consumer_offsets": [row[:-1] for row in tables["consumer_offsets"]]}


async def test_what_is_mended_is_taken_in_and_what_is_not_is_open_again(
    deployment: Deployment, database: Database
) -> None:
    """Then the messages are read once more from the beginning, and no letter moves."""
    load, bad = simulated(deployment, 150), nonsense(deployment, 3)
    owing = len(load.of(deployment.topic(PAID)).messages)
    fault = Fault([PAID])
    async with consuming_with(deployment, fault, CLAIMS):
        await publish(deployment, [*load.messages, *bad])
        await _until_read(deployment, len(load.messages) + 3)
        await until_states(database, open=owing + 3)
        fault.lasts = False
        await flush_top_codes(database)  # which the service does by itself, at any moment
        async with connected(deployment) as observer:
            before = untimed(await dump(observer))
            would = Counter(
                [verdict.what async for verdict in forecast(deployment.settings, database, OPEN)]
            )
            assert untimed(await dump(observer)) == before
        assert would == {
            TAKEN_IN: owing,
            "would be dead again: not-cloudevent, headers: must have ce_specversion, or a"
            " content-type of application/cloudevents+json": 3,
        }
        assert await sent_back(deployment, database) == {"redriven": owing + 3}
        await until_states(database, resolved=owing, open=3)
        for redrives in (2, 3):
            assert await sent_back(deployment, database) == {"redriven": 3}
            await _until_redriven(database, redrives)
        assert await sent_back(deployment, database) == {TOO_OFTEN: 3}
        assert await sent_back(deployment, database, again=True) == {"redriven": 3}
        await _until_redriven(database, 4)
    await assert_tables_equal_oracle(deployment, load.events)
    # Each copy that died lies on the dead letter topic again, as the letter that it is.
    identities = Counter(map(_identity, await dead_letters(deployment)))
    assert sorted(identities.values()) == [1] * owing + [5] * 3
    at_the_end = await letters(database)
    await commit(deployment, deployment.group, dict.fromkeys(await all_end_offsets(deployment), 0))
    async with consuming_with(deployment, fault, CLAIMS):
        everything = len(await read_topics(deployment, deployment.topics))
        await _until_read(deployment, everything)
    assert [replace(one, copy_partition=None, copy_offset=None) for one in at_the_end] == [
        replace(one, copy_partition=None, copy_offset=None) for one in await letters(database)
    ]
    await assert_tables_equal_oracle(deployment, load.events)


async def test_a_letter_that_was_sent_back_twice_counts_once(
    deployment: Deployment, database: Database
) -> None:
    """As when a redrive is broken off before it has marked its letters, or two people do it."""
    events = [submitted("A"), paid("A")]
    fault = Fault([SUBMITTED, PAID])
    async with consuming_with(deployment, fault, CLAIMS):
        await publish(deployment, [message(deployment, event) for event in events])
        await until_states(database, open=2)
    fault.lasts = False
    for _ in range(2):
        assert await sent_back(deployment, database) == {"redriven": 2}
        async with connected(deployment) as observer:  # its copies are overdue: nobody reads
            await observer.execute(
                "UPDATE dead_letters SET state_since = state_since - interval '1 hour'"
            )
    async with consuming_with(deployment, fault, CLAIMS):
        await until_states(database, resolved=2)
        await _until_read(deployment, 6)
    assert [letter.redrives for letter in await letters(database)] == [2, 2]
    async with connected(deployment) as observer:
        assert await observer.fetchval("SELECT count(*) FROM claim_events") == 2


async def test_what_one_of_two_redrives_at_once_has_sent_the_other_leaves(
    deployment: Deployment, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redriving, "CHUNK", 10)
    async with consuming_with(deployment, Fault([]), CLAIMS):
        await publish(deployment, nonsense(deployment, 40))
        await until_states(database, open=40)
    both = await asyncio.gather(*[sent_back(deployment, database) for _ in range(2)])
    assert sum(counts.get("redriven", 0) for counts in both) == 40
    assert {letter.redrives for letter in await letters(database)} == {1}
    assert sum((await all_end_offsets(deployment)).values()) == 80


async def test_originals_that_are_read_again_and_can_be_used_need_no_redrive(
    deployment: Deployment, database: Database
) -> None:
    """As after a reset of offsets to before the fault."""
    load, bad = simulated(deployment, 60), nonsense(deployment, 2)
    fault = Fault([PAID])
    async with consuming_with(deployment, fault, CLAIMS):
        await publish(deployment, [*load.messages, *bad])
        await _until_read(deployment, len(load.messages) + 2)
    before = {letter.letter_id: letter for letter in await letters(database)}
    assert len(before) == len(load.of(deployment.topic(PAID)).messages) + 2
    fault.lasts = False
    beginning = dict.fromkeys(await all_end_offsets(deployment), 0)
    await commit(deployment, deployment.group, beginning)
    async with consuming_with(deployment, fault, CLAIMS):
        await until_states(database, resolved=len(before) - 2, open=2)
    for letter in await letters(database):
        if letter.state is LetterState.OPEN:
            assert letter.state_since == before[letter.letter_id].state_since
    await assert_tables_equal_oracle(deployment, load.events)


async def test_a_message_that_the_database_refuses_is_forecast_and_keeps_its_letter(
    deployment: Deployment, database: Database
) -> None:
    first, other = submitted("A"), submitted("A", submitted_fee="1")
    async with consuming_with(deployment, Fault([]), CLAIMS):
        await publish(deployment, [message(deployment, first)])
        await _until_read(deployment, 1)
        await publish(deployment, [message(deployment, other)])
        await until_states(database, open=1)
        [verdict] = [each async for each in forecast(deployment.settings, database, OPEN)]
        assert "dead again: version-conflict, claim_version: " in verdict.what
        assert await sent_back(deployment, database) == {"redriven": 1}
        await _until_redriven(database, 1)
    [letter] = await letters(database)
    assert (letter.reason, letter.state) == ("version-conflict", "open")
    assert str(letter.claim_id) == first.data["claim_id"]


async def test_letters_of_every_topic_find_their_way_back(
    kafka: str, postgres: str, database: Database, tmp_path: Path
) -> None:
    deployment = await deploy_reports(kafka, postgres, tmp_path / "store")
    messages = [
        read_messages(EXAMPLES / "accepted" / f"{name}.jsonl", deployment.settings)[0]
        for name in READ
    ]
    fault = Fault(READ)
    async with consuming_with(deployment, fault, *EVERY_SUBSCRIPTION):
        await publish(deployment, messages)
        await until_states(database, open=len(READ))
        found = {letter.letter_id.topic: letter for letter in await letters(database)}
        assert found.keys() == {deployment.topic(name) for name in READ}
        assert all(letter.provider_id for letter in found.values())
        assert found[deployment.topic(PAID)].claim_id
        assert found[deployment.topic("report-request")].report_id
        fault.lasts = False
        assert await sent_back(deployment, database) == {"redriven": len(READ)}
        await until_states(database, resolved=len(READ))
    async with connected(deployment) as observer:
        tables = ("ai_suggestions", "generated_reports", "report_jobs")
        counted = [await observer.fetchval(f"SELECT count(*) FROM {name}") for name in tables]
        assert counted == [1, 1, 1]
        known = "SELECT count(*) FROM providers WHERE provider_version IS NOT NULL"
        assert await observer.fetchval(known) == 1


async def test_a_message_is_looked_for_in_both_topics_before_it_is_lost(
    deployment: Deployment, database: Database
) -> None:
    topic = deployment.topic(SUBMITTED)
    copies = topic + deployment.settings.topic_dlq_suffix
    bad = [
        replace(each, key=b"%d" % n, headers=[("x", b"\xff")])
        for n, each in enumerate(nonsense(deployment, 12))
    ]
    async with consuming_with(deployment, Fault([]), CLAIMS):
        await publish(deployment, bad)
        await until_states(database, open=12)
    found = await letters(database)
    for letter in found[:3]:
        original = await message_of(deployment.settings, letter)
        assert original
        assert (original.key, original.value) in {(each.key, each.value) for each in bad}
        assert list(original.headers) == [("x", b"\xff")]
    async with admin(deployment) as client:
        # The source loses two partitions, and the dead letter topic everything.
        gone = {TopicPartition(topic, n): RecordsToDelete(-1) for n in (0, 1)}
        await client.delete_records(gone)
        assert all([await message_of(deployment.settings, letter) for letter in found[::5]])
        await client.delete_records(
            {TopicPartition(copies, n): RecordsToDelete(-1) for n in range(3)}
        )
    lost = sum(letter.letter_id.partition in (0, 1) for letter in found)
    assert 0 < lost < 12
    verdicts = [each.what async for each in forecast(deployment.settings, database, OPEN)]
    assert verdicts.count(LOST) == lost
    assert await sent_back(deployment, database) == {"redriven": 12 - lost, "lost": lost}
    states = Counter(letter.state for letter in await letters(database))
    assert states == {LetterState.LOST: lost, LetterState.REDRIVEN: 12 - lost}


async def _until_redriven(database: Database, times: int) -> None:
    """Until every letter that is not resolved is open after so many redrives."""

    async def reached() -> bool:
        waiting = [each for each in await letters(database) if each.state != LetterState.RESOLVED]
        return all((each.state, each.redrives) == (LetterState.OPEN, times) for each in waiting)

    await until_async(reached, f"{times} redrives of every open letter")


async def _until_read(deployment: Deployment, messages: int) -> None:
    """Until the stored offsets are behind so many messages."""

    async def reached() -> bool:
        async with connected(deployment) as observer:
            read = await observer.fetchval("SELECT sum(next_offset) FROM consumer_offsets")
        return bool(read == messages)

    await until_async(reached, f"{messages} messages read")


def _identity(letter: Any) -> tuple[bytes, ...]:
    added = dict(letter.headers)
    return tuple(added[f"dlq-{name}"] for name in ("topic", "partition", "offset", "timestamp"))
