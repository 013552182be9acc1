"""The jobs that run beside the consumers of report events, built out of settings."""

import asyncio
import logging
import os
from collections.abc import Sequence

from repositories.postgres.database import Database
from repositories.postgres.notifications import Notifications
from service.jobs import Job
from service.reports.cleanup import CleanupPolicy, keep_clean
from service.reports.files.keys import Keyring
from service.reports.files.locations import open_store
from service.reports.files.passwords import PasswordKeys
from service.reports.files.store import FileStore
from service.reports.relay import relay_outbox
from service.reports.worker import ReportWorker, WorkerPolicy
from service.settings import Settings
from service.wiring import kafka_connection

log = logging.getLogger(__name__)


def report_jobs(settings: Settings) -> Sequence[Job]:
    """Relay, workers and cleanup. Without master keys the relay alone: requests wait.

    Raises KeySettingWrong, StorageUrlWrong or StoreUnavailable.
    """
    notifications = Notifications()

    async def relay(database: Database, stop: asyncio.Event) -> None:
        await relay_outbox(database, kafka_connection(settings), settings, notifications, stop)

    if settings.report_master_keys is None:
        log.warning(
            "no reports are made: CLAIM_ANALYTICS_REPORT_MASTER_KEYS is not set;"
            " requests are taken down and wait (`claim-analytics keys new` makes a key)"
        )
        return [notifications.listen, relay]
    os.umask(0o077)  # report files and folders are this user's alone
    store = report_store(settings)
    keys, passwords = keyring(settings), password_keys(settings)
    policy = WorkerPolicy(
        lease=settings.report_lease_seconds,
        most_tries=settings.report_most_tries,
        shutdown=settings.shutdown_seconds,
    )
    cleanup = cleanup_policy(settings)

    async def report_worker(database: Database, stop: asyncio.Event) -> None:
        worker = ReportWorker(database, store, keys, passwords, policy, notifications)
        await worker.run(stop)

    async def report_cleanup(database: Database, stop: asyncio.Event) -> None:
        await keep_clean(database, store, cleanup, stop)

    workers = [report_worker] * settings.report_workers
    return [notifications.listen, relay, *workers, report_cleanup]


def cleanup_policy(settings: Settings) -> CleanupPolicy:
    return CleanupPolicy(
        every=settings.report_cleanup_seconds, grace=settings.report_orphan_seconds
    )


def report_store(settings: Settings) -> FileStore:
    return open_store(settings.report_storage_url)


def keyring(settings: Settings) -> Keyring:
    """Raises KeySettingWrong, also if there is no key at all."""
    keys = settings.report_master_keys
    return Keyring.parse(keys.get_secret_value() if keys else "")


def password_keys(settings: Settings) -> PasswordKeys | None:
    keys = settings.report_password_keys
    return PasswordKeys.parse(keys.get_secret_value()) if keys else None
