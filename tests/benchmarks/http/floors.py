"""What bounds a download: the cipher alone, and a server that only sends, with nothing of ours.

`python -m tests.benchmarks.http.floors ADDRESS BYTES` is that server.
"""

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

import uvicorn
from starlette.types import Receive, Scope, Send

from service.http.limits import BoundedProtocol
from service.reports.files.encryption import SEGMENT_BYTES, decrypt, encrypt, new_file_key

MB = 1_000_000
PATH = "floor"


@dataclass(frozen=True)
class Speed:
    """MB a second by the clock, and seconds of CPU for all of it."""

    rate: float
    cpu: float


async def speed_of(pieces: AsyncIterator[bytes | memoryview]) -> Speed:
    """Until the last piece; of all threads of this process."""
    began, used = time.monotonic(), time.process_time()
    size = sum([len(piece) async for piece in pieces])
    return Speed(size / MB / (time.monotonic() - began), time.process_time() - used)


async def speeds_of_cipher(size: int, times: int) -> Sequence[Speed]:
    """Of opening what is in memory, in pieces as large as the store's."""
    key = new_file_key()

    async def content() -> AsyncIterator[bytes]:
        for _ in range(size // MB):
            yield os.urandom(MB)

    sealed = b"".join([piece async for piece in encrypt(content(), key, PATH)])

    async def held() -> AsyncIterator[memoryview]:
        for start in range(0, len(sealed), 4 * SEGMENT_BYTES):
            yield memoryview(sealed)[start : start + 4 * SEGMENT_BYTES]

    return [await speed_of(decrypt(held(), key, PATH)) for _ in range(times)]


def main() -> None:
    address, size = sys.argv[1], int(sys.argv[2])
    host, _, port = address.partition(":")
    piece = os.urandom(SEGMENT_BYTES)

    async def answer(_scope: Scope, _receive: Receive, send: Send) -> None:
        headers = [(b"content-length", str(size).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        for start in range(0, size, SEGMENT_BYTES):
            body = piece if size - start >= SEGMENT_BYTES else piece[: size - start]
            await send({"type": "http.response.body", "body": body, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    config = uvicorn.Config(
        answer, host, int(port), http=BoundedProtocol, ws="none", lifespan="off", log_config=None
    )
    asyncio.run(uvicorn.Server(config).serve())


if __name__ == "__main__":
    main()
