"""An address behind which the server can change, as a virtual IP's or a load balancer's."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress


class MovingAddress:
    """A TCP forwarder on loopback. Connections that are open stay with the server they went to."""

    def __init__(self, target: int) -> None:
        self.target = target  # the port that new connections go to
        self.port = 0
        self._sides: list[asyncio.StreamWriter] = []

    def reset(self) -> None:
        """Cut every connection."""
        for side in (side for side in self._sides if not side.is_closing()):
            side.transport.abort()
        self._sides.clear()

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there_reader, there = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            writer.close()
            return
        self._sides += [writer, there]
        await asyncio.gather(_copy(reader, there), _copy(there_reader, writer))


@asynccontextmanager
async def moving_address(target: int) -> AsyncIterator[MovingAddress]:
    address = MovingAddress(target)
    server = await asyncio.start_server(address._forward, "127.0.0.1", 0)
    address.port = server.sockets[0].getsockname()[1]
    try:
        yield address
    finally:
        server.close()
        address.reset()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    writer.close()
