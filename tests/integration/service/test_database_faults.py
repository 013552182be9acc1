"""A database that is not what the service needs: each command says so at once, and what to do."""

from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from migrations.revisions import head
from service.cli.common import Exit
from service.local.stack.postgres import PostgresServer
from service.settings import PREFIX
from tests.harness.deployment import plan_deployment
from tests.harness.process import ServiceProcess
from tests.integration.service.command_line import (
    NOBODY_LISTENS,
    NOTHING_ANSWERS,
    Finished,
    claim_analytics,
)
from tests.reliability.outages import hung
from tests.servers import execute, migrate

Command = Callable[..., Finished]


@pytest.fixture
def command(postgres: str, tmp_path: Path) -> Command:
    """Runs one on this database, or on `url`; there is no Kafka, which none comes to ask for."""

    def run(*arguments: str, url: str = postgres) -> Finished:
        environment = NOTHING_ANSWERS | {f"{PREFIX}DATABASE_URL": url}
        return claim_analytics(tmp_path, *arguments, environment=environment)

    return run


def test_a_schema_that_a_newer_version_made_is_left_alone(command: Command, postgres: str) -> None:
    """As after an image was rolled back."""
    migrate(postgres)
    execute(postgres, "UPDATE alembic_version SET version_num = '9999'")
    for name in ("run", "migrate"):
        refused = command(name)
        assert refused.code == Exit.STOPPED
        assert "is at revision 9999, which this version does not know" in refused.errors
        assert f"it expects {head()}" in refused.errors


def test_a_schema_that_is_older_is_to_be_migrated_first(command: Command, postgres: str) -> None:
    missing = command("run")
    assert missing.code == 1
    assert "there is no schema yet" in missing.errors
    migrate(postgres)
    execute(postgres, "UPDATE alembic_version SET version_num = '0001'")
    refused = command("verify")
    assert refused.code == 1
    assert f"is at revision 0001, and this version expects {head()}" in refused.errors
    assert "run `claim-analytics migrate`" in refused.errors


def test_run_ends_at_the_start_where_no_waiting_helps(command: Command, postgres: str) -> None:
    parts = urlsplit(postgres)
    address = parts.netloc.rpartition("@")[2]
    absent = command("run", url=parts._replace(path="/not_there").geturl())
    assert absent.code == 1
    assert "there is no database of this name" in absent.errors
    stranger = command("run", url=parts._replace(netloc=f"nobody:hidden@{address}").geturl())
    assert stranger.code == 1
    assert "wrong user or password" in stranger.errors
    assert "hidden" not in stranger.errors


async def test_run_waits_for_a_database_that_is_away_and_can_be_stopped(
    own_postgres: PostgresServer, tmp_path: Path
) -> None:
    heartbeat = tmp_path / "heartbeat"
    deployment = plan_deployment(NOBODY_LISTENS, own_postgres.url).having(heartbeat_file=heartbeat)
    own_postgres.stop()
    with ServiceProcess(deployment, "run") as process:
        await process.logged("failed while looking at the database, trying again")
        assert heartbeat.exists()
        assert "nothing listens there" in process.output()
        own_postgres.start()
        with hung(own_postgres):
            process.terminate()
            assert await process.ended() == 0


def test_a_certificate_file_that_is_missing_is_a_wrong_setting(command: Command) -> None:
    refused = command(
        "run", url="postgresql://db.example/claims?sslmode=verify-full&sslrootcert=/missing.pem"
    )
    assert refused.code == 2
    assert "sslrootcert in CLAIM_ANALYTICS_DATABASE_URL, /missing.pem: No" in refused.errors
