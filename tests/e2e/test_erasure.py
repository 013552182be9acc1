"""A patient's number that was erased, while the topics still hold it."""

from pathlib import Path

from tests.harness.deployment import PAID, SUBMITTED, Deployment
from tests.harness.kafka import commit, dead_letters, end_offsets, publish
from tests.harness.messages import message, simulated
from tests.harness.process import DRAIN, ServiceProcess, command
from tests.harness.rows import connected
from tests.integration.repositories.examples import paid, submitted
from tests.integration.service.command_line import claim_analytics

NUMBER = "987654321"


async def test_events_that_are_read_again_are_duplicates_and_bring_no_number_back(
    deployment: Deployment, tmp_path: Path
) -> None:
    seen = [submitted(patient_phn=NUMBER), paid(patient_phn=NUMBER)]
    messages = [message(deployment, spec) for spec in seen] + simulated(deployment, 50).messages
    await publish(deployment, messages)
    await command(deployment, *DRAIN)
    assert await _rows_with_the_number(deployment) == 3
    erase = ("erase", "patient", "--yes")
    erased = claim_analytics(
        tmp_path, *erase, environment=deployment.environment, said=f"{NUMBER}\n"
    )
    assert erased.code == 0
    await _read_again_from_the_beginning(deployment)
    with ServiceProcess(deployment, *DRAIN) as again:
        assert await again.ended() == 0
        assert again.count("duplicate") == len(messages)
    assert await _rows_with_the_number(deployment) == 0
    assert await dead_letters(deployment) == []
    assert "as recomputed" in await command(deployment, "verify")


async def _read_again_from_the_beginning(deployment: Deployment) -> None:
    for name in (SUBMITTED, PAID):
        zero = dict.fromkeys(await end_offsets(deployment, deployment.topic(name)), 0)
        await commit(deployment, deployment.group(name), zero)


async def _rows_with_the_number(deployment: Deployment) -> int:
    """Of claims and of their history."""
    async with connected(deployment) as connection:
        return int(
            await connection.fetchval(
                "SELECT (SELECT count(*) FROM claims AS t WHERE t::text LIKE $1)"
                " + (SELECT count(*) FROM claim_events AS t WHERE t::text LIKE $1)",
                f"%{NUMBER}%",
            )
        )
