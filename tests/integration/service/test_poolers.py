"""The service behind a real PgBouncer, which gives sessions, or transactions, to many."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import asyncpg
import pytest

from service.local.stack.workspace import Workspace
from tests.harness.deployment import Deployment, plan_deployment
from tests.harness.kafka import publish
from tests.harness.messages import coach_examples, simulated
from tests.harness.pgbouncer import PgBouncer, needs_pgbouncer
from tests.harness.process import DRAIN, command
from tests.harness.rows import assert_tables_equal_oracle
from tests.integration.service.command_line import claim_analytics

pytestmark = needs_pgbouncer

Pooler = Callable[[str], PgBouncer]


@pytest.fixture
def pooler(postgres16: str) -> Iterator[Pooler]:
    """Starts a PgBouncer in this mode, before an empty database."""
    with ExitStack() as stack:

        def start(mode: str) -> PgBouncer:
            pooler = PgBouncer(stack.enter_context(Workspace()), postgres16, pool_mode=mode)
            pooler.start()
            return pooler

        yield start


async def everything_works(deployment: Deployment, direct_url: str) -> None:
    load, said = simulated(deployment, 500), coach_examples(deployment)
    await command(deployment, "migrate")
    await command(deployment, "topics")
    await publish(deployment, [*load.messages, *said.messages])
    await command(deployment, *DRAIN)
    await command(deployment, "verify")
    direct = deployment.having(database_url=direct_url)
    await assert_tables_equal_oracle(direct, [*load.events, *said.events])


async def test_in_session_mode_everything_works_with_its_usual_settings(
    kafka: str, pooler: Pooler, postgres16: str
) -> None:
    await everything_works(plan_deployment(kafka, pooler("session").url), postgres16)


async def test_in_transaction_mode_everything_works_with_a_way_past_it(
    kafka: str, pooler: Pooler, postgres16: str
) -> None:
    deployment = plan_deployment(kafka, pooler("transaction").url)
    await everything_works(deployment.having(database_direct_url=postgres16), postgres16)
    # What was set for a transaction did not stay in a session that another client gets.
    connection = await asyncpg.connect(deployment.database_url, statement_cache_size=0)
    assert await connection.fetchval("SHOW row_security") == "on"
    await connection.close()


@pytest.mark.parametrize("name", ["migrate", "run"])
def test_in_transaction_mode_alone_each_command_says_what_it_needs(
    kafka: str, pooler: Pooler, tmp_path: Path, name: str
) -> None:
    deployment = plan_deployment(kafka, pooler("transaction").url)
    refused = claim_analytics(tmp_path, name, environment=deployment.environment)
    assert refused.code == 1
    assert "pooler in transaction mode" in refused.errors
    assert "CLAIM_ANALYTICS_DATABASE_DIRECT_URL" in refused.errors
