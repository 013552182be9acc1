"""`claim-analytics replay` as a person runs it."""

import json
from pathlib import Path
from uuid import uuid4

from aiokafka import TopicPartition
from aiokafka.admin import RecordsToDelete

from service.cli.common import Exit
from tests.harness.deployment import PAID, SUBMITTED, Deployment
from tests.harness.kafka import admin, all_end_offsets, committed, publish
from tests.harness.messages import message, nonsense, simulated
from tests.harness.process import ServiceProcess
from tests.harness.rows import connected, stored_offsets
from tests.harness.waiting import until_async
from tests.integration.repositories.examples import paid
from tests.integration.service.command_line import Finished, claim_analytics
from tests.integration.service.operations.replaying import all_rows, consumed

WHY = ("--why", "a test")


async def test_a_range_that_is_not_there_or_makes_no_sense_changes_nothing(
    deployment: Deployment, tmp_path: Path
) -> None:
    topic = deployment.topic(PAID)
    await publish(deployment, [message(deployment, paid(version=n)) for n in range(1, 5)])
    await consumed(deployment)
    [(_, partition)] = [at for at, end in (await all_end_offsets(deployment)).items() if end]
    async with admin(deployment) as client:
        await client.delete_records({TopicPartition(topic, partition): RecordsToDelete(2)})
    before = await all_rows(deployment)

    def replay(*arguments: str) -> Finished:
        return claim_analytics(
            tmp_path, "replay", *arguments, *WHY, environment=deployment.environment
        )

    of_topic = ("--topic", "claim-paid")
    cases: list[tuple[tuple[str, ...], Exit, str]] = [
        (("--from", "2026-01-01"), Exit.USAGE, "has no offset from UTC"),
        (("--provider", str(uuid4())), Exit.NOT_FOUND, "No such provider is known"),
        (
            (*of_topic, "--from", f"{partition}:1"),
            Exit.NOT_FOUND,
            f"What is left: {topic}-{partition} from offset 2",
        ),
        (
            (*of_topic, "--from", f"{partition}:9"),
            Exit.NOT_FOUND,
            "has no offset 9 yet: the next message will have offset 4",
        ),
    ]
    for arguments, code, says in cases:
        failed = replay(*arguments)
        assert failed.code == code, failed.words
        assert says in failed.words
    assert await all_rows(deployment) == before
    done = replay(*of_topic, "--from", f"{partition}:0", "--whatever-is-left", "--json")
    assert done.code == 0, done.words
    found = json.loads(done.output)["topics"][topic]
    assert (found["read"], found["already_applied"], found["timestamps"]) == (2, 2, "the log")


async def test_it_moves_no_offset_and_leaves_a_row_of_what_it_did(
    deployment: Deployment, tmp_path: Path
) -> None:
    await publish(deployment, [*simulated(deployment, 60).messages, *nonsense(deployment, 2)])
    await consumed(deployment)
    offsets = await _offsets(deployment)
    done = claim_analytics(tmp_path, "replay", *WHY, environment=deployment.environment)
    assert done.code == 0, done.words
    assert "Reads up to 62 messages" in done.errors
    assert f"dead in {deployment.topic(SUBMITTED)}: 2 not-cloudevent" in done.output
    assert await _offsets(deployment) == offsets
    [action] = await _actions(deployment)
    assert (action["command"], action["why"], action["outcome"]) == ("replay", "a test", "done")
    assert sum(its["read"] for its in json.loads(action["counts"]).values()) == 62


async def test_ctrl_c_shows_what_was_done_and_closes_the_row(deployment: Deployment) -> None:
    await publish(deployment, simulated(deployment, 700).messages)
    await consumed(deployment)
    with ServiceProcess(deployment, "replay", "--rate", "100", *WHY) as process:
        await until_async(lambda: _actions(deployment), "the row of its action")
        process.interrupt()
        assert await process.ended() == 130
        assert "Broken off. What is shown is done" in process.output()
    [action] = await _actions(deployment)
    assert action["outcome"] == "broken off"
    assert 0 <= sum(its["read"] for its in json.loads(action["counts"]).values()) < 700


async def _offsets(deployment: Deployment) -> tuple[object, object]:
    kept = await stored_offsets(deployment, deployment.group)
    return await committed(deployment, deployment.group), kept


async def _actions(deployment: Deployment) -> list[dict[str, str]]:
    async with connected(deployment) as connection:
        rows = await connection.fetch("SELECT * FROM operator_actions")
    return [dict(row) for row in rows]
