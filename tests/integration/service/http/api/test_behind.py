"""Whether the service is behind, as a real Kafka and the stored offsets say."""

import asyncio
from datetime import timedelta

import pytest

from repositories.offsets import NextOffset, store_offsets
from repositories.postgres.database import Database
from service import wiring
from service.http.api import behind
from service.http.api.behind import Behind
from service.kafka import kafka_admin
from tests.harness.deployment import SUBMITTED, Deployment
from tests.harness.kafka import publish
from tests.harness.messages import simulated
from tests.harness.waiting import until


async def test_it_is_behind_while_old_messages_are_not_stored(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = Database(deployment.database_url)
    watched = Behind(deployment.settings)
    async with kafka_admin(wiring.kafka_connection(deployment.settings)) as admin:
        await watched.look(admin, database)
        assert watched.now is False
        await publish(deployment, simulated(deployment, 50).messages)
        await watched.look(admin, database)
        assert watched.now is False  # what was published just now is on its way
        monkeypatch.setattr(behind, "PATIENCE", timedelta(0))
        await watched.look(admin, database)
        assert watched.now is True
        ends = await admin.end_offsets([deployment.topic(SUBMITTED), *deployment.topics])
        async with database.transaction() as connection:
            await store_offsets(
                connection, [NextOffset(deployment.group, *at, end) for at, end in ends.items()]
            )
        await watched.look(admin, database)
        assert watched.now is False
    await database.close()


async def test_nobody_says_that_it_is_not_behind_once_kafka_is_away(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(behind, "LOOK_SECONDS", 0.1)
    database = Database(deployment.database_url)
    watched = Behind(deployment.having(kafka_bootstrap_servers="127.0.0.1:1").settings)
    watched.now = False
    watching = asyncio.create_task(watched.watch(database))
    await until(lambda: watched.now is None, "it to be unknown")
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)
    await database.close()
