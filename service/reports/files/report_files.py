"""Writing and reading the file of a report: encryption and store together."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass

from consumers.supervision.pulse import beat
from service.reports.files.encryption import decrypt, encrypt, new_file_key
from service.reports.files.keys import Keyring, WrappedKey
from service.reports.files.store import FileStore


@dataclass(frozen=True, slots=True)
class WrittenFile:
    """A file that is complete in the store; sizes in bytes.

    `size_bytes` is what a download gives (`generated_reports.file_size_bytes`), `stored_bytes`
    what the store holds.
    """

    size_bytes: int
    stored_bytes: int
    key: WrappedKey


async def write_report(
    store: FileStore, keyring: Keyring, file_path: str, plaintext: AsyncIterator[bytes]
) -> WrittenFile:
    """Encrypts under a fresh key and stores, in one stream.

    Either the whole file is there afterwards, or none is and an error is raised: that of
    `plaintext` as it was, FileExists, or StoreUnavailable. Closing `plaintext` is the caller's.
    """
    file_key = new_file_key()
    wrapped = keyring.wrap(file_key, file_path)
    counted = _Counted(plaintext)
    async with aclosing(encrypt(counted, file_key, file_path)) as ciphertext:
        stored = await store.put(file_path, ciphertext)
    return WrittenFile(counted.size, stored, wrapped)


async def read_report(
    store: FileStore, keyring: Keyring, file_path: str, key: WrappedKey
) -> AsyncIterator[bytes]:
    """The report in pieces. It is complete only if the iterator ends without an error.

    Raises MasterKeyUnknown, FileMissing, FileDamaged (even after the first pieces), or
    StoreUnavailable.
    """
    file_key = keyring.unwrap(key, file_path)
    async for piece in decrypt(store.get(file_path), file_key, file_path):
        yield piece


class _Counted:
    """The same chunks, with their bytes counted; each is a sign of life of whoever writes."""

    def __init__(self, chunks: AsyncIterator[bytes]) -> None:
        self._chunks = chunks
        self.size = 0

    def __aiter__(self) -> "_Counted":
        return self

    async def __anext__(self) -> bytes:
        chunk = await anext(self._chunks)
        beat()
        self.size += len(chunk)
        return chunk
