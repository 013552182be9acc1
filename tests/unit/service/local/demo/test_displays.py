"""The lines that stand in for the live view, and what the live view highlights."""

from dataclasses import replace

from repositories.vocabulary import ReportFormat, ReportStatus, ReportType
from service.local.demo.displays import (
    MONTH_EVERY,
    Highlights,
    PlainDisplay,
    month_line,
    numbers_line,
)
from service.local.demo.upstream import Phase
from tests.unit.service.local.demo.samples import (
    NOVEMBER,
    NOVEMBER_FIGURES,
    OCTOBER,
    SAMPLE,
    report,
    sample,
)

MONTH = (
    "Dr. Mireille Gill, family medicine, November 2025: 88 claims submitted, 12 paid,"
    " revenue $1,812.50, pending $5,010.00, 3 rejected"
)
WAITING = (
    "Waiting since the service: 0–30 days: 48, 31–60: 12, 61–90: 3, over 90: 1;"
    " due in a week: 2; stale: 4"
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
    assert said == [*[numbers_line(SAMPLE)] * MONTH_EVERY, MONTH, WAITING]


def test_a_month_is_said_again_only_when_it_has_changed() -> None:
    said: list[str] = []
    display = PlainDisplay(said.append)
    for _ in range(2 * MONTH_EVERY):
        display.show(SAMPLE)
    assert said.count(MONTH) == 1
    for _ in range(MONTH_EVERY):
        display.show(sample(months=[replace(NOVEMBER_FIGURES, submitted=89)]))
    assert said[-2] == MONTH.replace("88", "89")


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


PAID, REVENUE = (NOVEMBER, "claims paid"), (NOVEMBER, "revenue")


def test_the_first_texts_change_nothing() -> None:
    assert Highlights().note({PAID: "1"}, at=0) == frozenset()


def test_a_text_that_changes_is_highlighted_and_its_neighbour_is_not() -> None:
    highlights = Highlights()
    highlights.note({PAID: "1", REVENUE: "$5.00"}, at=0)
    assert highlights.note({PAID: "2", REVENUE: "$5.00"}, at=1) == {PAID}


def test_a_cell_that_is_new_is_highlighted() -> None:
    highlights = Highlights()
    highlights.note({PAID: "1"}, at=0)
    assert highlights.note({PAID: "1", (OCTOBER, "claims paid"): "3"}, at=1) == {
        (OCTOBER, "claims paid")
    }


def test_a_highlight_lasts_its_seconds() -> None:
    highlights = Highlights(seconds=1.5)
    highlights.note({PAID: "1"}, at=0)
    highlights.note({PAID: "2"}, at=1)
    assert highlights.note({PAID: "2"}, at=2.4) == {PAID}
    assert highlights.note({PAID: "2"}, at=2.5) == frozenset()


def test_another_change_begins_it_anew() -> None:
    highlights = Highlights(seconds=1.5)
    for at, text in enumerate(("1", "2", "3")):
        highlights.note({PAID: text}, at=at)
    assert highlights.note({PAID: "3"}, at=3) == {PAID}
