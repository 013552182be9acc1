"""The fault machine in its shortest form, and its checker put to the test.

For more of it: `make torture`. To run another schedule here: CLAIM_ANALYTICS_TEST_SEED=7 pytest …
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.local.stack.postgres import PostgresServer
from tests.conftest import OWN, or_fail
from tests.reliability.torture.disk import postgres_on_a_disk
from tests.reliability.torture.faults import schedule
from tests.reliability.torture.machine import torture, with_bugs
from tests.reliability.torture.seeded_bugs import BUGS
from tests.reliability.torture.wires import WiredBroker, wired_kafka
from tests.reliability.torture.workload import Size
from tests.servers import fresh_database

SEED = int(os.environ.get("CLAIM_ANALYTICS_TEST_SEED", "1"))
SHORT = Size(events=2_000, reports=10, providers=6)
# Those that no other test does in this way, in the order of the seed.
KINDS = ("killed", "crashed", "disk filled", "packets lost", "patient erased")
# `make torture ARGS=--bugs` tries all of them; these are soon done.
QUICK = ("forget_what_is_redriven", "add_a_delta_twice", "ignore_a_lost_lease")


Servers = tuple[WiredBroker, PostgresServer, str]


@pytest.fixture(scope="module")
def _both() -> Iterator[tuple[WiredBroker, PostgresServer]]:
    with or_fail(wired_kafka(), OWN) as broker, or_fail(postgres_on_a_disk(), OWN) as server:
        yield broker, server


@pytest.fixture
def servers(_both: tuple[WiredBroker, PostgresServer]) -> Iterator[Servers]:
    """That tests break one after the other, and the URL of a database of the test's own."""
    for one in _both:
        if not one.running:
            one.start()
    with fresh_database(_both[1].url) as url:
        yield *_both, url


async def test_whatever_is_killed_nothing_is_lost_and_nothing_doubled(
    servers: Servers, tmp_path: Path
) -> None:
    faults = schedule(SEED, len(KINDS), KINDS)
    result = await torture(*servers, tmp_path, SEED, SHORT, faults)
    assert not result.findings, "\n".join(result.findings)
    assert result.kills
    assert bool(result.packets) is bool(result.faults["packets lost"])


async def test_the_checker_finds_seeded_bugs(servers: Servers, tmp_path: Path) -> None:
    """One for each of three checks, put in at once."""
    result = await torture(*servers, tmp_path, SEED, *with_bugs(SEED, *QUICK))
    found = "\n".join(result.findings)
    for bug in QUICK:
        assert f"{BUGS[bug].found_by}:" in found, f"{bug} is not found: {found or 'nothing'}"
