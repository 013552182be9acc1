"""Each command as a process, with a real Kafka and a real PostgreSQL."""

import json
from pathlib import Path

import pytest

from repositories.vocabulary import MetricKey
from tests.harness.deployment import Deployment, plan_deployment
from tests.harness.process import ServiceProcess
from tests.integration.service.command_line import NOBODY_LISTENS, Finished, claim_analytics
from tests.servers import execute

EXAMPLES = Path(__file__).parents[3] / "docs" / "contracts" / "examples"


@pytest.fixture
def planned(kafka: str, postgres: str) -> Deployment:
    """An empty database, and topics that are not there yet."""
    return plan_deployment(kafka, postgres)


class Commands:
    """Commands of one deployment."""

    def __init__(self, deployment: Deployment, folder: Path) -> None:
        self.deployment = deployment
        self._folder = folder

    def __call__(self, *arguments: str | Path, **variables: str) -> Finished:
        environment = self.deployment.environment | variables
        return claim_analytics(self._folder, *arguments, environment=environment)

    def succeed(self, *arguments: str | Path) -> Finished:
        done = self(*arguments)
        assert done.code == 0, done.errors
        return done


@pytest.fixture
def commands(planned: Deployment, tmp_path: Path) -> Commands:
    return Commands(planned, tmp_path)


@pytest.fixture
def ready(commands: Commands) -> Commands:
    """With schema and topics."""
    commands.succeed("migrate")
    commands.succeed("topics")
    return commands


def test_migrating_again_changes_nothing_and_says_where_the_schema_is(commands: Commands) -> None:
    first, second = commands.succeed("migrate"), commands.succeed("migrate")
    assert first.output == second.output
    assert "The schema is at revision " in second.output
    assert "Running upgrade" in first.errors
    assert "Running upgrade" not in second.errors


def test_topics_are_created_once_each_with_its_dead_letter_topic(commands: Commands) -> None:
    created = commands.succeed("topics").output.splitlines()
    for topic in commands.deployment.topics:
        assert f"created {topic}" in created
        assert f"created {topic}.dlq" in created
    assert commands.succeed("topics").output == "All topics exist.\n"


def test_verify_before_migrate_says_what_to_do(commands: Commands) -> None:
    failed = commands("verify")
    assert failed.code == 1
    assert "claim-analytics migrate" in failed.errors


@pytest.mark.parametrize("drain", [(), ("--drain",)])
def test_run_before_topics_says_what_to_do(drain: tuple[str, ...], commands: Commands) -> None:
    commands.succeed("migrate")
    failed = commands("run", *drain)
    assert failed.code in {3, 4}  # the topics are missed by the drain, or by a consumer
    assert "claim-analytics topics" in failed.errors


def test_run_before_migrate_says_what_to_do(commands: Commands) -> None:
    commands.succeed("topics")
    failed = commands("run")
    assert failed.code == 1
    assert "claim-analytics migrate" in failed.errors


def test_a_login_that_is_refused_names_the_setting(planned: Deployment, tmp_path: Path) -> None:
    stranger = planned.having(database_url=planned.database_url.replace("://", "://stranger-", 1))
    failed = claim_analytics(tmp_path, "verify", environment=stranger.environment)
    assert failed.code == 1
    assert "CLAIM_ANALYTICS_DATABASE_URL" in failed.errors


def test_example_files_end_in_rows_or_in_the_dead_letter_topics(ready: Commands) -> None:
    for name in ("claim-submitted", "claim-paid"):
        file = EXAMPLES / "accepted" / f"{name}.jsonl"
        said = ready.succeed("publish", file).output
        assert said == f"published {len(file.read_text().splitlines())} messages\n"
    bad = EXAMPLES / "rejected" / "invalid-field.jsonl"
    ready.succeed("publish", bad)
    drained = ready.succeed("run", "--drain")

    found = json.loads(ready.succeed("verify", "--json").output)
    assert found["clean"]
    assert found["events"] > 0
    assert drained.count("dead_lettered") == len(bad.read_text().splitlines())


def test_verify_lists_what_differs_and_repairs_nothing(ready: Commands) -> None:
    ready.succeed("publish", EXAMPLES / "accepted" / "claim-paid.jsonl")
    ready.succeed("run", "--drain")
    execute(
        ready.deployment.database_url,
        f"DELETE FROM analytics_cache WHERE metric_key = '{MetricKey.CLAIMS_PAID}'",
    )
    for _ in range(2):
        wrong = ready("verify", "--json")
        found = json.loads(wrong.output)
        assert wrong.code == 1
        assert not found["clean"]
        assert {row["metric_key"] for row in found["wrong_rows"]} == {MetricKey.CLAIMS_PAID}
    shown = ready("verify", COLUMNS="80")
    assert shown.code == 1
    assert [line for line in shown.output.splitlines() if len(line) > 80] == []
    assert found["wrong_rows"][0]["provider_id"] in shown.output
    assert MetricKey.CLAIMS_PAID in shown.output
    assert "no row" in shown.output


async def test_run_can_be_stopped_while_kafka_is_away(planned: Deployment) -> None:
    await planned.migrate()
    away = planned.having(kafka_bootstrap_servers=NOBODY_LISTENS)
    with ServiceProcess(away, "run") as process:
        await process.logged(
            f"failed while connecting to Kafka, trying again: Kafka at {NOBODY_LISTENS} refuses"
        )
        process.terminate()
        assert await process.ended() == 0
