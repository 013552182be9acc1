"""Removing what is over: downloads past their time, files that no row names, old announcements.

What is over is over by the database's clock. What no row names goes to quarantine first: perhaps it
is the rows that are wrong, those of an old backup.
"""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from consumers.supervision.pulse import beat
from repositories.errors import RepositoryError
from repositories.outbox import prune_outbox
from repositories.postgres.clock import database_time
from repositories.postgres.database import Database
from repositories.reports.outcomes import expire_reports, expiry_of_reports, reports_past_expiry
from repositories.reports.stored_files import named_paths, paths_under_lease
from service.checks.clock import seconds_ahead
from service.jobs import every
from service.reports.files.file_errors import ReportFileError
from service.reports.files.store import QUARANTINE, REPORTS, FileStore
from service.reports.ownership import StoreOwner

log = logging.getLogger(__name__)

AT_ONCE = 200
MOST_SECONDS_OFF = 3_600.0
BULK = 20  # so many reports may always expire at once …
BULK_SHARE = 0.2  # … and more of them only up to this share of those that are ready


@dataclass(frozen=True)
class CleanupPolicy:
    """`every` seconds. A file without a row, and an upload whose worker has lost its lease, are
    left alone for `grace` seconds; the file is then in quarantine for `quarantine_days`. Published
    announcements are kept for `outbox_days`."""

    every: float = 300.0
    grace: float = 3_600.0
    quarantine_days: int = 14
    outbox_days: int = 30


@dataclass(frozen=True)
class Cleaned:
    """What one cleanup did: reports that expired, files that went to quarantine, files (from there)
    and unfinished uploads that were removed, announcements that were forgotten."""

    expired: int
    quarantined: int
    removed: int
    announcements: int


class CleanupPaused(Exception):
    """A clock may have jumped: nothing was removed. The message says what to look at."""


async def keep_clean(
    database: Database, store: FileStore, policy: CleanupPolicy, stop: asyncio.Event
) -> None:
    """Clean now and then until `stop` is set; what fails is tried again the next time."""

    async def clean_now() -> None:
        try:
            cleaned = await clean(database, store, policy)
        except CleanupPaused as paused:
            log.error("no reports expire and no files are removed: %s", paused)
            return
        if cleaned.expired or cleaned.quarantined or cleaned.removed:
            log.info("reports cleaned", extra=vars(cleaned))

    errors = (RepositoryError, ReportFileError)
    await every(policy.every, clean_now, stop, doing="cleaning reports", errors=errors)


async def clean(
    database: Database, store: FileStore, policy: CleanupPolicy, *, confirmed: bool = False
) -> Cleaned:
    """One round. Safe beside workers, and beside other cleanups.

    Raises CleanupPaused, unless a person has `confirmed` that the database's clock is right, and
    StoreNotOurs.
    """
    await StoreOwner(database, store).confirm()
    if not confirmed:
        await _pause_if_a_clock_may_be_wrong(database)
    now = await database_time(database)
    expired = await _expire(database, store)
    unowned_since = now - timedelta(seconds=policy.grace)
    quarantined = await _quarantine_orphans(database, store, unowned_since, now.date())
    removed = await _empty_quarantine(store, now.date() - timedelta(days=policy.quarantine_days))
    removed += await store.sweep(unowned_since, spared=await paths_under_lease(database))
    announcements = await prune_outbox(database, timedelta(days=policy.outbox_days))
    return Cleaned(expired, quarantined, removed, announcements)


async def _pause_if_a_clock_may_be_wrong(database: Database) -> None:
    ahead = await seconds_ahead(database)
    if abs(ahead) > MOST_SECONDS_OFF:
        raise CleanupPaused(
            f"this instance's clock and the database's are {abs(ahead) / 3600:.1f} hours apart, so"
            " one of them is wrong. Set both by NTP"
        )
    past, ready = await expiry_of_reports(database)
    if past > max(BULK, ready * BULK_SHARE):
        raise CleanupPaused(
            f"{past} of {ready} ready reports would expire at once: has the database's clock"
            " jumped? If it is right: claim-analytics report cleanup --confirm"
        )


async def _expire(database: Database, store: FileStore) -> int:
    """Files first: a crash in between leaves a report that is past its time, and found again."""
    expired = 0
    while past := await reports_past_expiry(database, AT_ONCE):
        for report in past:
            await store.delete(report.file_path)
            beat()
        expired += await expire_reports(database, past)
    return expired


async def _quarantine_orphans(
    database: Database, store: FileStore, before: datetime, today: date
) -> int:
    """All of them in one folder a day, under the names that they had, so that they can be put
    back."""
    moved, suspects = 0, []
    folder = f"{QUARANTINE}/{today}"
    async for file in store.list(REPORTS):
        beat()
        if file.modified < before:
            suspects.append(file.key)
        if len(suspects) == AT_ONCE:
            moved += await _move_unnamed(database, store, suspects, folder)
            suspects = []
    moved += await _move_unnamed(database, store, suspects, folder)
    if moved:
        log.warning(
            "%d files that no row names were moved to %s in the report store; they are removed"
            " after their time there", moved, folder,
        )  # fmt: skip
    return moved


async def _move_unnamed(
    database: Database, store: FileStore, suspects: Sequence[str], folder: str
) -> int:
    if not suspects:
        return 0
    orphans = set(suspects) - await named_paths(database, suspects)
    return sum([await store.move(key, f"{folder}/{key}") for key in sorted(orphans)])


async def _empty_quarantine(store: FileStore, until: date) -> int:
    """Removes what came there before that day."""
    removed = 0
    async for file in store.list(QUARANTINE):
        beat()
        if _day_of(file.key, or_else=file.modified) < until:
            await store.delete(file.key)
            removed += 1
    return removed


def _day_of(key: str, or_else: datetime) -> date:
    """The day in the name: not every store keeps or sets a file's time when it is moved."""
    try:
        return date.fromisoformat(key.split("/")[1])
    except ValueError:  # put there by somebody else
        return or_else.astimezone(UTC).date()
