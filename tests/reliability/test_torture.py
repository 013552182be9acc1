"""The fault machine in its shortest form, and its checker put to the test.

For more of it: `make torture`. To run another schedule here: CLAIM_ANALYTICS_TEST_SEED=7 pytest …
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.local.stack.postgres import PostgresServer
from tests.conftest import OWN, or_fail
from tests.reliability.torture.faults import schedule
from tests.reliability.torture.machine import torture, with_bug
from tests.reliability.torture.seeded_bugs import BUGS
from tests.reliability.torture.wires import WiredBroker, wired_kafka
from tests.reliability.torture.workload import Size

SEED = int(os.environ.get("CLAIM_ANALYTICS_TEST_SEED", "1"))
SHORT, SHORT_FAULTS = Size(events=5_000, reports=20), 9
# `make torture ARGS=--bugs` tries all of them; these are soon done.
QUICK = ("add_a_delta_twice", "ignore_a_lost_lease", "forget_what_is_redriven")


@pytest.fixture(scope="module")
def _wired_broker() -> Iterator[WiredBroker]:
    with or_fail(wired_kafka(), OWN) as broker:
        yield broker


@pytest.fixture
def broker(_wired_broker: WiredBroker) -> WiredBroker:
    if not _wired_broker.running:
        _wired_broker.start()
    return _wired_broker


async def test_whatever_is_killed_nothing_is_lost_and_nothing_doubled(
    broker: WiredBroker, own_postgres: PostgresServer, own_database: str, tmp_path: Path
) -> None:
    faults = schedule(SEED, SHORT_FAULTS)
    servers = broker, own_postgres, own_database
    result = await torture(*servers, tmp_path, SEED, SHORT, faults)
    assert not result.findings, "\n".join(result.findings)
    assert result.kills


@pytest.mark.parametrize("bug", QUICK)
async def test_the_checker_finds_a_seeded_bug(
    broker: WiredBroker,
    own_postgres: PostgresServer,
    own_database: str,
    tmp_path: Path,
    bug: str,
) -> None:
    servers = broker, own_postgres, own_database
    result = await torture(*servers, tmp_path, SEED, *with_bug(bug, SEED))
    found = "\n".join(result.findings)
    assert f"{BUGS[bug].found_by}:" in found, f"found in place of it: {found or 'nothing'}"
