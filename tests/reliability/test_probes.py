"""Probes while a fleet is restarted one after another, and while the database comes and goes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from service.local.stack.postgres import PostgresServer
from tests.harness.deployment import Deployment, deploy
from tests.harness.http import answers, free_address, probe
from tests.harness.kafka import publish
from tests.harness.messages import simulated
from tests.harness.process import RUN, ServiceProcess
from tests.harness.rows import all_applied, assert_tables_equal_oracle
from tests.harness.waiting import until
from tests.reliability.holding import held_inside_the_transaction
from tests.reliability.outages import hung
from tests.reliability.publishing import published_meanwhile

INSTANCES = 3


class Watched:
    """What each instance of a fleet answers, asked again and again: the codes of `ready` (0: nobody
    listens) and why, without repetitions."""

    def __init__(self, addresses: list[str]) -> None:
        self.ready: dict[str, list[tuple[int, list[str]]]] = {each: [] for each in addresses}
        self.live: dict[str, set[int]] = {each: set() for each in addresses}

    async def look(self, address: str) -> None:
        while True:
            found = await probe(address, "ready")
            seen, now = self.ready[address], (found.code, found.said.get("why", []))
            if not seen or seen[-1] != now:
                seen.append(now)
            self.live[address].add((await probe(address, "live")).code)
            await asyncio.sleep(0.02)  # the service needs the processor too

    def all_ready(self) -> bool:
        """By the last answer of each."""
        return all(seen and seen[-1][0] == 200 for seen in self.ready.values())

    @asynccontextmanager
    async def looking(self) -> AsyncIterator[None]:
        looks = [asyncio.create_task(self.look(address)) for address in self.ready]
        try:
            yield
        finally:
            for look in looks:
                look.cancel()
            await asyncio.gather(*looks, return_exceptions=True)


async def test_a_rolling_restart_under_load_loses_and_repeats_nothing_and_probes_tell_of_it(
    deployment: Deployment,
) -> None:
    deployment = deployment.having(claim_lanes=1)
    load = simulated(deployment, 4_000)
    addresses = [free_address() for _ in range(INSTANCES)]
    watched = Watched(addresses)
    processes: list[ServiceProcess] = []
    async with AsyncExitStack() as stack:

        def start(address: str) -> ServiceProcess:
            process = ServiceProcess(deployment.having(http_address=address), *RUN)
            processes.append(stack.enter_context(process))
            return process

        fleet = {address: start(address) for address in addresses}
        for address in addresses:
            await answers(address, "ready", 200)
        async with published_meanwhile(deployment, load, seconds=10), watched.looking():
            await until(watched.all_ready, "the first answers")
            for address, process in fleet.items():
                process.terminate()
                assert await process.ended() == 0
                start(address)
                await answers(address, "ready", 200)
            await until(watched.all_ready, "the last answers")
        await all_applied(deployment, load.events)
        for process in processes[INSTANCES:]:
            process.terminate()
            assert await process.ended() == 0
        read = sum(process.count("messages") for process in processes)
        assert read == len(load.messages)
    await assert_tables_equal_oracle(deployment, load.events)
    for address in addresses:
        codes = [code for code, _ in watched.ready[address]]
        assert codes[0] == codes[-1] == 200
        assert codes.count(200) == 2  # before, and after: never in between
        assert codes.count(0) == 1
        assert watched.live[address] <= {200, 0}


async def test_one_that_stops_says_so_until_its_batch_is_done(deployment: Deployment) -> None:
    deployment = deployment.having(claim_lanes=1)
    address, load = free_address(), simulated(deployment, 300)
    await publish(deployment, load.messages)
    with ServiceProcess(deployment.having(http_address=address), *RUN) as process:
        async with held_inside_the_transaction(deployment):
            await answers(address, "ready", 200)
            process.terminate()
            stopping = await answers(address, "ready", 503)
            assert stopping.said["why"] == ["it is stopping"]
            assert (await probe(address, "live")).code == 200
        assert await process.ended() == 0
        assert (await probe(address, "ready")).code == 0


@pytest.fixture
async def own_deployment(kafka: str, own_database: str) -> Deployment:
    return await deploy(kafka, own_database)


async def test_readiness_follows_the_database_and_liveness_does_not(
    own_deployment: Deployment, own_postgres: PostgresServer
) -> None:
    address = free_address()
    with ServiceProcess(own_deployment.having(http_address=address), *RUN) as process:
        await answers(address, "ready", 200)
        own_postgres.stop()
        away = await answers(address, "ready", 503, within=10)
        assert "PostgreSQL" in away.said["why"][0]
        assert (await probe(address, "live")).code == 200
        own_postgres.start()
        await answers(address, "ready", 200, within=10)
        with hung(own_postgres):
            silent = await answers(address, "ready", 503, within=10)
            assert silent.said["why"] == ["PostgreSQL does not answer within 3 seconds"]
            assert (await probe(address, "live")).code == 200
        await answers(address, "ready", 200, within=20)
        process.terminate()
        assert await process.ended() == 0
        assert process.strays() == []
