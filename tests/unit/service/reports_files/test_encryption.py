import random
import time
from collections.abc import AsyncGenerator, AsyncIterator

import pytest

from service.reports.files.encryption import (
    SEGMENT_BYTES,
    decrypt,
    encrypt,
    encrypted_bytes,
    new_file_key,
)
from service.reports.files.file_errors import FileDamaged
from tests.unit.service.reports_files.streams import broken_stream, collect, stream

PATH = "reports/p/r.1.pdf.enc"
FIRST_SEGMENT = SEGMENT_BYTES - 56  # less header and tag
SEGMENT = SEGMENT_BYTES - 16  # less tag
KEY = new_file_key()


def content(size: int) -> bytes:
    return random.Random(size).randbytes(size)


async def sealed(plaintext: bytes, path: str = PATH, key: bytes = KEY) -> bytes:
    return await collect(encrypt(stream(plaintext), key, path))


async def opened(
    ciphertext: bytes, path: str = PATH, key: bytes = KEY, chunk_bytes: int = 1 << 16
) -> bytes:
    return await collect(decrypt(stream(ciphertext, chunk_bytes), key, path))


@pytest.mark.parametrize(
    "size",
    [
        0,
        1,
        1000,
        FIRST_SEGMENT - 1,
        FIRST_SEGMENT,
        FIRST_SEGMENT + 1,
        FIRST_SEGMENT + SEGMENT - 1,
        FIRST_SEGMENT + SEGMENT,
        FIRST_SEGMENT + SEGMENT + 1,
        5_000_000,
    ],
)
@pytest.mark.parametrize("chunk_bytes", [4096, 1_048_577, 8_000_000])
async def test_what_is_encrypted_decrypts_to_itself(size: int, chunk_bytes: int) -> None:
    plaintext = content(size)
    ciphertext = await sealed(plaintext)
    assert await opened(ciphertext, chunk_bytes=chunk_bytes) == plaintext
    assert len(ciphertext) == encrypted_bytes(size)


@pytest.mark.parametrize("chunk_bytes", [1, 1000, 3_000_000])
async def test_the_sizes_of_the_chunks_do_not_matter(chunk_bytes: int) -> None:
    plaintext = content(3_000_000 if chunk_bytes > 1 else 3000)
    ciphertext = await collect(encrypt(stream(plaintext, chunk_bytes), KEY, PATH))
    assert await opened(ciphertext, chunk_bytes=chunk_bytes) == plaintext


async def test_ciphertext_shows_nothing_of_the_plaintext() -> None:
    assert b"123456789" not in await sealed(b"123456789" * 1000)


async def test_the_same_plaintext_never_gives_the_same_ciphertext() -> None:
    assert await sealed(b"same") != await sealed(b"same")


TWO_SEGMENTS_AND_SOME = FIRST_SEGMENT + SEGMENT + 5000


@pytest.mark.parametrize(
    "position", [0, 1, 39, 40, 5000, SEGMENT_BYTES - 1, SEGMENT_BYTES, 2 * SEGMENT_BYTES + 1, -1]
)
async def test_a_changed_byte_is_refused(position: int) -> None:
    changed = bytearray(await sealed(content(TWO_SEGMENTS_AND_SOME)))
    changed[position] ^= 1
    with pytest.raises(FileDamaged, match=r"r\.1\.pdf\.enc"):
        await opened(bytes(changed))


@pytest.mark.parametrize(
    "size",
    [
        *(0, 1, 39, 40, 55, 1000, -1),
        *(SEGMENT_BYTES - 1, SEGMENT_BYTES, SEGMENT_BYTES + 1),
        *(2 * SEGMENT_BYTES - 1, 2 * SEGMENT_BYTES, 2 * SEGMENT_BYTES + 1),
    ],
)
async def test_a_file_that_was_cut_is_refused(size: int) -> None:
    ciphertext = await sealed(content(TWO_SEGMENTS_AND_SOME))
    with pytest.raises(FileDamaged):
        await opened(ciphertext[:size])


@pytest.mark.parametrize("plaintext_bytes", [0, 1, FIRST_SEGMENT, FIRST_SEGMENT + SEGMENT])
@pytest.mark.parametrize("more", [1, 16, 17, SEGMENT_BYTES, 5 * SEGMENT_BYTES])
async def test_a_file_that_was_extended_is_refused(plaintext_bytes: int, more: int) -> None:
    ciphertext = await sealed(content(plaintext_bytes))
    with pytest.raises(FileDamaged):
        await opened(ciphertext + bytes(more))


async def test_two_segments_that_changed_places_are_refused() -> None:
    ciphertext = await sealed(content(FIRST_SEGMENT + 2 * SEGMENT + 10))
    one, two, three = (SEGMENT_BYTES * number for number in (1, 2, 3))
    swapped = ciphertext[:one] + ciphertext[two:three] + ciphertext[one:two] + ciphertext[three:]
    with pytest.raises(FileDamaged):
        await opened(swapped)


async def test_a_file_under_another_name_is_refused() -> None:
    with pytest.raises(FileDamaged):
        await opened(await sealed(b"report"), path="reports/p/r.2.pdf.enc")


async def test_a_file_with_another_files_key_is_refused() -> None:
    with pytest.raises(FileDamaged):
        await opened(await sealed(b"report"), key=new_file_key())


async def test_a_foreign_file_is_refused() -> None:
    with pytest.raises(FileDamaged):
        await opened(content(3 * SEGMENT_BYTES))


@pytest.mark.parametrize("key", [b"", b"garbage", b"\x08\x01"])
async def test_a_key_that_is_none_is_refused(key: bytes) -> None:
    with pytest.raises(FileDamaged, match="no key of this service"):
        await opened(await sealed(b"report"), key=key)


async def test_a_source_that_fails_leaves_a_ciphertext_that_does_not_open() -> None:
    source = broken_stream(content(3 * SEGMENT_BYTES), RuntimeError("the source broke"))
    written: list[bytes] = []
    with pytest.raises(RuntimeError, match="the source broke"):
        written.extend([piece async for piece in encrypt(source, KEY, PATH)])
    with pytest.raises(FileDamaged):
        await opened(b"".join(written))


async def test_decryption_gives_pieces_before_the_whole_file_has_come() -> None:
    ciphertext = await sealed(content(20 * SEGMENT_BYTES))
    taken = 0

    async def counted() -> AsyncGenerator[bytes]:
        nonlocal taken
        async for chunk in stream(ciphertext):
            taken += len(chunk)
            yield chunk

    first = await anext(decrypt(counted(), KEY, PATH))

    assert first == content(20 * SEGMENT_BYTES)[: len(first)]
    assert taken <= 3 * SEGMENT_BYTES


async def test_encryption_holds_back_little() -> None:
    taken = given = most = 0

    async def counted() -> AsyncGenerator[bytes]:
        nonlocal taken
        async for chunk in stream(content(20 * SEGMENT_BYTES)):
            taken += len(chunk)
            yield chunk

    async for piece in encrypt(counted(), KEY, PATH):
        given += len(piece)
        most = max(most, taken - given)

    assert most <= 3 * SEGMENT_BYTES


async def typical_step(pieces: AsyncIterator[bytes]) -> float:
    """Seconds from piece to piece, the median: this machine's other work must not count."""
    steps: list[float] = []
    started = time.perf_counter()
    async for _ in pieces:
        steps.append(time.perf_counter() - started)
        started = time.perf_counter()
    return sorted(steps)[len(steps) // 2]


async def test_neither_way_keeps_the_event_loop_long() -> None:
    one_chunk = content(30 * SEGMENT_BYTES)
    assert await typical_step(encrypt(stream(one_chunk, len(one_chunk)), KEY, PATH)) < 0.1
    assert await typical_step(decrypt(stream(await sealed(one_chunk)), KEY, PATH)) < 0.1
