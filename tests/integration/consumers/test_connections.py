"""A client that is given up before it is a member."""

import asyncio
import gc
from typing import Any

import pytest
from aiokafka.conn import AIOKafkaConnection

from consumers.engine.group import GroupPolicy, new_member
from service.wiring import kafka_connection
from tests.harness.deployment import Deployment


async def test_it_leaves_no_connection_open(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    send = AIOKafkaConnection.send

    async def answered_slowly(*request: Any, **options: Any) -> Any:
        await asyncio.sleep(0.01)  # a slow broker
        return await send(*request, **options)

    monkeypatch.setattr(AIOKafkaConnection, "send", answered_slowly)
    connection = kafka_connection(deployment.settings)
    for milliseconds in range(0, 120, 8):
        starting = asyncio.create_task(
            new_member(connection, deployment.settings.group("claims"), GroupPolicy())
        )
        await asyncio.sleep(milliseconds / 1000)  # so far into its start it is given up
        starting.cancel()
        await asyncio.wait({starting})
        if not starting.cancelled():
            await starting.result().stop()
        assert not any(
            isinstance(each, AIOKafkaConnection) and each.connected() for each in gc.get_objects()
        )
