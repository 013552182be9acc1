"""The wires between the service and its two servers, to be cut, held and slowed down."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from enum import StrEnum
from random import Random

from service.local.stack.kafka import KafkaBroker
from service.local.stack.server import LOOPBACK, free_ports
from service.local.stack.workspace import Workspace
from tests.reliability.torture.fleet import pause
from tests.reliability.torture.mounted import mounted_workspace


class Way(StrEnum):
    """In which direction bytes go."""

    THERE = "to the server"
    BACK = "from the server"


HELD = {"silent": tuple(Way), "deaf": (Way.THERE,), "mute": (Way.BACK,)}


class Wire:
    """A TCP forwarder on loopback. What is held back is not lost: it comes once the way is open, or
    never, if the connection is cut before."""

    def __init__(self, port: int, target: int) -> None:
        self.port = port
        self.delay = 0.0  # seconds, of each piece
        self.target = target
        self._open = {way: asyncio.Event() for way in Way}
        self._sides: set[asyncio.StreamWriter] = set()
        for way in Way:
            self._open[way].set()

    def hold(self, *ways: Way) -> None:
        for way in ways:
            self._open[way].clear()

    def restore(self) -> None:
        self.delay = 0.0
        for way in Way:
            self._open[way].set()

    def cut(self) -> None:
        """Reset every connection."""
        for side in self._sides:
            side.transport.abort()

    async def end(self) -> None:
        """Cut, and wait until nobody forwards anything any more."""
        while self._sides:
            self.cut()
            await asyncio.sleep(0.01)  # a poll: streams tell nobody that they have ended

    async def forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there_reader, there = await asyncio.open_connection(LOOPBACK, self.target)
        except OSError:
            writer.transport.abort()
            return
        self._sides |= {writer, there}
        try:
            await asyncio.gather(
                self._copy(reader, there, Way.THERE), self._copy(there_reader, writer, Way.BACK)
            )
        finally:
            self._sides -= {writer, there}

    async def _copy(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, way: Way
    ) -> None:
        with suppress(OSError):
            while data := await reader.read(65_536):
                if self.delay:
                    await asyncio.sleep(self.delay)  # the fault itself: a slow network
                await self._open[way].wait()
                writer.write(data)
                await writer.drain()
        writer.close()


@asynccontextmanager
async def wire(target: int, port: int = 0) -> AsyncIterator[Wire]:
    """To a server's port; it listens on a free one, unless one is given."""
    [free] = free_ports(1)
    wired = Wire(port or free, target)
    server = await asyncio.start_server(wired.forward, LOOPBACK, wired.port)
    try:
        yield wired
    finally:
        server.close()
        wired.restore()
        await wired.end()


async def disturb(wired: Wire, rng: Random) -> None:
    """Slow, silent in both directions or in one, or cut; and as before in the end."""
    await pause(rng, 0.2, 1)
    kind = rng.choice(("slow", "cut", *HELD))
    if kind == "slow":
        wired.delay = rng.uniform(0.02, 0.2)
    elif kind == "cut":
        wired.cut()
    else:
        wired.hold(*HELD[kind])
    await pause(rng, 1, 5)
    if rng.random() < 0.5:
        wired.cut()
    wired.restore()


class WiredBroker(KafkaBroker):
    """Its clients come by a wire: that is the address which it tells them."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace)
        [self.wire_port] = free_ports(1)

    @property
    def bootstrap_servers(self) -> str:
        return f"{LOOPBACK}:{self.wire_port}"

    def _properties(self) -> dict[str, str | int]:
        told = {"advertised.listeners": f"PLAINTEXT://{self.bootstrap_servers}"}
        return super()._properties() | told


@contextmanager
def wired_kafka() -> Iterator[WiredBroker]:
    """A broker of the stack, for whoever starts its wire."""
    with mounted_workspace() as workspace:
        broker = WiredBroker(workspace)
        broker.start()
        yield broker
        broker.stop()
