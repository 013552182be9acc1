"""Master keys: each file has a key of its own, and a master key wraps that (envelope encryption).

The setting is a text of `id:key` entries, separated by commas or white space, the primary first:

    2026-07-29.5e1c:Jq3…=,2025-08-01.90aa:m4X…=

Every key opens what it has wrapped; the primary alone wraps. A key is 32 random bytes in base64
(`openssl rand -base64 32` makes one too).
"""

import base64
import binascii
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from tink import TinkError

from service.reports.files.encryption import wrapping_cipher
from service.reports.files.file_errors import FileDamaged, KeySettingWrong, MasterKeyUnknown

_KEY_BYTES = 32
_KEY_ID = re.compile(r"[A-Za-z0-9._-]{1,32}")
_SEPARATORS = re.compile(r"[,\s]+")


@dataclass(frozen=True, slots=True)
class WrappedKey:
    """A file's key as it may be stored: opened by the master key `key_id` for one file only."""

    key_id: str
    ciphertext: bytes = field(repr=False)


class Keyring:
    """The master keys that this process knows."""

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        self._ciphers = {key_id: wrapping_cipher(key) for key_id, key in keys.items()}
        self.primary_id = next(iter(keys))

    @classmethod
    def parse(cls, setting: str) -> "Keyring":
        """Raises KeySettingWrong, which says which entry is wrong and never quotes a key."""
        return cls(_parse(setting))

    @property
    def key_ids(self) -> tuple[str, ...]:
        return tuple(self._ciphers)

    def wrap(self, file_key: bytes, file_path: str) -> WrappedKey:
        """By the primary. What is wrapped for one path opens for no other."""
        cipher = self._ciphers[self.primary_id]
        return WrappedKey(self.primary_id, cipher.encrypt(file_key, file_path.encode()))

    def unwrap(self, wrapped: WrappedKey, file_path: str) -> bytes:
        """Raises MasterKeyUnknown, or FileDamaged if the key is another file's or was changed."""
        cipher = self._ciphers.get(wrapped.key_id)
        if cipher is None:
            raise MasterKeyUnknown(
                f"the key of {file_path} is wrapped by the master key {wrapped.key_id}, and the "
                f"settings hold only {', '.join(self.key_ids)}; add it to REPORT_MASTER_KEYS again"
            )
        try:
            return cipher.decrypt(wrapped.ciphertext, file_path.encode())
        except TinkError:
            raise FileDamaged(
                f"the stored key of {file_path} was changed, belongs to another file, or "
                f"{wrapped.key_id} now names another master key"
            ) from None

    def rewrap(self, wrapped: WrappedKey, file_path: str) -> WrappedKey:
        """The same file's key under the primary; the file itself is not touched."""
        if wrapped.key_id == self.primary_id:
            return wrapped
        return self.wrap(self.unwrap(wrapped, file_path), file_path)


def new_master_key(today: date) -> str:
    """One fresh `id:key` entry; the id tells its day."""
    key = base64.b64encode(secrets.token_bytes(_KEY_BYTES)).decode()
    return f"{today.isoformat()}.{secrets.token_hex(2)}:{key}"


def with_primary(setting: str, entry: str) -> str:
    """The setting with the entry in front: it wraps from now on, the others still open."""
    changed = ",".join([entry, *_entries(setting)])
    _parse(changed)
    return changed


def without(setting: str, key_id: str) -> str:
    """The setting with a key dropped: call when nothing is wrapped by it any more."""
    keys = _parse(setting)
    if key_id not in keys:
        raise KeySettingWrong(f"there is no master key {key_id}; there are {', '.join(keys)}")
    if key_id == next(iter(keys)):
        raise KeySettingWrong(f"{key_id} is the primary; put another in front before dropping it")
    return ",".join(e for e in _entries(setting) if not e.startswith(f"{key_id}:"))


def _parse(setting: str) -> dict[str, bytes]:
    keys: dict[str, bytes] = {}
    for number, entry in enumerate(_entries(setting), start=1):
        key_id, key = _parse_entry(number, entry)
        if key_id in keys:
            raise KeySettingWrong(f"the master key id {key_id} stands twice")
        keys[key_id] = key
    if not keys:
        raise KeySettingWrong("no master key; make one with `claim-analytics keys new`")
    return keys


def _entries(setting: str) -> list[str]:
    return [entry for entry in _SEPARATORS.split(setting) if entry]


def _parse_entry(number: int, entry: str) -> tuple[str, bytes]:
    key_id, colon, encoded = entry.partition(":")
    if not colon or not _KEY_ID.fullmatch(key_id):
        raise KeySettingWrong(
            f"master key {number} is not of the form id:base64, with an id of at most 32 letters, "
            "digits, dots, dashes and underscores"
        )
    try:
        key = base64.b64decode(encoded, validate=True)
    except binascii.Error:
        raise KeySettingWrong(f"master key {number} ({key_id}) is not base64") from None
    if len(key) != _KEY_BYTES:
        raise KeySettingWrong(
            f"master key {number} ({key_id}) has {len(key)} bytes instead of {_KEY_BYTES}"
        )
    return key_id, key
