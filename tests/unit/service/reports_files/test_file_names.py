import re
from uuid import UUID

import pytest

from repositories.reports.stored_files import file_path, report_of
from repositories.vocabulary import ReportFormat

PROVIDER = UUID("11111111-1111-4111-8111-111111111111")
REPORT = UUID("22222222-2222-4222-8222-22222222222a")
NAME = f"reports/{PROVIDER}/{REPORT}.3.pdf.enc"


def test_a_name_tells_provider_report_attempt_and_format() -> None:
    name = rf"reports/{PROVIDER}/{REPORT}\.3\.[0-9a-f]{{12}}\.pdf\.enc"
    assert re.fullmatch(name, file_path(PROVIDER, REPORT, 3, ReportFormat.PDF))


def test_no_two_names_are_the_same_though_a_restored_database_counts_again() -> None:
    assert len({file_path(PROVIDER, REPORT, 1, ReportFormat.PDF) for _ in range(100)}) == 100


def test_a_name_that_an_earlier_version_made_tells_its_report() -> None:
    assert report_of(NAME) == REPORT


@pytest.mark.parametrize("report_format", ReportFormat)
def test_every_name_tells_its_report(report_format: ReportFormat) -> None:
    assert report_of(file_path(PROVIDER, REPORT, 12, report_format)) == REPORT


@pytest.mark.parametrize("name", ["", NAME + "#1", NAME.replace(str(REPORT), "-" * 36)])
def test_a_name_that_is_never_made_tells_no_report(name: str) -> None:
    assert report_of(name) is None
