"""What happens to the service of the runbook, between the commands that it shows."""

import asyncio
import os
import shlex
from collections.abc import Awaitable, Callable, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile

from service.kafka import Message
from service.settings import PREFIX
from tests.e2e.raw_batches import produce, with_undecodable_header
from tests.harness.deployment import PAID, SUBMITTED, Deployment
from tests.harness.faults import Fault, consuming_with
from tests.harness.kafka import all_end_offsets, committed, producer, publish, send
from tests.harness.messages import message, simulated
from tests.harness.process import RUN, ServiceProcess, lanes_of
from tests.harness.rows import connected, stored_offsets
from tests.harness.starter import PROGRAM, start
from tests.harness.waiting import until, until_async
from tests.integration.repositories.examples import paid, submitted, uuid_of
from tests.integration.service.operations.replaying import consumed
from tests.runbook.page import make_page
from tests.strategies import EventSpec

WIDTH = "110"
LOCATION = b"1c9d0f6e-5a0b-4f0a-9d5e-0b6f6c1f0a11"
PROVIDER = uuid_of("provider P")


async def told(source: str, bootstrap_servers: str, database_url: str) -> str:
    """The page that comes of the source, on servers that nobody else uses."""
    with ExitStack() as stack:
        story = Story(bootstrap_servers, database_url, stack)
        for name, value in story.names.items():
            source = source.replace("{{" + name + "}}", value)
        return await make_page(source, story.run, story.stage)


class Story:
    """A deployment with topics of their usual names, and a service that comes and goes."""

    def __init__(self, bootstrap_servers: str, database_url: str, stack: ExitStack) -> None:
        self._deployment = Deployment({}).having(
            kafka_bootstrap_servers=bootstrap_servers,
            database_url=database_url,
            topic_partitions=2,
            group_session_seconds=6,
            log_format="json",
            nightly_at="off",
            operator="ana@operations",
        )
        self._folder = Path(stack.enter_context(TemporaryDirectory()))
        self._service: ServiceProcess | None = None
        self._process = stack.enter_context(ExitStack())  # ends and tidies up after the service
        yesterday = datetime.now(UTC).date() - timedelta(days=1)
        self.names = {
            "yesterday": yesterday.isoformat(),
            "provider": str(PROVIDER),
            "paid": str(uuid_of("claim A")),
            "unknown": str(uuid_of("claim Z")),
        }
        self._steps: dict[str, Callable[[], Awaitable[None]]] = {
            "a service at work": self._begin,
            "nobody reads": self._nobody_reads,
            "the service runs": self._runs,
            "a build that takes no payments": self._no_payments,
            "a build that takes no submissions": self._no_submissions,
            "a build that loses locations": self._no_locations,
            "a figure changed by hand": self._falsified,
            "a record that nobody can read": self._undecodable,
            "all is read": self._all_read,
        }

    async def stage(self, name: str) -> None:
        await self._steps[name]()

    async def run(self, line: str, code: int) -> str:
        """What a command prints; it must end with this code."""
        inherited = {n: value for n, value in os.environ.items() if not n.startswith(PREFIX)}
        words = shlex.split(line)
        assert words[0] == "claim-analytics"
        environment = inherited | self._deployment.environment | {"COLUMNS": WIDTH}
        with TemporaryFile() as output:
            command: list[str | Path] = [PROGRAM, *words[1:]]
            process = start(command, self._folder, environment, output, output)
            ended = await asyncio.to_thread(process.wait)
            output.seek(0)
            printed = output.read().decode()
        assert ended == code, f"{line}\n{printed}"
        return printed

    async def _begin(self) -> None:
        await self.run("claim-analytics migrate", 0)
        await self.run("claim-analytics topics", 0)
        await publish(self._deployment, simulated(self._deployment, 400).messages)
        await self._send(submitted())
        await self._runs()
        await self._all_read()
        await self._send(paid())  # in a batch of its own, or it may come first
        await self._all_read()

    async def _send(self, *events: EventSpec) -> None:
        await self._publish([message(self._deployment, event) for event in events])

    async def _publish(self, messages: Sequence[Message]) -> None:
        async with producer(self._deployment) as client:
            await send(client, messages, partition=0)

    async def _runs(self) -> None:
        if self._service is None:
            service = self._process.enter_context(ServiceProcess(self._deployment, *RUN))
            await until(lambda: lanes_of(service) == {0, 1}, "partitions of both lanes")
            self._service = service

    async def _stop(self) -> None:
        if self._service:
            self._service.terminate()
            await self._service.ended()
            self._process.close()
            self._service = None

    async def _all_read(self) -> None:
        async def read() -> bool:
            ends, group = await all_end_offsets(self._deployment), self._deployment.group
            return (
                await stored_offsets(self._deployment, group)
                == await committed(self._deployment, group)
                == ends
            )

        await until_async(read, "everything read")

    async def _nobody_reads(self) -> None:
        await self._stop()
        await self._send(submitted("B"), paid("B"))

    async def _no_payments(self) -> None:
        await self._faulty(PAID, [paid("C"), paid("D")], before=[submitted("C"), submitted("D")])

    async def _no_submissions(self) -> None:
        await self._faulty(SUBMITTED, [submitted("E"), submitted("F")])

    async def _faulty(
        self, topic: str, events: Sequence[EventSpec], before: Sequence[EventSpec] = ()
    ) -> None:
        await self._send(*before)
        await self._all_read()
        await self._stop()
        async with consuming_with(self._deployment, Fault([topic])):
            await self._send(*events)
            await self._all_read()
        await self._runs()

    async def _no_locations(self) -> None:
        await self._stop()
        with_location = submitted("G", location_id=LOCATION.decode())
        await self._send(with_location, paid("G", location_id=LOCATION.decode()))
        await consumed(
            self._deployment, lambda line: [rb"\N" if word == LOCATION else word for word in line]
        )
        await self._runs()

    async def _falsified(self) -> None:
        async with connected(self._deployment) as connection:
            await connection.execute(
                "UPDATE analytics_cache SET value = value || '{\"count\": 7}'"
                " WHERE provider_id = $1 AND metric_key = 'claims_paid' AND dimensions IS NULL",
                PROVIDER,
            )

    async def _undecodable(self) -> None:
        bad = with_undecodable_header(message(self._deployment, submitted("H")))
        await produce(self._deployment, 0, [bad])
        await self._send(submitted("I"))
        async with connected(self._deployment) as connection:

            async def told() -> bool:
                return bool(await connection.fetchval("SELECT count(*) FROM stopped_partitions"))

            await until_async(told, "the member's word that the partition has stopped")
