"""An instance whose clock is weeks off expires nothing, and makes reports that last their time."""

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from tests.harness.deployment import Deployment
from tests.harness.kafka import publish
from tests.harness.process import ServiceProcess
from tests.harness.reports import (
    QUICK,
    RUN_REPORTS,
    all_told,
    deploy_reports,
    downloaded,
    report_row,
    request,
    stored_files,
)
from tests.harness.starter import PROGRAM
from tests.integration.repositories.examples import uuid_of

PROVIDER = uuid_of("provider P")
OFF = "this instance's clock is"

# Only another clock can show what a wrong one does, and this program makes one for a process.
pytestmark = pytest.mark.skipif(  # see above: it is not Python's to install
    shutil.which("faketime") is None, reason="faketime is not installed (Debian: faketime)"
)


@pytest.fixture
async def reports(kafka: str, postgres: str, tmp_path: Path) -> Deployment:
    return (await deploy_reports(kafka, postgres, tmp_path / "store")).having(**QUICK)


def with_a_clock(reports: Deployment, off: str) -> ServiceProcess:
    """An instance whose clock is off by so much, such as `+40d`; its pauses are right."""
    program = ("faketime", "--exclude-monotonic", "-f", off, PROGRAM)
    return ServiceProcess(reports, *RUN_REPORTS, program=program)


async def made(reports: Deployment, report_id: UUID, count: int) -> timedelta:
    """How long the report can be downloaded from now on."""
    await publish(reports, [request(reports, report_id, PROVIDER)])
    await all_told(reports, count)
    row = await report_row(reports, report_id)
    assert row is not None
    assert await downloaded(reports, PROVIDER, report_id)
    until: datetime = row["download_link_expires_at"]
    return until - datetime.now(UTC)


async def test_an_instance_whose_clock_is_weeks_off_neither_expires_reports_nor_shortens_them(
    reports: Deployment, tmp_path: Path
) -> None:
    first, second = uuid4(), uuid4()
    month = pytest.approx(30 * 86_400, abs=3_600)
    with with_a_clock(reports, "-40d") as behind:
        assert (await made(reports, first, 1)).total_seconds() == month
        [line] = await behind.logged(OFF)
        assert "seconds behind the database's" in line["message"]
    with with_a_clock(reports, "+40d") as ahead:
        assert (await made(reports, second, 2)).total_seconds() == month
        [line] = await ahead.logged(OFF)
        assert "seconds ahead of the database's" in line["message"]
        await ahead.logged("no reports expire and no files are removed", times=2)
    assert len(stored_files(tmp_path / "store")) == 2
    assert await downloaded(reports, PROVIDER, first)
