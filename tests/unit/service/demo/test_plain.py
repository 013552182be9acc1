"""The lines that stand in for the live view."""

from dataclasses import replace

from repositories.vocabulary import ReportFormat, ReportStatus, ReportType
from service.demo.displays import MONTH_EVERY, PlainDisplay
from service.demo.plain import month_line, numbers_line
from service.demo.upstream import Phase
from tests.unit.service.demo.samples import NOVEMBER_FIGURES, SAMPLE, report, sample

MONTH = (
    "Dr. Mireille Gill, family medicine, November 2025: 88 claims submitted, 12 paid,"
    " revenue $1,812.50, pending $5,010.00"
)


def test_the_line_of_numbers_has_all_counts() -> None:
    assert numbers_line(SAMPLE) == (
        "12,340 of 20,000 events published; 5,210/s, lag 897, applied 11,204, duplicate 230,"
        " stale 3, dead-lettered 6"
    )


def test_the_line_of_numbers_says_when_it_is_live() -> None:
    assert numbers_line(sample(phase=Phase.LIVE)).startswith("live, 12,340 events published;")


def test_the_line_of_the_month_is_of_the_newest() -> None:
    assert month_line(SAMPLE) == MONTH


def test_there_is_no_line_of_the_month_before_the_first_claim() -> None:
    assert month_line(sample(months=[])) is None


def test_the_month_is_said_after_some_lines_of_numbers() -> None:
    said: list[str] = []
    display = PlainDisplay(said.append)
    for _ in range(MONTH_EVERY):
        display.show(SAMPLE)
    assert said == [numbers_line(SAMPLE)] * MONTH_EVERY + [MONTH]


def test_a_month_is_said_again_only_when_it_has_changed() -> None:
    said: list[str] = []
    display = PlainDisplay(said.append)
    for _ in range(2 * MONTH_EVERY):
        display.show(SAMPLE)
    assert said.count(MONTH) == 1
    for _ in range(MONTH_EVERY):
        display.show(sample(months=[replace(NOVEMBER_FIGURES, submitted=89)]))
    assert said[-1] == MONTH.replace("88", "89")


def test_without_claims_no_empty_line_is_said() -> None:
    said: list[str] = []
    display = PlainDisplay(said.append)
    with display.shown():
        for _ in range(MONTH_EVERY):
            display.show(sample(months=[]))
    assert len(said) == MONTH_EVERY


def test_a_report_is_said_once_when_it_becomes_ready() -> None:
    said: list[str] = []
    display = PlainDisplay(said.append)
    display.show(sample(reports=[report(1, status=ReportStatus.GENERATING)]))
    assert said == [numbers_line(SAMPLE)]
    for _ in range(2):
        display.show(sample(reports=[report(1)]))
    [line] = [line for line in said if "Report" in line]
    assert line == (
        "Report ready 46 kB  accountant summary PDF, 2025-10-01 to 2025-11-30"
        "  00000000-0000-0000-0000-000000000001"
    )


def test_a_failed_report_says_why() -> None:
    said: list[str] = []
    failed = report(
        1,
        report_type=ReportType.DATA_PORTABILITY,
        format=ReportFormat.ZIP,
        period_start=None,
        status=ReportStatus.FAILED,
        error_message="It cannot be.",
    )
    PlainDisplay(said.append).show(sample(reports=[failed]))
    assert said[-1].startswith("Report failed: It cannot be.  data portability ZIP, everything")


def test_of_several_reports_the_oldest_is_said_first() -> None:
    said: list[str] = []
    PlainDisplay(said.append).show(sample(reports=[report(2), report(1)]))
    assert [line[-1] for line in said if "Report" in line] == ["1", "2"]
