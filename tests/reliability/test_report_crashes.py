"""SIGKILL at every step between a request and its announcement: one row, one file, one readiness.

Each test kills the service at a named point, then starts it again as it is.
"""

import signal
import sys
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from tests.harness.deployment import Deployment
from tests.harness.kafka import publish
from tests.harness.process import ServiceProcess
from tests.harness.reports import (
    RUN_REPORTS,
    all_told,
    downloaded,
    report_row,
    request,
    requests_read,
    states_told,
    stored_files,
)
from tests.harness.rows import connected
from tests.harness.waiting import until, until_async
from tests.integration.repositories.examples import uuid_of
from tests.reliability import crash_points
from tests.reliability.crash_points import Point

PROVIDER = uuid_of("provider P")
EXPECTED = (
    b"date_of_service,hsc_code,modifiers,submitted_fee,assessed_fee,payment_date,ba_number,"
    b"location,claim_type\r\n"
    b"2025-10-15,03.04A,,50.00,40.00,2025-11-01,1234567,,AHCIP\r\n"
)
# How many files the killed process leaves in the store: whole ones, or a part of one.
LEFT = {
    Point.AFTER_THE_ROW: 0,
    Point.AFTER_THE_CLAIM: 0,
    Point.IN_THE_FILE: 1,
    Point.BEFORE_READINESS: 1,
    Point.AFTER_READINESS: 1,
    Point.BEFORE_SENDING: 1,
    Point.AFTER_SENDING: 1,
}


@pytest.mark.parametrize("point", LEFT)
async def test_killed_and_started_again_there_is_one_row_one_file_and_one_readiness(
    reports: Deployment, folder: Path, point: Point
) -> None:
    report_id = uuid4()
    await publish(reports, [request(reports, report_id, PROVIDER)])
    await _killed_at(point, reports)
    assert len(stored_files(folder)) == LEFT[point]
    with ServiceProcess(reports, *RUN_REPORTS) as process:
        await all_told(reports, 1)
        await _only_its_file_is_left(reports, folder, report_id)
        await requests_read(reports, 1)
        process.terminate()
        assert await process.ended() == 0
    assert await _reports(reports) == [(report_id, "ready")]
    assert await downloaded(reports, PROVIDER, report_id) == EXPECTED
    assert await states_told(reports, report_id) == ["ready"]


async def test_killed_after_deleting_an_expired_file_it_is_announced_as_expired_once(
    reports: Deployment, folder: Path
) -> None:
    report_id = uuid4()
    await publish(reports, [request(reports, report_id, PROVIDER)])
    with ServiceProcess(reports, *RUN_REPORTS):
        await all_told(reports, 1)
    await _let_its_time_be_over(reports)
    await _killed_at(Point.BEFORE_EXPIRY, reports)
    assert stored_files(folder) == []
    assert await _reports(reports) == [(report_id, "ready")]
    with ServiceProcess(reports, *RUN_REPORTS):
        await until_async(lambda: _is_expired(reports, report_id), "the expiry")
        await all_told(reports, 1)
    assert await states_told(reports, report_id) == ["ready", "expired"]


async def _killed_at(point: Point, reports: Deployment) -> None:
    program = (sys.executable, crash_points.__file__, point)
    with ServiceProcess(reports, *RUN_REPORTS, program=program) as process:
        assert await process.ended() == -signal.SIGKILL, process.output()


async def _only_its_file_is_left(reports: Deployment, folder: Path, report_id: UUID) -> None:
    row = await report_row(reports, report_id)
    assert row is not None
    await until(lambda: stored_files(folder) == [row["file_path"]], "one file alone")


async def _reports(reports: Deployment) -> list[tuple[UUID, str]]:
    async with connected(reports) as connection:
        rows = await connection.fetch("SELECT report_id, status FROM generated_reports")
    return [(row["report_id"], row["status"]) for row in rows]


async def _is_expired(reports: Deployment, report_id: UUID) -> bool:
    return await _reports(reports) == [(report_id, "expired")]


async def _let_its_time_be_over(reports: Deployment) -> None:
    async with connected(reports) as connection:
        await connection.execute(
            "UPDATE generated_reports SET download_link_expires_at = now() - interval '1 s'"
        )
