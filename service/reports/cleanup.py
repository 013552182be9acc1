"""Removing what is over: downloads past their time, files that no row names, old announcements."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from consumers.waiting import set_within
from repositories.database import Database
from repositories.errors import RepositoryError
from repositories.outbox import prune_outbox
from repositories.report_expiry import expire_reports, reports_past_expiry
from repositories.report_files import named_paths
from service.reports.files.errors import ReportFileError
from service.reports.files.store import FileStore

log = logging.getLogger(__name__)

FOLDER = "reports"
AT_ONCE = 200


@dataclass(frozen=True)
class CleanupPolicy:
    """`every` seconds; a file without a row is left alone for `grace` seconds: its worker may
    still hold a lease. Published announcements are kept for `outbox_days`."""

    every: float = 300.0
    grace: float = 3_600.0
    outbox_days: int = 30


@dataclass(frozen=True)
class Cleaned:
    """What one cleanup removed."""

    expired: int
    orphans: int
    announcements: int


async def keep_clean(
    database: Database, store: FileStore, policy: CleanupPolicy, stop: asyncio.Event
) -> None:
    """Clean now and then until `stop` is set; what fails is tried again the next time."""
    while not stop.is_set():
        try:
            cleaned = await clean(database, store, policy, datetime.now(UTC))
            if any((cleaned.expired, cleaned.orphans)):
                log.info("reports cleaned", extra=vars(cleaned))
        except (RepositoryError, ReportFileError) as error:
            if not error.retriable:
                raise
            log.warning("failed while cleaning reports, trying again later: %s", error)
        await set_within(stop, policy.every)


async def clean(
    database: Database, store: FileStore, policy: CleanupPolicy, now: datetime
) -> Cleaned:
    """One round. Safe beside workers, and beside other cleanups."""
    expired = await _expire(database, store, now)
    unowned_since = now - timedelta(seconds=policy.grace)
    orphans = await _remove_orphans(database, store, unowned_since)
    orphans += await store.sweep(unowned_since)
    announcements = await prune_outbox(database, now - timedelta(days=policy.outbox_days))
    return Cleaned(expired, orphans, announcements)


async def _expire(database: Database, store: FileStore, now: datetime) -> int:
    """Files first: a crash in between leaves a report that is past its time, and found again."""
    expired = 0
    while past := await reports_past_expiry(database, now, AT_ONCE):
        for report in past:
            await store.delete(report.file_path)
        expired += await expire_reports(database, past, now)
    return expired


async def _remove_orphans(database: Database, store: FileStore, before: datetime) -> int:
    removed, suspects = 0, []
    async for file in store.list(FOLDER):
        if file.modified < before:
            suspects.append(file.key)
        if len(suspects) == AT_ONCE:
            removed += await _remove_unnamed(database, store, suspects)
            suspects = []
    return removed + await _remove_unnamed(database, store, suspects)


async def _remove_unnamed(database: Database, store: FileStore, suspects: Sequence[str]) -> int:
    if not suspects:
        return 0
    orphans = set(suspects) - await named_paths(database, suspects)
    for key in sorted(orphans):
        await store.delete(key)
    return len(orphans)
