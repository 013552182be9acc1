"""Receipts of claims: applied, overtaken, delivered twice, dead, read in vain, not read yet."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest

from repositories.postgres.database import Database
from service.operations.receipt import Answer, Receipt, receipt
from service.settings.topics import setting_of
from tests.harness.deployment import PAID, Deployment, deploy
from tests.harness.kafka import all_end_offsets, publish
from tests.harness.messages import message, nonsense
from tests.harness.process import consuming
from tests.harness.rows import all_applied, connected, stored_offsets
from tests.harness.waiting import until_async
from tests.integration.repositories.examples import paid, saved, submitted, uuid_of, withdrawn
from tests.integration.service.command_line import NOBODY_LISTENS, claim_analytics
from tests.strategies import EventSpec, to_plain

PHN = "123456789"  # of the examples


@pytest.fixture
async def deployment(kafka: str, postgres: str) -> Deployment:
    return await deploy(kafka, postgres)


@pytest.fixture
async def database(deployment: Deployment) -> AsyncIterator[Database]:
    database = Database(deployment.database_url)
    yield database
    await database.close()


async def send(deployment: Deployment, *events: EventSpec) -> None:
    await publish(deployment, [message(deployment, event) for event in events])


async def read(deployment: Deployment, *events: EventSpec) -> None:
    """Let the service take them in, and be done with all that the topics hold."""
    ends = {where: end for where, end in (await all_end_offsets(deployment)).items() if end}

    async def done() -> bool:
        stored = await stored_offsets(deployment, deployment.group)
        return all(stored.get(where) == end for where, end in ends.items())

    async with consuming(deployment.having(claim_lanes=1)):
        await all_applied(deployment, map(to_plain, events))
        await until_async(done, "the end of the topics")


async def ask(
    deployment: Deployment,
    database: Database,
    claim: str,
    version: int | None = None,
    at: datetime | None = None,
) -> Receipt:
    return await receipt(deployment.settings, database, uuid_of(f"claim {claim}"), version, at)


async def test_each_version_of_a_claim_says_what_became_of_it(
    deployment: Deployment, database: Database, tmp_path: Path
) -> None:
    """Submitted and paid; paid before it was submitted, and both twice; a draft; taken back."""
    first = [submitted("A"), paid("B", 3), saved("C"), submitted("D")]
    second = [paid("A", 2), submitted("B", 2), withdrawn("D", 2)]
    await send(deployment, *first)
    await read(deployment, *first)
    await send(deployment, *first, *second)  # some again: duplicates
    await read(deployment, *first, *second)
    # No Kafka is needed for what is known.
    away = deployment.having(kafka_bootstrap_servers=NOBODY_LISTENS)

    a = await ask(away, database, "A")
    assert (a.answer, a.claim.counting_version) == (Answer.YES, 2)
    assert [(e.claim_version, e.state) for e in a.claim.events] == [(1, "SUBMITTED"), (2, "PAID")]
    assert a.claim.events[1].source_topic == deployment.topic(PAID)
    revenue = [row for row in a.claim.rows if row.metric_key == "revenue_monthly"]
    assert [row.claim_value for row in revenue] == [{"count": 1, "amount": "40.00"}] * 2
    assert [row.row_value for row in revenue] == [{"count": 2, "amount": "80.00"}] * 2
    assert not [row for row in a.claim.rows if row.row_value is None]
    assert (await ask(away, database, "A", 1)).answer is Answer.OVERTAKEN
    assert (await ask(away, database, "D")).claim.rows == []

    said = json.loads(_run(away, tmp_path, "B", "--json")[1])
    assert [event["became"] for event in said["events"]] == [
        "stale: came after version 3",
        "counts",
    ]
    code, shown = _run(away, tmp_path, "A")
    assert code == 0
    assert shown.startswith(f"yes. Claim {uuid_of('claim A')}: version 2 makes it what it is now.")
    assert "overtaken by version 2" in shown
    assert PHN not in shown
    assert [line for line in shown.splitlines()[2:] if len(line) > 80] == []


async def test_an_unknown_claim_was_not_counted_once_all_was_read_and_not_yet_before(
    deployment: Deployment, database: Database, tmp_path: Path
) -> None:
    await send(deployment, submitted("A"))
    await read(deployment, submitted("A"))
    read_by = datetime.now(UTC)
    assert (await ask(deployment, database, "unknown")).answer is Answer.NO
    await send(deployment, paid("B"), *[paid("A")] * 2)
    late = await ask(deployment, database, "B")
    assert late.answer is Answer.NOT_YET
    [behind] = late.behind
    assert (behind.topic, behind.messages) == (deployment.topic(PAID), 3)
    assert (await ask(deployment, database, "A", 2)).answer is Answer.NOT_YET
    # What was published by then was read.
    assert (await ask(deployment, database, "B", at=read_by)).answer is Answer.NO
    assert (await ask(deployment, database, "B", at=datetime.now(UTC))).answer is Answer.NOT_YET

    code, shown = _run(deployment, tmp_path, "B")
    assert code == 7
    assert f"not read: {deployment.topic(PAID)} {behind.partition}, 3 messages at most" in shown
    code, shown = _run(deployment, tmp_path, "B", "--at", read_by.isoformat())
    assert (code, shown.startswith("no. ")) == (5, True)
    assert _run(deployment, tmp_path, "B", "--at", "2100-01-01T00:00:00Z")[0] == 2


async def test_a_letter_that_names_the_claim_says_that_it_is_dead(
    deployment: Deployment, database: Database, tmp_path: Path
) -> None:
    """And one that names none may be about any claim."""
    await publish(deployment, nonsense(deployment, 1))
    await send(deployment, submitted("dead", submitted_fee="much"))
    await read(deployment)
    dead = await ask(deployment, database, "dead")
    assert dead.answer is Answer.DEAD
    [letter] = dead.claim.letters
    assert letter.reason == "invalid-field"
    assert (await ask(deployment, database, "dead", 1)).answer is Answer.DEAD
    other = await ask(deployment, database, "other")
    assert (other.answer, other.unnamed_letters) == (Answer.NO, 1)
    code, shown = _run(deployment, tmp_path, "dead")
    assert code == 5
    assert "Dead letter (open): invalid-field, submitted_fee" in shown
    # What was resolved says nothing against the claim.
    async with connected(deployment) as connection:
        await connection.execute("UPDATE dead_letters SET state = 'resolved'")
    assert (await ask(deployment, database, "dead")).answer is Answer.NO


async def test_a_topic_that_is_missing_holds_nothing_and_is_named(
    deployment: Deployment, database: Database
) -> None:
    missing = deployment.having(**{setting_of(PAID): "not-there"})
    await send(deployment, submitted("A"))
    await read(deployment, submitted("A"))
    found = await ask(missing, database, "unknown")
    assert (found.answer, found.missing) == (Answer.NO, ["not-there"])


def _run(deployment: Deployment, folder: Path, claim: str, *options: str) -> tuple[int, str]:
    claim_id: UUID = uuid_of(f"claim {claim}")
    environment = deployment.environment | {"COLUMNS": "80"}
    done = claim_analytics(folder, "receipt", str(claim_id), *options, environment=environment)
    return done.code, done.output
