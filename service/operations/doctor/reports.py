"""The report files as the doctor sees them: their store, and the keys that open them."""

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path

from repositories.postgres.database import Database
from repositories.reports.stored_files import keys_in_use, newest_ready
from service.operations.doctor.findings import Finding, fine, look, wrong
from service.reports.files.file_errors import (
    FileDamaged,
    KeySettingWrong,
    ReportFileError,
    StorageUrlWrong,
    StoreOfOriginal,
)
from service.reports.files.keys import Keyring, WrappedKey
from service.reports.files.locations import local_folder
from service.reports.files.store import FileStore
from service.reports.ownership import StoreOwner
from service.reports.wiring import keyring, password_keys, report_store
from service.settings import PREFIX, Settings

KEYS, STORE = "keys", "report store"
MASTER_KEYS, STORAGE = f"{PREFIX}REPORT_MASTER_KEYS", f"{PREFIX}REPORT_STORAGE_URL"
STORE_SECONDS = 20
LOOKED_FOR = 100  # reports whose files the store is asked for


async def look_at_keys(settings: Settings, database: Database | None) -> Sequence[Finding]:
    found: list[Finding] = []
    try:
        password_keys(settings)
    except KeySettingWrong as error:
        found.append(wrong(KEYS, f"{PREFIX}REPORT_PASSWORD_KEYS: {error}"))
    if settings.report_master_keys is None:
        waits = "no reports are made, and requests wait: `claim-analytics keys new` makes keys"
        return [*found, look(KEYS, f"{MASTER_KEYS} is not set: {waits}")]
    try:
        ring = keyring(settings)
    except KeySettingWrong as error:
        return [*found, wrong(KEYS, f"{MASTER_KEYS}: {error}")]
    if database:
        found += await _probe(ring, database)
    return found or [fine(KEYS, "the master keys open what they wrapped")]


async def _probe(ring: Keyring, database: Database) -> Sequence[Finding]:
    """Of each master key that wraps something one file's key is opened."""
    found = []
    for used in await keys_in_use(database):
        if used.key_id not in ring.key_ids:
            said = (
                f"{used.files:,} report files open with the master key {used.key_id}, and"
                f" {MASTER_KEYS} lacks it: put it back, at the end"
            )
            found.append(wrong(KEYS, said))
            continue
        try:
            ring.unwrap(WrappedKey(used.key_id, used.wrapped_key), used.file_path)
        except FileDamaged:
            said = (
                f"the master key {used.key_id} in {MASTER_KEYS} is not the one that wrapped"
                f" {used.files:,} report files' keys under this name: find the right one"
            )
            found.append(wrong(KEYS, said))
    return found


async def look_at_store(settings: Settings, database: Database | None) -> Sequence[Finding]:
    """Without making a folder that is missing, and without marking the store."""
    try:
        folder = local_folder(settings.report_storage_url)
        if folder and not folder.exists():
            return [_missing(folder), *(await _look_for_files(None, database) if database else [])]
        if folder and folder.is_dir() and not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
            return [wrong(STORE, f"{folder}: this user may not read and write it: chown it")]
        store = report_store(settings)
        if database:
            async with asyncio.timeout(STORE_SECONDS):
                await StoreOwner(database, store).look()
                if lost := await _look_for_files(store, database):
                    return lost
    except TimeoutError:
        said = f"no answer within {STORE_SECONDS} seconds. Is {STORAGE} right?"
        return [wrong(STORE, said)]
    except StoreOfOriginal as error:
        restored = "If the database was restored and anything erased since: claim-analytics erase"
        return [wrong(STORE, f"{error}. {restored} --import FILE")]
    except (StorageUrlWrong, ReportFileError) as error:
        return [wrong(STORE, f"{STORAGE}: {error}")]
    return [fine(STORE, "it answers" + (" and is this installation's" if database else ""))]


async def _look_for_files(store: FileStore | None, database: Database) -> Sequence[Finding]:
    """Those of the newest reports: the ones that a store lacks which was restored from a backup."""
    ready = await newest_ready(database, LOOKED_FOR)
    lost = [report for report, path in ready if store is None or not await store.exists(path)]
    if not lost:
        return []
    said = (
        f"it lacks the files of {len(lost)} of the newest {len(ready)} ready reports, such as"
        f" {lost[0]}: if it is the right one, put them back from a backup, or have each made again:"
        " claim-analytics report retry"
    )
    return [wrong(STORE, said)]


def _missing(folder: Path) -> Finding:
    parent = next(each for each in folder.parents if each.exists())
    if os.access(parent, os.W_OK | os.X_OK):
        return look(STORE, f"{folder} is not there yet; `run` makes it. Is {STORAGE} right?")
    return wrong(STORE, f"{folder} is not there, and this user may not make it: make it, chown it")
