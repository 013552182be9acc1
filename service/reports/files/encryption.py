"""Streaming authenticated encryption: a file is never held whole, and never trusted in part.

AES-256-GCM in segments of 1 MiB, each bound to its place, to the file's path and to whether it
is the last (Tink's AES256_GCM_HKDF_1MB). A segment takes a few milliseconds at most, so the work is
done on the event loop: no thread waits for a slow client, and the cipher would keep Python's lock
in a thread too.
"""

import io
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from functools import cache
from typing import Protocol, cast

import tink
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from tink import TinkError, aead, proto_keyset_format, secret_key_access, streaming_aead
from tink.proto import aes_gcm_hkdf_streaming_pb2, aes_gcm_pb2, common_pb2, tink_pb2

from service.reports.files.file_errors import FileDamaged

_AES_GCM = "type.googleapis.com/google.crypto.tink.AesGcmKey"

SEGMENT_BYTES = 1024 * 1024
# Of a file: how long its header is (which its first byte says), the beginning of its segments'
# nonces, which ends the header, and their key.
_HEADER, _PREFIX, _KEY_BYTES = 40, 7, 32
_NO_KEY = "the key of a file is no key of this service"


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
        raise FileDamaged(_NO_KEY) from None


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
    ciphertext: AsyncIterator[bytes | memoryview], file_key: bytes, file_path: str
) -> AsyncGenerator[bytes]:
    """The plaintext, in pieces of at most a segment.

    Pieces come before the file's end is known to be genuine: only when this iterator ends
    without an error was the file complete. On FileDamaged throw away what came.

    Tink wrote the file, and its streams would read it too, at a sixth of the speed: what they do
    with a segment in Python takes longer than the cipher. The format is Tink's own, and documented.
    """
    opener: _Opener | None = None
    async for segment, is_last in _segments(ciphertext):
        if opener is None:
            opener = _Opener(file_key, file_path, bytes(segment[:_HEADER]))
            yield opener.open(segment[_HEADER:], is_last=is_last)
        else:
            yield opener.open(segment, is_last=is_last)


def encrypted_bytes(plaintext_bytes: int) -> int:
    """The size that so much plaintext has when it is encrypted."""
    tag = 16
    room = SEGMENT_BYTES - tag
    segments = max(1, -(-(_HEADER + plaintext_bytes) // room))
    return _HEADER + plaintext_bytes + segments * tag


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


class _Opener:
    """The segments of one file, in their order.

    Each has a nonce of its own, from the file's header, its number and whether it is the last: one
    that is cut, moved, repeated or left out is not genuine, nor is a last one that has others after
    it.
    """

    def __init__(self, file_key: bytes, file_path: str, header: bytes) -> None:
        """Raises FileDamaged."""
        self._file_path = file_path
        if len(header) != _HEADER or header[0] != _HEADER:
            raise _damaged(file_path)
        salt, self._prefix = header[1:-_PREFIX], header[-_PREFIX:]
        kdf = HKDF(SHA256(), _KEY_BYTES, salt, info=file_path.encode())
        self._cipher = AESGCM(kdf.derive(_key_material(file_key)))
        self._number = 0

    def open(self, segment: memoryview, *, is_last: bool) -> bytes:
        """Raises FileDamaged."""
        nonce = self._prefix + self._number.to_bytes(4) + bytes([is_last])
        self._number += 1
        try:
            return self._cipher.decrypt(nonce, segment, None)
        except (InvalidTag, ValueError):
            raise _damaged(self._file_path) from None


def _key_material(file_key: bytes) -> bytes:
    """Raises FileDamaged if the key is none that `new_file_key` made."""
    file_cipher(file_key)  # so that what follows can be read
    [key] = tink_pb2.Keyset.FromString(file_key).key
    streaming = aes_gcm_hkdf_streaming_pb2.AesGcmHkdfStreamingKey.FromString(key.key_data.value)
    params = streaming.params
    made = (params.ciphertext_segment_size, params.derived_key_size, params.hkdf_hash_type)
    if made != (SEGMENT_BYTES, _KEY_BYTES, common_pb2.SHA256):
        raise FileDamaged(_NO_KEY)
    return cast(bytes, streaming.key_value)


async def _segments(
    ciphertext: AsyncIterator[bytes | memoryview],
) -> AsyncGenerator[tuple[memoryview, bool]]:
    """The segments of a file, each with whether it is the last, which is known once another byte
    follows, or none does."""
    held = memoryview(b"")
    async for chunk in ciphertext:
        if len(held) == SEGMENT_BYTES and chunk:
            yield held, False
            held = memoryview(b"")
        held = memoryview(held.tobytes() + chunk) if held else memoryview(chunk)
        while len(held) > SEGMENT_BYTES:
            yield held[:SEGMENT_BYTES], False
            held = held[SEGMENT_BYTES:]
    yield held, True
