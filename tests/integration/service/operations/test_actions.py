"""Operators' actions leave rows, whatever ends the process that acts."""

import json
import os
import signal
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from repositories.operations.actions import close_abandoned, recorded_actions
from repositories.postgres.database import Database
from repositories.vocabulary import ActionOutcome
from service.operations.recorded import recorded
from tests.harness.deployment import Deployment, plan_deployment
from tests.harness.process import ServiceProcess
from tests.harness.waiting import LONG, until_async
from tests.integration.repositories.examples import apply, submitted
from tests.integration.repositories.report_examples import P
from tests.integration.repositories.waiting import transaction_of_another, until_waiting
from tests.integration.service.command_line import NOBODY_LISTENS, Finished, claim_analytics
from tests.servers import migrate

ERASE_P = ("erase", "provider", str(P), "--why", "asked", "--yes")
KEEP_P = "SELECT FROM providers WHERE provider_id = $1 FOR NO KEY UPDATE"
BREAK_LOCKS = """
    SELECT pg_terminate_backend(pid) FROM pg_locks
    WHERE locktype = 'advisory' AND pid <> pg_backend_pid()
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


@pytest.fixture
async def deployment(postgres: str) -> Deployment:
    """A database in which provider P has a claim; no command here asks for Kafka."""
    migrate(postgres)
    database = Database(postgres)
    await apply(database, submitted())
    await database.close()
    return plan_deployment(NOBODY_LISTENS, postgres).having(operator="ada")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def listed(deployment: Deployment, folder: Path, *options: str) -> list[dict[str, Any]]:
    """What `actions --json` lists."""
    done = run(deployment, folder, "actions", "--json", *options)
    assert done.code == 0, done.errors
    found: list[dict[str, Any]] = json.loads(done.output)
    return found


def run(deployment: Deployment, folder: Path, *arguments: str, said: str = "") -> Finished:
    return claim_analytics(folder, *arguments, environment=deployment.environment, said=said)


async def outcomes(observer: asyncpg.Connection) -> list[str | None]:
    rows = await observer.fetch("SELECT outcome FROM operator_actions ORDER BY started_at")
    return [row["outcome"] for row in rows]


async def test_a_killed_command_is_broken_off_and_one_that_is_at_work_is_not(
    deployment: Deployment, folder: Path
) -> None:
    observer = await asyncpg.connect(deployment.database_url)
    async with transaction_of_another(deployment.database_url, KEEP_P, P):
        with ServiceProcess(deployment, *ERASE_P) as killed:
            await until_waiting(observer, 1)
            killed.kill()
        # The server ends what the dead process asked for once nobody keeps the lock, or by itself.
        await observer.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        )
        with ServiceProcess(deployment, *ERASE_P) as at_work:
            await until_waiting(observer, 1)
            second, first = listed(deployment, folder)
            at_work.kill()
    await observer.close()
    assert (first["outcome"], second["outcome"]) == ("broken off", None)
    assert first["who"] == "ada"
    assert first["command"] == "erase provider"
    assert first["arguments"] == {"provider_id": str(P)}
    assert first["why"] == "asked"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_a_command_in_good_order(
    number: signal.Signals, deployment: Deployment
) -> None:
    observer = await asyncpg.connect(deployment.database_url)
    async with transaction_of_another(deployment.database_url, KEEP_P, P):
        with ServiceProcess(deployment, *ERASE_P) as process:
            await until_waiting(observer, 1)
            os.kill(process.pid, number)
            assert await process.ended() == 130
            assert "Traceback" not in process.output()
        assert await outcomes(observer) == ["broken off"]
        assert await observer.fetchval("SELECT count(*) FROM claims") == 1
    await observer.close()


async def test_the_next_action_closes_what_a_killed_one_left(
    deployment: Deployment, folder: Path
) -> None:
    """And what fails says so: nobody knows this provider."""
    observer = await asyncpg.connect(deployment.database_url)
    await observer.execute(
        "INSERT INTO operator_actions (who, command, arguments) VALUES ('bob', 'rebuild', '{}')"
    )
    unknown = ("erase", "provider", "--lift", str(P), "--why", "a mistake", "--yes")
    assert run(deployment, folder, *unknown).code == 5
    assert await outcomes(observer) == ["broken off", "failed"]
    await observer.close()


async def test_the_word_of_a_process_that_lost_its_lock_and_lived_on_counts(
    deployment: Deployment,
) -> None:
    """As when the server was restarted in the middle of a long command."""
    database, observer = (
        Database(deployment.database_url),
        await asyncpg.connect(deployment.database_url),
    )
    async with recorded(deployment.settings, database, "rebuild", {}, "a test") as action:
        action.counts["providers"] = 3
        assert await close_abandoned(database) == 0
        await observer.execute(BREAK_LOCKS)

        async def closed() -> bool:
            return await close_abandoned(database) == 1

        await until_async(closed, "the end of the session that kept the lock", LONG)
    [row] = await recorded_actions(database)
    assert (row.outcome, row.counts) == (ActionOutcome.DONE, {"providers": 3})
    await database.close()
    await observer.close()


async def test_actions_are_listed_by_command_and_time_with_who_why_and_what_they_did(
    deployment: Deployment, folder: Path
) -> None:
    number = "123456789"
    erased = run(deployment, folder, "erase", "patient", "--why", "a case", "--yes", said=number)
    assert erased.code == 0
    shown = run(deployment, folder, "actions")
    assert "erase patient: done after" in shown.output
    assert "by ada why a case did claims 1, events 1" in shown.words
    assert number not in shown.output
    refused = run(deployment, folder, "actions", "--since", "2026-01-01T00:00:00")
    assert (refused.code, "no offset" in refused.words) == (2, True)

    database = Database(deployment.database_url)
    async with recorded(deployment.settings, database, "erase provider", {"n": 1}, None):
        pass
    [later, earlier] = await recorded_actions(database, command="erase")
    assert (later.command, earlier.command) == ("erase provider", "erase patient")
    assert await recorded_actions(database, command="erase patient") == [earlier]
    assert await recorded_actions(database, since=later.started_at) == [later]
    assert await recorded_actions(database, command="eras") == []
    await database.close()
