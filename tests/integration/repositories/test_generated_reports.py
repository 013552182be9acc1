"""One provider's reports are read by that provider alone; operators see all."""

from collections.abc import Sequence
from typing import Any

import pytest
from asyncpg import Connection

from repositories import SelectGeneratedReport
from repositories.postgres.database import Database
from repositories.reports.generated_reports import (
    list_all_providers_reports,
    list_reports,
    mark_downloaded,
    provider_of_report,
    report_by_id,
)
from repositories.vocabulary import ReportFormat, ReportStatus, ReportType
from tests.integration.repositories.report_examples import (
    P,
    Q,
    claimed,
    finish,
    record,
    report_id,
    report_row,
    request,
)


async def one(database: Database, *ids: Any) -> SelectGeneratedReport | None:
    async with database.transaction() as connection:
        return await report_by_id(connection, *ids)


async def listed(database: Database, **which: Any) -> Sequence[SelectGeneratedReport]:
    async with database.transaction() as connection:
        return await list_reports(connection, P, **which)


async def test_a_report_is_read_as_its_row_stands(database: Database, observer: Connection) -> None:
    await record(database, request())
    found = await one(database, P, report_id())
    assert found is not None
    row = await report_row(observer)
    assert vars(found) == {name: row[name] for name in vars(found)}
    assert (type(found.report_type), type(found.format), type(found.status)) == (
        ReportType, ReportFormat, ReportStatus,
    )  # fmt: skip


async def test_another_providers_report_is_not_found(database: Database) -> None:
    await record(database, request())
    assert await one(database, Q, report_id()) is None
    assert await one(database, P, report_id("nobody's")) is None


async def test_a_provider_sees_its_own_reports_newest_first(database: Database) -> None:
    for name in "ABC":
        await record(database, request(name))
    await record(database, request("D", "Q"))
    assert [row.report_id for row in await listed(database)] == [report_id(n) for n in "CBA"]
    assert [row.report_id for row in await listed(database, limit=1)] == [report_id("C")]


async def test_reports_are_listed_by_type_and_status(database: Database) -> None:
    await record(database, request("A", report_type=ReportType.WCB_TIMING))
    await finish(database, await claimed(database))
    await record(database, request("B", report_type=ReportType.WCB_TIMING), request("C"))
    timing = await listed(database, report_type=ReportType.WCB_TIMING)
    assert {row.report_id for row in timing} == {report_id("A"), report_id("B")}
    [ready] = await listed(database, status=ReportStatus.READY)
    assert ready.report_id == report_id("A")


async def test_operators_see_every_providers_reports(database: Database) -> None:
    await record(database, request("A", "P"), request("B", "Q", problem="No."))
    async with database.transaction() as connection:
        every = await list_all_providers_reports(connection)
        failed = await list_all_providers_reports(connection, status=ReportStatus.FAILED)
        owners = [await provider_of_report(connection, report_id(name)) for name in "ABC"]
    assert {row.provider_id for row in every} == {P, Q}
    assert [row.report_id for row in failed] == [report_id("B")]
    assert owners == [P, Q, None]


async def test_a_ready_report_is_marked_as_downloaded(
    database: Database, observer: Connection
) -> None:
    await record(database, request())
    await finish(database, await claimed(database))
    assert await mark_downloaded(database, P, report_id())
    assert (await report_row(observer))["downloaded"] is True


@pytest.mark.parametrize("status", ["pending", "generating", "failed", "expired"])
async def test_a_report_that_is_not_ready_is_not_downloaded(
    database: Database, observer: Connection, status: str
) -> None:
    await record(database, request())
    await observer.execute("UPDATE generated_reports SET status = $1", status)
    assert not await mark_downloaded(database, P, report_id())
    assert (await report_row(observer))["downloaded"] is False


async def test_nobody_marks_another_providers_report(
    database: Database, observer: Connection
) -> None:
    await record(database, request())
    await finish(database, await claimed(database))
    assert not await mark_downloaded(database, Q, report_id())
    assert (await report_row(observer))["downloaded"] is False
