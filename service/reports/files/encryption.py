"""Streaming authenticated encryption: a file is never held whole, and never trusted in part.

AES-256-GCM in segments of 1 MiB, each bound to its place, to the file's path and to whether it
is the last (Tink's AES256_GCM_HKDF_1MB). A segment takes a few milliseconds, so the work is done
on the event loop; no thread waits for a slow client.
"""

import io
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from functools import cache
from typing import Protocol, cast

import tink
from tink import TinkError, aead, proto_keyset_format, secret_key_access, streaming_aead
from tink.proto import aes_gcm_pb2, tink_pb2

from service.reports.files.file_errors import FileDamaged

_AES_GCM = "type.googleapis.com/google.crypto.tink.AesGcmKey"

SEGMENT_BYTES = 1024 * 1024
# Tink reads one segment and looks whether another follows before it releases the first.
_READ_AHEAD = 2 * SEGMENT_BYTES


class Cipher(Protocol):
    """Encryption of short texts, bound to associated data. Both raise TinkError."""

    def encrypt(self, plaintext: bytes, associated_data: bytes) -> bytes: ...

    def decrypt(self, ciphertext: bytes, associated_data: bytes) -> bytes: ...


def wrapping_cipher(key: bytes) -> Cipher:
    """AES-256-GCM under a given key, for wrapping the keys of files."""
    _register()
    keyset = tink_pb2.Keyset(primary_key_id=1)
    keyset.key.add(
        key_id=1,
        status=tink_pb2.ENABLED,
        # Which key wrapped is stored beside the wrapped key, so no prefix need say it.
        output_prefix_type=tink_pb2.RAW,
        key_data=tink_pb2.KeyData(
            type_url=_AES_GCM,
            value=aes_gcm_pb2.AesGcmKey(key_value=key).SerializeToString(),
            key_material_type=tink_pb2.KeyData.SYMMETRIC,
        ),
    )
    handle = proto_keyset_format.parse(keyset.SerializeToString(), secret_key_access.TOKEN)
    return cast(Cipher, handle.primitive(aead.Aead))


def new_file_key() -> bytes:
    """A fresh key for one file, with the name of its algorithm. Secret: wrap it."""
    _register()
    template = streaming_aead.streaming_aead_key_templates.AES256_GCM_HKDF_1MB
    handle = tink.new_keyset_handle(template)
    return cast(bytes, proto_keyset_format.serialize(handle, secret_key_access.TOKEN))


def file_cipher(file_key: bytes) -> streaming_aead.StreamingAead:
    """The cipher of one file. Raises FileDamaged if the key is none that `new_file_key` made."""
    _register()
    try:
        handle = proto_keyset_format.parse(file_key, secret_key_access.TOKEN)
        return handle.primitive(streaming_aead.StreamingAead)
    except TinkError:
        raise FileDamaged("the key of a file is no key of this service") from None


@cache
def _register() -> None:
    aead.register()
    streaming_aead.register()


async def encrypt(
    plaintext: AsyncIterator[bytes], file_key: bytes, file_path: str
) -> AsyncGenerator[bytes]:
    """The ciphertext, in pieces; an error of `plaintext` passes through.

    Only the end of `plaintext` closes Tink's stream. Closing after an error would finish the
    ciphertext, and half a file would decrypt as a whole one.
    """
    sealed = _Sealed()
    stream = file_cipher(file_key).new_encrypting_stream(sealed, file_path.encode())
    async for chunk in plaintext:
        for piece in _pieces(chunk):
            stream.write(piece)
            if ready := sealed.take():
                yield ready
    stream.close()
    yield sealed.take()


async def decrypt(
    ciphertext: AsyncIterator[bytes], file_key: bytes, file_path: str
) -> AsyncGenerator[bytes]:
    """The plaintext, in pieces of at most a segment.

    Pieces come before the file's end is known to be genuine: only when this iterator ends
    without an error was the file complete. On FileDamaged throw away what came.
    """
    window = _Window()
    stream = file_cipher(file_key).new_decrypting_stream(window, file_path.encode())
    opened = 0
    async for chunk in ciphertext:
        window.feed(chunk)
        while len(window) >= _READ_AHEAD:
            piece = _read(stream, file_path)
            if not piece:
                raise _damaged(file_path)
            opened += len(piece)
            yield piece
    window.end()
    while piece := _read(stream, file_path):
        opened += len(piece)
        yield piece
    # Tink does not look at what follows a last segment that is full.
    if window.fed != encrypted_bytes(opened):
        raise _damaged(file_path)


def encrypted_bytes(plaintext_bytes: int) -> int:
    """The size that so much plaintext has when it is encrypted."""
    header, tag = 40, 16
    room = SEGMENT_BYTES - tag
    segments = max(1, -(-(header + plaintext_bytes) // room))
    return header + plaintext_bytes + segments * tag


def _read(stream: io.BufferedReader, file_path: str) -> bytes:
    try:
        return stream.read1(SEGMENT_BYTES)
    except TinkError:
        raise _damaged(file_path) from None


def _damaged(file_path: str) -> FileDamaged:
    return FileDamaged(
        f"{file_path} was changed, cut, extended, or is not the file that its key belongs to"
    )


def _pieces(chunk: bytes) -> Iterator[memoryview]:
    view = memoryview(chunk)
    for start in range(0, len(view), SEGMENT_BYTES):
        yield view[start : start + SEGMENT_BYTES]


class _Sealed(io.RawIOBase):
    """Where Tink puts ciphertext until it is taken."""

    def __init__(self) -> None:
        self._blocks: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, block: object) -> int:
        self._blocks.append(cast(bytes, block))
        return len(self._blocks[-1])

    def take(self) -> bytes:
        taken = b"".join(self._blocks)
        self._blocks.clear()
        return taken


class _Window(io.RawIOBase):
    """The ciphertext that has arrived and that Tink has not read."""

    def __init__(self) -> None:
        self.fed = 0
        self._bytes = bytearray()
        self._ended = False

    def __len__(self) -> int:
        return len(self._bytes)

    def readable(self) -> bool:
        return True

    def feed(self, chunk: bytes) -> None:
        self._bytes += chunk
        self.fed += len(chunk)

    def end(self) -> None:
        self._ended = True

    def read(self, size: int = -1) -> bytes:
        if not self._bytes and not self._ended:
            # Tink would spin on "nothing yet"; the read-ahead makes this impossible.
            raise BufferError("Tink reads further ahead than two segments")
        end = size if size >= 0 else len(self._bytes)
        taken = bytes(self._bytes[:end])
        del self._bytes[:end]
        return taken
