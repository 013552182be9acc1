"""Fixtures that give tests a real Kafka and a real PostgreSQL. Nothing starts before it is used."""

import gc
import os
import signal
import sys
import threading
from collections.abc import Generator, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TypeVar

import pytest

from service.local.stack import StackError
from service.local.stack.kafka import KafkaBroker
from service.local.stack.postgres import REMEDIES, PostgresServer, is_installed
from tests import servers
from tests.containers import docker_answers

Thing = TypeVar("Thing")

# A shell's background jobs ignore Ctrl-C, and so would the processes that tests send it to.
if threading.current_thread() is threading.main_thread() and (
    signal.getsignal(signal.SIGINT) is signal.SIG_IGN
):
    signal.signal(signal.SIGINT, signal.default_int_handler)


# Bytecode is kept, also on a machine that is told to keep none: else each of some hundred processes
# compiles all modules anew. Git ignores it, and `make clean` removes it.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Thousands of tests are collected, and nothing of it is garbage before the end."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


NO_DOCKER = "No Docker engine answers with the images, and the server cannot be started here"
OWN = "The test needs a server of its own, to stop and kill it, and cannot start it"


@pytest.fixture(scope="session")
def kafka() -> Iterator[str]:
    """The bootstrap servers of a shared broker; make topics of your own with `unique_topic`."""
    with or_fail(servers.kafka_server(), NO_DOCKER) as bootstrap_servers:
        yield bootstrap_servers


@pytest.fixture
def postgres(request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL, without a driver, of a fresh and empty database; with `ON_BOTH` once on each."""
    server = servers.given_postgres()
    if not server or hasattr(request, "param"):
        server = str(request.getfixturevalue(getattr(request, "param", "_postgres18_server")))
    with servers.fresh_database(server) as url:
        yield url


@pytest.fixture
def postgres18(_postgres18_server: str) -> Iterator[str]:
    """As `postgres`, on version 18."""
    with servers.fresh_database(_postgres18_server) as url:
        yield url


@pytest.fixture
def postgres16(_postgres16_server: str) -> Iterator[str]:
    """As `postgres`, on version 16, the oldest that the service runs on."""
    with servers.fresh_database(_postgres16_server) as url:
        yield url


@pytest.fixture(params=["postgres18", "postgres16"])
def any_postgres(request: pytest.FixtureRequest) -> str:
    """As `postgres`; the test runs once on each version."""
    url: str = request.getfixturevalue(request.param)
    return url


@pytest.fixture
def own_kafka() -> Iterator[KafkaBroker]:
    """A broker for this test alone, to stop, kill and start again."""
    with or_fail(servers.own_kafka(), OWN) as broker:
        yield broker


@pytest.fixture
def own_postgres() -> Iterator[PostgresServer]:
    """A server for this test alone, to stop, kill and start again."""
    with or_fail(servers.own_postgres(), OWN) as server:
        yield server


@pytest.fixture(scope="session")
def _postgres18_server() -> Iterator[str]:
    with or_fail(servers.postgres_server(18), NO_DOCKER) as url:
        yield url


@pytest.fixture(scope="session")
def _postgres16_server() -> Iterator[str]:
    if not docker_answers() and not is_installed(16):
        # Its package is optional: there is none for every Python and machine.
        pytest.skip(f"PostgreSQL 16 is not installed and no Docker engine answers: {REMEDIES[16]}")
    with or_fail(servers.postgres_server(16), NO_DOCKER) as url:
        yield url


@contextmanager
def or_fail(server: AbstractContextManager[Thing], why: str) -> Iterator[Thing]:
    """One clear sentence in place of a traceback when a server cannot be had."""
    try:
        with server as thing:
            yield thing
    except StackError as error:
        pytest.fail(f"{why}: {error}", pytrace=False)
