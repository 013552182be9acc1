"""Rotating the master key: every file's own key is wrapped anew, no file is touched."""

from repositories.postgres.database import Database
from repositories.reports.stored_files import keys_not_wrapped_by, rewrap_key
from service.reports.files.keys import Keyring, WrappedKey

AT_ONCE = 500


async def rewrap_all(database: Database, keyring: Keyring) -> int:
    """Wrap every stored file key by the primary master key; returns how many were not.

    Raises MasterKeyUnknown if a key is wrapped by one that the settings lack; what was rewrapped
    until then stays so. Safe to repeat and beside running workers.
    """
    rewrapped = 0
    while stored := await keys_not_wrapped_by(database, keyring.primary_id, AT_ONCE):
        for old in stored:
            new = keyring.rewrap(WrappedKey(old.key_id, old.wrapped_key), old.file_path)
            rewrapped += await rewrap_key(
                database, old, wrapped_key=new.ciphertext, key_id=new.key_id
            )
    return rewrapped
