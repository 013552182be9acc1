"""Which files are needed, by whom they may be read, and the keys that open them."""

from typing import Any
from uuid import UUID

import pytest
from asyncpg import Connection

from repositories.postgres.database import Database
from repositories.reports.jobs import postpone_job
from repositories.reports.outcomes import expire_reports, reports_past_expiry, retry_report
from repositories.reports.stored_files import (
    StoredFile,
    keys_not_wrapped_by,
    named_paths,
    rewrap_key,
    stored_file,
)
from repositories.vocabulary import ReportFormat, ReportStatus
from tests.integration.repositories.database_state import dump
from tests.integration.repositories.report_examples import (
    P,
    Q,
    claimed,
    end_lease,
    fail,
    finish,
    let_time_pass,
    record,
    report_id,
    report_row,
    request,
    requested_and_claimed,
)


async def read(database: Database, provider_id: UUID) -> StoredFile | None:
    async with database.transaction() as connection:
        return await stored_file(connection, provider_id, report_id())


async def test_a_ready_report_has_a_file_and_its_key_until_its_time_is_over(
    database: Database, observer: Connection
) -> None:
    job = await requested_and_claimed(database)
    await finish(database, job)
    until = (await report_row(observer))["download_link_expires_at"]
    ready = StoredFile(
        report_id(), P, ReportFormat.PDF, ReportStatus.READY, job.file_path, 4711,
        until, False, b"wrapped", "k1",
    )  # fmt: skip
    assert await read(database, P) == ready
    await let_time_pass(observer)
    later = await read(database, P)
    assert later is not None
    assert later.is_over


async def test_another_providers_file_is_not_there(database: Database) -> None:
    await finish(database, await requested_and_claimed(database))
    assert await read(database, Q) is None


async def test_a_report_that_is_not_ready_has_no_key(database: Database) -> None:
    await record(database, request())
    found = await read(database, P)
    assert found is not None
    assert (found.status, found.wrapped_key, found.key_id) == (ReportStatus.PENDING, None, None)


async def _pending(database: Database, observer: Connection) -> None:
    await record(database, request())


async def _generating(database: Database, observer: Connection) -> None:
    await requested_and_claimed(database)


async def _postponed(database: Database, observer: Connection) -> None:
    job = await requested_and_claimed(database)
    await postpone_job(database, job, code="x", pause_seconds=60)


async def _taken_over(database: Database, observer: Connection) -> None:
    await requested_and_claimed(database)
    await end_lease(observer)
    await claimed(database)


async def _ready(database: Database, observer: Connection) -> None:
    await _taken_over(database, observer)
    await end_lease(observer)
    await finish(database, await claimed(database))


async def _failed(database: Database, observer: Connection) -> None:
    await fail(database, await requested_and_claimed(database))


async def _tried_again(database: Database, observer: Connection) -> None:
    await _failed(database, observer)
    await retry_report(database, P, report_id())


async def _expired(database: Database, observer: Connection) -> None:
    await _ready(database, observer)
    await let_time_pass(observer)
    await expire_reports(database, await reports_past_expiry(database, 9))


@pytest.mark.parametrize(
    ("state", "needed"),
    [
        (_pending, True),
        (_generating, True),
        (_postponed, True),
        (_taken_over, True),
        (_ready, True),
        (_failed, False),
        (_tried_again, True),
        (_expired, False),
    ],
)
async def test_only_the_file_of_the_newest_attempt_is_needed(
    database: Database, observer: Connection, state: Any, needed: bool
) -> None:
    await state(database, observer)
    newest = (await report_row(observer))["file_path"]
    name = f"reports/{P}/{report_id()}"
    others = [f"{name}.{n}{random}.pdf.enc" for n in (1, 2, 3) for random in ("", ".0123456789ab")]
    strange = ["reports/", f"reports/{Q}/{report_id()}.1.pdf.enc", "reports/x/y.1.pdf.enc", "z"]
    assert await named_paths(database, [newest, *others, *strange]) == (
        {newest} if needed else set()
    )


async def test_no_paths_are_no_error(database: Database) -> None:
    assert await named_paths(database, []) == set()


async def test_rotation_finds_the_keys_that_another_master_key_wraps(database: Database) -> None:
    for name in "ABC":
        await finish(database, await requested_and_claimed(database, name=name))
    assert await keys_not_wrapped_by(database, "k1", 10) == []
    found = await keys_not_wrapped_by(database, "k2", 2)
    assert len(found) == 2
    for key in found:
        assert await rewrap_key(database, key, wrapped_key=b"again", key_id="k2")
    [left] = await keys_not_wrapped_by(database, "k2", 10)
    assert (left.wrapped_key, left.key_id) == (b"wrapped", "k1")


async def test_a_key_is_wrapped_again_with_the_path_that_it_is_bound_to(
    database: Database, observer: Connection
) -> None:
    job = await requested_and_claimed(database)
    await finish(database, job)
    [key] = await keys_not_wrapped_by(database, "k2", 1)
    assert (key.report_id, key.file_path) == (report_id(), job.file_path)
    assert await rewrap_key(database, key, wrapped_key=b"again", key_id="k2")
    row = await report_row(observer)
    assert (row["wrapped_key"], row["key_id"], row["status"]) == (b"again", "k2", "ready")


async def test_a_key_that_is_gone_or_was_wrapped_again_meanwhile_stays_as_it_is(
    database: Database, observer: Connection
) -> None:
    await finish(database, await requested_and_claimed(database))
    [key] = await keys_not_wrapped_by(database, "k2", 1)
    await rewrap_key(database, key, wrapped_key=b"again", key_id="k2")
    before = await dump(observer)
    assert not await rewrap_key(database, key, wrapped_key=b"late", key_id="k3")
    assert await dump(observer) == before
    await let_time_pass(observer)
    await expire_reports(database, await reports_past_expiry(database, 9))
    renewed = key._replace(wrapped_key=b"again")
    assert not await rewrap_key(database, renewed, wrapped_key=b"late", key_id="k3")
    assert (await report_row(observer))["wrapped_key"] is None
