"""`/healthz/ready`, before there is a schema and after."""

import asyncio

from pydantic import SecretStr

from consumers.engine.subscription import Progress
from migrations import commands, revisions
from service.http.process import ServedProcess
from service.settings import Settings
from tests.harness.http import http_client
from tests.harness.waiting import until_async


async def test_it_is_not_ready_before_the_schema_is_there_and_says_what_to_do(
    postgres: str,
) -> None:
    async with http_client(Settings(database_url=SecretStr(postgres))) as client:
        answer = await client.get("/healthz/ready")
        assert answer.status_code == 503
        [why] = answer.json()["why"]
        assert "run `claim-analytics migrate`" in why
        assert (await client.get("/healthz/live")).status_code == 200
        await asyncio.to_thread(commands.upgrade, postgres)

        async def ready() -> bool:
            return (await client.get("/healthz/ready")).status_code == 200

        await until_async(ready, "a migrated database to be noticed", within=10)
        schema = (await client.get("/healthz/status")).json()["schema"]
        assert schema == {"revision": revisions.head(), "expected": revisions.head()}


async def test_it_waits_for_every_lane_and_not_for_a_topic_that_may_be_missing(
    migrated_url: str,
) -> None:
    settings = Settings(database_url=SecretStr(migrated_url))
    progress = {"claims": Progress(), "optional": Progress(without_topic=True)}
    process = ServedProcess(settings, progress, {"claims": 2, "optional": 1})
    async with http_client(settings, process) as client:
        for lane in range(2):
            answer = await client.get("/healthz/ready")
            assert answer.status_code == 503
            assert f"{lane} of 2 lanes of claims" in answer.json()["why"][0]
            progress["claims"].joined.add(lane)
        assert (await client.get("/healthz/ready")).status_code == 200


async def test_a_process_that_stops_says_so(migrated_url: str) -> None:
    settings = Settings(database_url=SecretStr(migrated_url))
    async with http_client(settings, ServedProcess(settings, stopping=lambda: True)) as client:
        answer = await client.get("/healthz/ready")
    assert (answer.status_code, answer.json()["why"]) == (503, ["it is stopping"])
