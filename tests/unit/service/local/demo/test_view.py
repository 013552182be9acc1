"""What the live view shows of a fixed sample, and that it fits its terminal."""

from collections.abc import Collection
from dataclasses import replace
from datetime import date
from decimal import Decimal
from io import StringIO

import pytest
from rich.console import Console

from repositories.vocabulary import ReportFormat, ReportStatus, ReportType
from service.local.demo.figures import TopCode
from service.local.demo.open_claims import OpenClaims, Waiting
from service.local.demo.sample import Counts, Sample
from service.local.demo.upstream import Phase
from service.local.demo.view import HINT, MOST_REPORTS, Cell, render, sparkline
from tests.unit.service.local.demo.samples import NOVEMBER, NOVEMBER_FIGURES, SAMPLE, report, sample


def seen(
    shown: Sample,
    changed: Collection[Cell] = (),
    columns: int = 80,
    rows: int = 24,
    styles: bool = False,
) -> str:
    console = Console(record=True, width=columns, height=rows, file=StringIO(), force_terminal=True)
    console.print(render(shown, changed, columns, rows))
    return console.export_text(styles=styles)


def line_with(text: str, view: str) -> str:
    return next(line for line in view.splitlines() if text in line)


@pytest.mark.parametrize(
    ("label", "number"),
    [
        ("events read", "11,443"),
        ("applied", "11,204"),
        ("duplicate", "230"),
        ("stale", "3"),
        ("dead-lettered", "6"),
        ("invalid-field", "4"),
        ("not-json", "2"),
        ("lag", "897"),
        ("claim-paid", "694"),  # the topic that is farthest behind
    ],
)
def test_each_count_stands_beside_its_name(label: str, number: str) -> None:
    after = line_with(f"{label} ", seen(SAMPLE)).split(label)[1]
    assert after.split()[0] == number


def test_throughput_is_a_number_and_a_curve() -> None:
    assert "5,210 events a second" in seen(SAMPLE)
    assert "▁▅█" in seen(SAMPLE)


@pytest.mark.parametrize(
    ("label", "texts"),
    [
        ("claims submitted", ["151", "88"]),
        ("claims paid", ["12", "12"]),
        ("revenue", ["$1,812.50", "$1,812.50"]),
        ("average fee", ["$151.04", "$151.04"]),
        ("claims pending", ["76", "76"]),
        ("days to payment", ["12.25", "12.25"]),
        ("rejected", ["3", "3"]),
        ("rejection rate", ["20.00", "%", "20.00", "%"]),
        ("BA 1234567", ["$1,812.50", "$1,812.50"]),
        ("location 3f2a91c0", ["$1,000.00"]),
    ],
)
def test_each_figure_has_a_row_with_its_months(label: str, texts: list[str]) -> None:
    after = line_with(f"{label} ", seen(SAMPLE)).split(label)[1]
    assert after.split()[: len(texts)] == texts


def test_what_is_open_stands_below_the_months() -> None:
    waiting = "0–30 days: 48, 31–60: 12, 61–90: 3, over 90: 1; due in a week: 2; stale: 4"
    assert waiting in seen(SAMPLE)


def test_the_physician_and_the_months_are_named() -> None:
    view = seen(SAMPLE)
    assert "Dr. Mireille Gill, family medicine" in view
    assert line_with("Oct 2025", view).split()[1:5] == ["Oct", "2025", "Nov", "2025"]


def test_the_top_codes_of_the_newest_month_are_listed() -> None:
    assert "03.03A     $1,500.00" in seen(SAMPLE)


def test_the_top_codes_of_the_month_before_stay_until_the_newest_has_some() -> None:
    months = [*SAMPLE.months, replace(NOVEMBER_FIGURES, month=date(2025, 12, 1), top_codes=[])]
    assert "top codes   Nov 2025" in seen(sample(months=months))


def test_it_says_how_to_stop() -> None:
    assert HINT in seen(SAMPLE)


@pytest.mark.parametrize(
    ("phase", "words"),
    [
        (Phase.HISTORY, "12,340 of 20,000 events published"),
        (Phase.PUBLISHED, "all 12,340 events published"),
        (Phase.LIVE, "live, 12,340 events published"),
    ],
)
def test_it_says_what_goes_on(phase: Phase, words: str) -> None:
    assert words in seen(sample(phase=phase))


def test_only_the_changed_cell_is_highlighted() -> None:
    changed = {(NOVEMBER, "claims submitted")}
    line = line_with("claims submitted", seen(SAMPLE, changed, styles=True))
    assert "\x1b[1;32m" in line.split("151")[1]
    assert "\x1b[1;32m" not in line.split("151")[0]


def test_nothing_is_highlighted_when_nothing_changed() -> None:
    assert "\x1b[1;32m" not in seen(SAMPLE, styles=True)


def test_before_the_first_claim_it_says_so() -> None:
    assert "no claims yet" in seen(sample(months=[]))


@pytest.mark.parametrize(("columns", "rows"), [(80, 24), (100, 30), (120, 40), (200, 60)])
def test_large_numbers_fit_the_terminal_whole(columns: int, rows: int) -> None:
    view = seen(crowded(), columns=columns, rows=rows)
    assert len(view.splitlines()) <= rows
    assert max(map(len, view.splitlines())) == columns
    assert "…" not in view
    for text in ("999,999", "$123,456.78", "unsupported-version", "claim-written-off"):
        assert text in view


def test_a_number_too_long_for_its_column_cuts_the_name() -> None:
    view = seen(sample(lag={"claim-written-off": 1_234_567_890}))
    assert "claim-writte 1,234,567,890" in view


@pytest.mark.parametrize(("columns", "rows"), [(20, 5), (40, 10), (79, 23)])
def test_a_terminal_that_has_become_too_small_still_gets_a_view(columns: int, rows: int) -> None:
    assert "╭" in seen(crowded(), columns=columns, rows=rows)


def test_a_wider_terminal_shows_more_months() -> None:
    assert "Jul 2025" not in seen(crowded(), columns=80)
    assert "Jul 2025" in seen(crowded(), columns=120)


def test_a_lower_terminal_leaves_out_the_last_rows() -> None:
    view = seen(crowded(), rows=24)
    assert "BA 1000001" in view
    assert "location 00000009" not in view


def test_reports_are_listed_with_their_state_and_size() -> None:
    generating = report(
        2,
        report_type=ReportType.DATA_PORTABILITY,
        format=ReportFormat.ZIP,
        status=ReportStatus.GENERATING,
    )
    line = line_with("data portability", seen(sample(reports=[generating, report(1)])))
    assert line.split()[1:5] == ["data", "portability", "ZIP", "generating"]
    assert line.split()[5:10] == ["accountant", "summary", "PDF", "ready", "46"]


@pytest.mark.parametrize(("length", "shown"), [(39, True), (40, False)])
def test_it_says_how_to_fetch_reports_where_that_fits(length: int, shown: bool) -> None:
    environment = "/tmp/".ljust(length, "x")  # nothing is there
    view = seen(sample(reports=[report(1)], environment=environment))
    assert (f"in another shell: . {environment} " in view) == shown
    assert "…" not in view


def test_without_reports_there_is_no_list_of_them() -> None:
    assert "reports" not in seen(SAMPLE)


@pytest.mark.parametrize(("columns", "rows"), [(80, 24), (120, 40)])
def test_many_reports_fit_beside_the_figures(columns: int, rows: int) -> None:
    widest = {"report_type": ReportType.MONTHLY_PERFORMANCE, "file_size_bytes": 999_000}
    many = [report(number, **widest) for number in range(30)]
    view = seen(replace(crowded(), reports=many), columns=columns, rows=rows)
    assert len(view.splitlines()) <= rows
    assert "…" not in view
    assert view.count("monthly performance PDF ready 999 kB") == MOST_REPORTS
    assert "days to payment" in view


def crowded() -> Sample:
    """More of everything than fits into 80 by 24."""
    most = Decimal("123456.78")
    reasons = ("invalid-field", "not-cloudevent", "not-json", "unknown-type", "version-conflict")
    figures = replace(
        NOVEMBER_FIGURES,
        submitted=999_999,
        revenue=most,
        by_ba={f"100000{n}": most for n in range(3)},
        by_location={f"{n:08}-0000-4000-8000-000000000000": most for n in range(10)},
        top_codes=[code(n, most) for n in range(10)],
    )
    return sample(
        months=[replace(figures, month=date(2025, month, 1)) for month in range(6, 12)],
        counts=Counts(
            messages=999_999,
            applied=999_999,
            dead_letters={"unsupported-version": 999, **dict.fromkeys(reasons, 9)},
        ),
        lag={"claim-submitted": 99_998, "claim-written-off": 99_999},
        open_claims=OpenClaims(
            [Waiting(99_999, most)] * 4, Waiting(9_999, most), Waiting(9_999, most)
        ),
        recent=[1.0] * 30,
    )


def code(number: int, amount: Decimal) -> TopCode:
    return TopCode(f"13.99K{number}", amount)


@pytest.mark.parametrize(
    ("rates", "bars"),
    [([], ""), ([0.0, 0.0], "▁▁"), ([0.0, 50.0, 100.0], "▁▅█"), ([3.0, 3.0], "██")],
)
def test_the_highest_rate_has_the_highest_bar(rates: list[float], bars: str) -> None:
    assert sparkline(rates) == bars
