"""What the pages are made of: widths, breaks, scales, and texts of any kind."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from repositories.reports.rows import Location
from repositories.vocabulary import ReportFormat, ReportType
from service.reports.documents.model import Column, Kind
from service.reports.documents.pdf import look as looks
from service.reports.documents.pdf.charts import scale_for
from service.reports.documents.pdf.fonts import (
    REGULAR,
    fitted,
    register_fonts,
    text_width,
    wrapped,
)
from service.reports.documents.pdf.tables import column_widths
from service.reports.documents.request import Period
from service.reports.documents.wording import printable
from tests.unit.service.reports.documents.examples import (
    LOCATIONS,
    PROVIDER,
    Rows,
    claim,
    rendered,
    request,
)
from tests.unit.service.reports.documents.reading import pdf_text

register_fonts()


def test_wrapped_lines_fit_and_lose_nothing() -> None:
    text = "Royal Alexandra Hospital Supercalifragilisticexpialidocious Ward"
    lines = wrapped(text, REGULAR, 8, 60).split("\n")

    assert all(text_width(line, REGULAR, 8) <= 60 for line in lines)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")


def test_text_of_too_many_lines_ends_in_an_ellipsis() -> None:
    lines = wrapped("word " * 100, REGULAR, 8, 60, most=3).split("\n")

    assert len(lines) == 3
    assert lines[-1].endswith("…")


def test_fitted_text_is_cut_only_where_it_is_too_long() -> None:
    assert fitted("short", REGULAR, 8, 200) == "short"
    cut = fitted("much too long for this", REGULAR, 8, 50)
    assert cut.endswith("…")
    assert text_width(cut, REGULAR, 8) <= 50


@pytest.mark.parametrize("look", [looks.NORMAL, looks.DENSE])
def test_columns_fill_the_width_and_never_squeeze_numbers(look: looks.TableLook) -> None:
    columns = [Column("Location"), Column("Revenue ($)", Kind.MONEY), Column("Code")]
    rows = [["A very long place name " * 20, "12,345,678,901.00", "03.03A"]]

    widths = column_widths(columns, rows, look, 400)

    assert sum(widths) == pytest.approx(400)
    assert widths[1] >= text_width(rows[0][1], REGULAR, look.size)
    assert widths[2] >= text_width(rows[0][2], REGULAR, look.size)


@pytest.mark.parametrize(
    ("largest", "whole", "top"),
    [
        (0, False, 1),
        (1, True, 1),
        (3, True, 3),
        (7, True, 8),
        (0.4, False, 0.4),
        (64_020, False, 80_000),
    ],
)
def test_a_scale_ends_at_a_round_step(largest: float, whole: bool, top: float) -> None:
    scale = scale_for(largest, whole)

    assert scale.top == pytest.approx(top)
    assert 1 <= scale.ticks <= 5


@pytest.mark.parametrize(
    ("largest", "least", "ends"),
    [
        (100, -50, (100, -60)),  # room for the value under the lowest bar
        (0, -41.1, (10, -50)),
        (1_000, -5, (1_000, -200)),
        (800, 0, (800, 0)),
    ],
)
def test_a_scale_goes_below_zero_where_values_do(
    largest: float, least: float, ends: tuple[float, float]
) -> None:
    scale = scale_for(largest, whole=False, least=least)

    assert (scale.top, scale.bottom) == pytest.approx(ends)


def test_a_periods_months_and_the_one_before() -> None:
    period = Period(date(2024, 11, 15), date(2025, 2, 1))

    assert period.months() == [
        date(2024, 11, 1),
        date(2024, 12, 1),
        date(2025, 1, 1),
        date(2025, 2, 1),
    ]
    assert period.before() == Period(date(2024, 8, 28), date(2024, 11, 14))
    assert period.before().days == period.days


def test_printable_text_is_composed_and_has_no_control_characters() -> None:
    assert printable("Nguye\u0302\u0303n\u202e \x07\t\nVăn\u200b") == "Nguyễn Văn"


@pytest.mark.parametrize(
    "name",
    [
        "x" * 3_000,
        "word " * 1_000,
        "",
        " \t",
        "陳大文",
        "\U0001d4b3\U0001f600",
        "&amp; <para>",
        "%s {0} \\n",
        "\u202egnol",
    ],
)
@pytest.mark.parametrize("report_type", [ReportType.ACCOUNTANT_DETAIL, ReportType.RRNP_QUARTERLY])
async def test_a_name_of_any_kind_breaks_no_page(report_type: ReportType, name: str) -> None:
    place = Location(LOCATIONS[0].location_id, name, Decimal("7.5"))
    provider = replace(PROVIDER, first_name=name, last_name=name, locations=(place,))
    asked = request(report_type, ReportFormat.PDF, provider=provider)

    text = pdf_text(await rendered(asked, Rows([claim(n) for n in range(1, 30)])))

    assert "1,191.90" in text


async def test_large_sums_are_shown_in_full() -> None:
    fee = Decimal("99999999.99")
    rows = Rows([claim(n, submitted_fee=fee, assessed_fee=fee) for n in range(1, 100)])
    asked = request(ReportType.ACCOUNTANT_SUMMARY, ReportFormat.PDF)

    assert "9,899,999,999.01" in pdf_text(await rendered(asked, rows))
