"""`claim-analytics stack` for real: what it prints works, and nothing is left of it."""

import signal
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import psutil
import pytest
from aiokafka.admin import AIOKafkaAdminClient

from service.local.stack.workspace import Workspace
from tests.harness.waiting import eventually
from tests.integration.service.stack_command import are_gone, stack_command

DATABASE = "CLAIM_ANALYTICS_DATABASE_URL"
KAFKA = "CLAIM_ANALYTICS_KAFKA_BOOTSTRAP_SERVERS"


@pytest.fixture
def temporary() -> Iterator[Path]:
    """A folder that PostgreSQL's user can enter too, which pytest's own is not for root."""
    with Workspace() as workspace:
        folder = workspace.folder / "temporary"
        folder.mkdir()
        folder.chmod(0o1777)
        yield folder


async def test_print_env_prints_two_addresses_that_answer(temporary: Path) -> None:
    with stack_command("--print-env", temporary=temporary) as command:
        environment = command.read_environment()
        assert list(environment) == [DATABASE, KAFKA]
        assert environment[DATABASE].startswith("postgresql://")
        await assert_postgres_answers(environment[DATABASE])
        await assert_kafka_answers(environment[KAFKA])
        command.process.terminate()
        assert command.wait()[:2] == (0, "")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_stops_both_and_leaves_nothing(temporary: Path, number: signal.Signals) -> None:
    with stack_command("--print-env", temporary=temporary) as command:
        command.read_environment()
        processes = command.processes()
        command.process.send_signal(number)
        assert command.wait()[0] == 0
    assert are_gone(processes, seconds=0)
    assert command.leftovers() == []


def test_more_ctrl_c_while_it_stops_leave_nothing(temporary: Path) -> None:
    with stack_command("--print-env", temporary=temporary) as command:
        command.read_environment()
        processes = command.processes()
        assert eventually(command.ends_at_ctrl_c)
        assert command.wait()[0] == 0
    assert are_gone(processes, seconds=0)
    assert command.leftovers() == []


@pytest.mark.parametrize("moment", ["Starting PostgreSQL", "Starting Kafka"])
def test_sigterm_while_it_starts_leaves_nothing(temporary: Path, moment: str) -> None:
    with stack_command("--print-env", temporary=temporary) as command:
        command.wait_for_message(moment)
        processes = command.processes()
        command.process.terminate()
        assert command.wait()[:2] == (0, "")
    assert are_gone(processes, seconds=0)
    assert command.leftovers() == []


def test_sigkill_of_the_command_ends_both_servers_too(temporary: Path) -> None:
    with stack_command("--print-env", temporary=temporary) as command:
        command.read_environment()
        processes = command.processes()
        assert {"java", "postgres"} <= {process.name() for process in processes}
        command.process.kill()
        command.wait()
    assert are_gone(processes)
    assert eventually(lambda: command.leftovers() == [])


@pytest.mark.parametrize(("program", "name"), [("java", "Kafka"), ("postgres", "PostgreSQL")])
def test_a_server_that_dies_ends_the_command_with_an_error(
    temporary: Path, program: str, name: str
) -> None:
    with stack_command("--print-env", temporary=temporary) as command:
        command.read_environment()
        processes = command.processes()
        children = psutil.Process(command.process.pid).children()
        [server] = [child for child in children if child.name() == program]
        server.kill()
        exit_code, _, errors = command.wait()
    assert exit_code == 1
    assert f"{name} " in errors
    assert "ended unexpectedly" in errors
    assert "Traceback" not in errors
    assert are_gone(processes)
    assert command.leftovers() == []


def test_two_stacks_run_side_by_side(temporary: Path) -> None:
    with (
        stack_command("--print-env", temporary=temporary) as one,
        stack_command("--print-env", temporary=temporary) as other,
    ):
        addresses = {*one.read_environment().values(), *other.read_environment().values()}
        assert len(addresses) == 4


async def assert_postgres_answers(url: str) -> None:
    connection = await asyncpg.connect(url)
    assert await connection.fetchval("SELECT 1") == 1
    await connection.close()


async def assert_kafka_answers(bootstrap_servers: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap_servers)
    await admin.start()
    assert await admin.list_topics() == []
    await admin.close()
