"""What was erased, while the topics still hold it."""

from pathlib import Path

from tests.harness.deployment import Deployment
from tests.harness.kafka import all_end_offsets, commit, dead_letters, publish
from tests.harness.messages import message, simulated
from tests.harness.process import DRAIN, ServiceProcess, command
from tests.harness.rows import assert_tables_equal_oracle, connected
from tests.integration.repositories.examples import paid, submitted
from tests.integration.service.command_line import claim_analytics
from tests.strategies import to_plain

NUMBER = "987654321"
SURELY = ("--why", "asked for", "--yes")


async def test_events_that_are_read_again_bring_nothing_back_that_was_erased(
    deployment: Deployment, tmp_path: Path
) -> None:
    """A patient's number, and a provider: its events count as erased, all others as duplicates."""
    seen = [submitted(patient_phn=NUMBER), paid(patient_phn=NUMBER)]
    load = simulated(deployment, 50)
    messages = [message(deployment, spec) for spec in seen] + load.messages
    await publish(deployment, messages)
    await command(deployment, *DRAIN)
    assert await _rows_with(deployment, NUMBER) == 3
    provider = load.events[0]["data"]["provider_id"]
    for erase, said in ((["patient"], f"{NUMBER}\n"), (["provider", provider], "")):
        erased = claim_analytics(
            tmp_path, "erase", *erase, *SURELY, environment=deployment.environment, said=said
        )
        assert erased.code == 0, erased.words
    beginning = dict.fromkeys(await all_end_offsets(deployment), 0)
    await commit(deployment, deployment.group, beginning)
    others = [event for event in load.events if event["data"]["provider_id"] != provider]
    with ServiceProcess(deployment, *DRAIN) as again:
        assert await again.ended() == 0
        assert again.count("duplicate") == len(seen) + len(others)
        assert again.count("erased") == len(load.events) - len(others) > 0
    assert await _rows_with(deployment, NUMBER) == await _rows_with(deployment, provider) == 0
    assert await dead_letters(deployment) == []
    without_number = [submitted(patient_phn=None), paid(patient_phn=None)]
    await assert_tables_equal_oracle(deployment, [*others, *map(to_plain, without_number)])


async def _rows_with(deployment: Deployment, text: str) -> int:
    """Of claims, their history and providers."""
    async with connected(deployment) as connection:
        return int(
            await connection.fetchval(
                "SELECT (SELECT count(*) FROM claims AS t WHERE t::text LIKE $1)"
                " + (SELECT count(*) FROM claim_events AS t WHERE t::text LIKE $1)"
                " + (SELECT count(*) FROM providers AS t WHERE t::text LIKE $1)",
                f"%{text}%",
            )
        )
