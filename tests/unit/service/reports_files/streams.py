"""Short ways to make and to take streams of bytes."""

from collections.abc import AsyncGenerator, AsyncIterator


async def stream(data: bytes, chunk_bytes: int = 64 * 1024) -> AsyncGenerator[bytes]:
    for start in range(0, len(data), chunk_bytes):
        yield data[start : start + chunk_bytes]


async def broken_stream(data: bytes, error: Exception) -> AsyncGenerator[bytes]:
    """The data, and then the error instead of the end."""
    async for chunk in stream(data):
        yield chunk
    raise error


async def collect(pieces: AsyncIterator[bytes | memoryview]) -> bytes:
    return b"".join([piece async for piece in pieces])
