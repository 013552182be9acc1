"""Which files are needed, by whom they may be read, and the keys that open them."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from asyncpg import Connection

from repositories.database import Database
from repositories.report_expiry import expire_reports, reports_past_expiry
from repositories.report_files import (
    StoredFile,
    keys_not_wrapped_by,
    named_paths,
    rewrap_key,
    stored_file,
)
from repositories.report_jobs import postpone_job
from repositories.report_outcomes import retry_report
from repositories.vocabulary import ReportFormat, ReportStatus
from tests.integration.repositories.database_state import dump
from tests.integration.repositories.report_examples import (
    READY_AT,
    P,
    Q,
    claimed,
    end_lease,
    fail,
    finish,
    record,
    report_id,
    report_row,
    request,
    requested_and_claimed,
)

PATHS = [f"reports/{P}/{report_id()}.{attempt}.pdf.enc" for attempt in (1, 2, 3)]
LATER = READY_AT + timedelta(days=30)


async def read(database: Database, provider_id: UUID) -> StoredFile | None:
    async with database.transaction() as connection:
        return await stored_file(connection, provider_id, report_id())


async def test_a_ready_report_has_a_file_and_its_key(database: Database) -> None:
    job = await requested_and_claimed(database)
    await finish(database, job)
    assert await read(database, P) == StoredFile(
        report_id(), P, ReportFormat.PDF, ReportStatus.READY, job.file_path, 4711,
        LATER, b"wrapped", "k1",
    )  # fmt: skip


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
    await expire_reports(database, await reports_past_expiry(database, LATER, 9), LATER)


@pytest.mark.parametrize(
    ("state", "needed"),
    [
        (_pending, PATHS[:1]),
        (_generating, PATHS[:1]),
        (_postponed, PATHS[:1]),
        (_taken_over, PATHS[1:2]),
        (_ready, PATHS[2:]),
        (_failed, []),
        (_tried_again, PATHS[1:2]),
        (_expired, []),
    ],
)
async def test_only_the_file_of_the_newest_attempt_is_needed(
    database: Database, observer: Connection, state: Any, needed: list[str]
) -> None:
    await state(database, observer)
    strange = ["reports/", f"reports/{Q}/{report_id()}.1.pdf.enc", "reports/x/y.1.pdf.enc", "z"]
    assert await named_paths(database, [*PATHS, *strange]) == set(needed)


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
    await expire_reports(database, await reports_past_expiry(database, LATER, 9), LATER)
    renewed = key._replace(wrapped_key=b"again")
    assert not await rewrap_key(database, renewed, wrapped_key=b"late", key_id="k3")
    assert (await report_row(observer))["wrapped_key"] is None
