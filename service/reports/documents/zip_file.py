"""ZIP archives, streamed; with a password each file in them is encrypted (AES-256, WinZip AE-2).

Without a password the same files give the same bytes. With one they differ each time, as they
must: every file gets a random salt.
"""

import zlib
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import stream_zip

FILE_MODE = 0o100600  # a regular file, its owner's alone
# Files over 4 GiB would need ZIP64, which the Mac's own archive tool does not open; it would take
# some sixteen million events of one physician, and then `stream_zip` refuses loudly.
METHOD = stream_zip.ZIP_32


@dataclass(frozen=True, slots=True)
class ZipMember:
    name: str
    chunks: AsyncIterable[bytes]


async def zip_chunks(
    members: Sequence[ZipMember], modified_at: datetime, password: str | None
) -> AsyncGenerator[bytes, None]:
    """The archive in pieces of 64 KB. Compression runs in a thread, beside the event loop."""
    archive = stream_zip.async_stream_zip(
        _members(members, modified_at),
        get_compressobj=lambda: zlib.compressobj(level=6, wbits=-zlib.MAX_WBITS),
        # `stream_zip` takes a letter for a byte, and fails on those that are none; archive tools
        # take the password's UTF-8 bytes.
        password=None if password is None else password.encode().decode("latin-1"),
    )
    async for piece in archive:
        yield piece


async def _members(
    members: Sequence[ZipMember], modified_at: datetime
) -> AsyncIterator[stream_zip.AsyncMemberFile]:
    for member in members:
        yield member.name, modified_at, FILE_MODE, METHOD, member.chunks
