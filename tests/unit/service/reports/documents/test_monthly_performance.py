from datetime import date

from repositories.report_rows import MetricRow
from repositories.vocabulary import MetricKey, ReportFormat, ReportType
from tests.unit.service.reports.documents.examples import (
    COMPUTED_AT,
    LOCATIONS,
    Rows,
    claim,
    rendered,
    request,
)
from tests.unit.service.reports.documents.reading import csv_lines, pdf_text

NOVEMBER = (date(2025, 11, 1), date(2025, 11, 30))
PDF = request(ReportType.MONTHLY_PERFORMANCE, ReportFormat.PDF, *NOVEMBER)
CSV = request(ReportType.MONTHLY_PERFORMANCE, ReportFormat.CSV, *NOVEMBER)
DAYS = [date(2025, 11, 4), date(2025, 11, 5), date(2025, 10, 6), date(2024, 11, 7)]
ROWS = Rows([claim(n, date_of_service=day) for n, day in enumerate(DAYS)])


async def test_the_month_stands_beside_the_month_before_and_the_year_before() -> None:
    text = pdf_text(await rendered(PDF, ROWS))

    assert "Measure November 2025 October 2025 Change November 2024 Change" in text
    assert "Claims paid 2 1 +1 1 +1" in text
    assert "Revenue ($) 82.20 41.10 +41.10 41.10 +41.10" in text


async def test_it_asks_for_thirteen_months_of_metrics() -> None:
    rows = Rows()

    await rendered(PDF, rows)

    assert rows.asked_months[0] == date(2024, 11, 1)
    assert rows.asked_months[-1] == date(2025, 11, 1)
    assert len(rows.asked_months) == 13


async def test_it_names_services_and_locations() -> None:
    text = pdf_text(await rendered(PDF, ROWS))

    assert "Health service code Paid claims Revenue ($) 03.03A 2 82.20" in text
    assert f"{LOCATIONS[0].name} 2 82.20" in text


async def test_revenue_and_claims_are_charted() -> None:
    text = pdf_text(await rendered(PDF, ROWS))

    assert "Revenue by month of service ($)" in text
    assert "Claims by month of service" in text


async def test_the_csv_has_each_figure_of_the_three_months() -> None:
    lines = csv_lines(await rendered(CSV, ROWS))

    assert {line["month"] for line in lines} == {"2025-11-01", "2025-10-01", "2024-11-01"}
    assert {
        "month": "2025-11-01",
        "metric_key": "revenue_monthly",
        "dimension": "",
        "dimension_value": "",
        "measure": "amount",
        "value": "82.20",
    } in lines
    top = [line for line in lines if line["metric_key"] == "top_hsc_codes"]
    assert [(line["dimension_value"], line["measure"], line["value"]) for line in top[:2]] == [
        ("03.03A", "count", "2"),
        ("03.03A", "amount", "82.20"),
    ]


async def test_a_row_that_has_fallen_back_to_nothing_is_as_good_as_none() -> None:
    zero = MetricRow(
        MetricKey.REVENUE_BY_BA,
        *NOVEMBER,
        {"ba_number": "7654321"},
        {"count": 0, "amount": "0.00"},
        COMPUTED_AT,
    )

    assert await rendered(PDF, Rows(cached=[zero])) == await rendered(PDF, Rows())


async def test_a_period_of_several_months_is_reported_by_its_last() -> None:
    asked = request(ReportType.MONTHLY_PERFORMANCE, ReportFormat.PDF, date(2025, 9, 1), NOVEMBER[1])

    assert "Period November 2025 (month of service)" in pdf_text(await rendered(asked, ROWS))
