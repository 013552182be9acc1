"""What is over goes: files past their time, and files that no row names."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from repositories.reports.outcomes import fail_job
from service.reports.cleanup import Cleaned, CleanupPolicy, clean
from service.reports.files.file_errors import ReportGone, StoreUnavailable
from service.reports.files.store import FileStore
from service.reports.ownership import StoreOwner
from tests.harness.reports import stored_files
from tests.integration.repositories.report_examples import (
    announced,
    claimed,
    end_lease,
    let_time_pass,
    record,
    report_row,
    request,
)
from tests.integration.service.reports.making import Bench

POLICY = CleanupPolicy(grace=3600)
HOUR = timedelta(hours=1)
OLD = 2 * HOUR
CSV: dict[str, Any] = {"format": "CSV"}
PERIODS: dict[str, tuple[dict[str, Any], timedelta]] = {
    "scheduled": (CSV | {"scheduled": True}, timedelta(days=90)),
    "on demand": (CSV, timedelta(days=30)),
    "portability": (
        {
            "report_type": "DATA_PORTABILITY",
            "format": "ZIP",
            "period_start": None,
            "period_end": None,
        },
        timedelta(hours=72),
    ),
}


def now() -> datetime:
    return datetime.now(UTC)


@pytest.mark.parametrize("kind", PERIODS)
async def test_a_file_is_kept_for_its_period_and_then_removed_and_announced(
    bench: Bench, observer: asyncpg.Connection, kind: str
) -> None:
    given, period = PERIODS[kind]
    job = await bench.make(**given)
    await let_time_pass(observer, within=f"{(period - HOUR).total_seconds()} s")
    await clean(bench.database, bench.store, POLICY)
    assert (await report_row(observer))["status"] == "ready"
    assert await bench.files() == [job.file_path]
    await let_time_pass(observer, within="1 hour")
    cleaned = await clean(bench.database, bench.store, POLICY)
    row = await report_row(observer)
    assert cleaned.expired == 1
    assert (row["status"], row["wrapped_key"]) == ("expired", None)
    assert await bench.files() == []
    assert [one["data"]["status"] for one in await announced(observer)] == ["ready", "expired"]


async def test_an_expired_report_is_refused_as_gone(
    bench: Bench, observer: asyncpg.Connection
) -> None:
    await bench.make(**CSV)
    await let_time_pass(observer)
    await clean(bench.database, bench.store, POLICY)
    with pytest.raises(ReportGone):
        await bench.download()


async def test_a_file_that_is_already_gone_expires_all_the_same(
    bench: Bench, observer: asyncpg.Connection
) -> None:
    job = await bench.make(**CSV)
    await bench.store.delete(job.file_path)
    await let_time_pass(observer)
    cleaned = await clean(bench.database, bench.store, POLICY)
    assert cleaned.expired == 1
    assert (await report_row(observer))["status"] == "expired"


async def test_a_second_cleanup_finds_nothing_to_do(
    bench: Bench, observer: asyncpg.Connection
) -> None:
    await bench.make(**CSV)
    await let_time_pass(observer)
    await clean(bench.database, bench.store, POLICY)
    assert await clean(bench.database, bench.store, POLICY) == Cleaned(0, 0, 0, 0)
    assert len(await announced(observer)) == 2


async def test_while_the_store_is_away_nothing_is_announced_as_gone(
    bench: Bench, observer: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: Any) -> None:
        raise StoreUnavailable("the report store does not answer")

    await bench.make(**CSV)
    await let_time_pass(observer)
    monkeypatch.setattr(FileStore, "delete", away)
    with pytest.raises(StoreUnavailable):
        await clean(bench.database, bench.store, POLICY)
    assert (await report_row(observer))["status"] == "ready"
    monkeypatch.undo()
    assert (await clean(bench.database, bench.store, POLICY)).expired == 1


async def test_files_of_earlier_attempts_and_of_failed_reports_go_to_quarantine(
    bench: Bench, observer: asyncpg.Connection, folder: Path
) -> None:
    await record(bench.database, request(**CSV))
    earlier = await claimed(bench.database)
    await end_lease(observer)
    newest = await claimed(bench.database)
    await record(bench.database, request("B", **CSV))
    failed = await claimed(bench.database)
    await fail_job(bench.database, failed, code="test", message="It failed.")
    await StoreOwner(bench.database, bench.store).confirm()
    for job in (earlier, newest, failed):
        _lies_in(folder, job.file_path, age=OLD)
    cleaned = await clean(bench.database, bench.store, POLICY)
    assert cleaned.quarantined == 2
    assert await bench.files() == [newest.file_path]


async def test_files_that_no_row_names_go_to_quarantine_when_they_are_old_enough(
    bench: Bench, folder: Path
) -> None:
    await StoreOwner(bench.database, bench.store).confirm()
    provider = "reports/7d1c0b52-6a0e-4f6e-9c55-1f0d1b7a2c01"
    report = f"{provider}/4e904e57-0000-4000-8000-00000000000"
    old = [f"{report}1.1.csv.enc", f"{report}2.1.csv.enc#1", f"{provider}/stranger"]
    young = [f"{report}3.1.csv.enc", f"{report}4.1.csv.enc#1"]
    for key in old:
        _lies_in(folder, key, age=OLD)
    for key in young:
        _lies_in(folder, key, age=timedelta())
    cleaned = await clean(bench.database, bench.store, POLICY)
    assert (cleaned.quarantined, cleaned.removed) == (2, 1)  # what was never whole just goes
    assert stored_files(folder) == sorted(young)
    today = folder / f"quarantine/{now().date()}"
    assert [(today / key).exists() for key in old] == [True, False, True]


async def test_an_upload_is_left_alone_until_its_report_is_taken_over_however_long_it_takes(
    bench: Bench, observer: asyncpg.Connection, folder: Path
) -> None:
    await StoreOwner(bench.database, bench.store).confirm()
    await record(bench.database, request("A", **CSV))
    upload = f"{(await claimed(bench.database)).file_path}#1"
    _lies_in(folder, upload, age=OLD)
    assert (await clean(bench.database, bench.store, POLICY)).removed == 0
    assert stored_files(folder) == [upload]
    await end_lease(observer)
    await claimed(bench.database)
    assert (await clean(bench.database, bench.store, POLICY)).removed == 1
    assert stored_files(folder) == []


async def test_a_file_leaves_quarantine_after_its_days_there(bench: Bench, folder: Path) -> None:
    await StoreOwner(bench.database, bench.store).confirm()
    today = now().date()
    over, kept = today - timedelta(days=15), today - timedelta(days=14)
    for day in (over, kept):
        _lies_in(folder, f"quarantine/{day}/reports/provider/file", age=timedelta())
    assert await clean(bench.database, bench.store, POLICY) == Cleaned(0, 0, 1, 0)
    assert [each.name for each in (folder / "quarantine").rglob("*") if each.is_file()] == ["file"]
    assert (folder / f"quarantine/{kept}/reports/provider/file").exists()


async def test_announcements_are_forgotten_a_while_after_they_were_published(
    bench: Bench, observer: asyncpg.Connection
) -> None:
    await bench.make("A", **CSV)
    await bench.make("B", **CSV)
    published = (
        "UPDATE outbox SET published_at = now() - $1::interval"
        " WHERE seq = (SELECT min(seq) FROM outbox)"
    )
    await observer.execute(published, timedelta(days=29))
    early = await clean(bench.database, bench.store, POLICY)
    await observer.execute(published, timedelta(days=30, hours=1))
    late = await clean(bench.database, bench.store, POLICY)
    waiting = [one for one in await announced(observer) if one["published_at"] is None]
    assert (early.announcements, late.announcements) == (0, 1)
    assert len(waiting) >= 1


def _lies_in(folder: Path, key: str, age: timedelta) -> None:
    file = folder / key
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(b"something")
    then = (now() - age).timestamp()
    os.utime(file, (then, then))
