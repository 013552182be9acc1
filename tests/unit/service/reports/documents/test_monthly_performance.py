from dataclasses import replace
from datetime import date

from repositories.metrics.definitions import METRICS
from repositories.reports.rows import ClaimRow, MetricRow
from repositories.vocabulary import ClaimState, MetricKey, ReportFormat, ReportType
from tests.unit.service.reports.documents.examples import (
    COMPUTED_AT,
    LOCATIONS,
    RECEIVED,
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


async def test_every_breakdown_adds_up_to_the_months_revenue() -> None:
    bare = claim(1, date_of_service=DAYS[0], ba_number=None, location_id=None, hsc_code=None)
    many = [claim(n, date_of_service=DAYS[0], hsc_code=f"{n:02}.0") for n in range(2, 14)]

    text = pdf_text(await rendered(PDF, Rows([bare, *many])))

    assert "11.0 1 41.10 Other codes and forms 3 123.30 Total 13 534.30" in text
    assert "No BA number 1 41.10 Total 13 534.30" in text
    assert "No location 1 41.10 Total 13 534.30" in text


async def test_an_average_over_nothing_is_a_dash() -> None:
    text = pdf_text(await rendered(PDF, Rows([claim(1, date_of_service=DAYS[2])])))

    assert "Average fee ($) – 41.10 – – –" in text
    assert "Average days to payment –" in text


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


def rejected(number: int, day: date, *codes: str) -> ClaimRow:
    return claim(
        number, date_of_service=day, state=ClaimState.REJECTED, explanatory_codes=codes,
        assessed_fee=None, payment_date=None, rrnp_premium=None,
    )  # fmt: skip


REJECTED = Rows([*ROWS.rows, rejected(7, DAYS[0], "05A", "39", "05A"), rejected(8, DAYS[3])])


async def test_rejections_stand_beside_those_of_earlier_months() -> None:
    text = pdf_text(await rendered(PDF, REJECTED))

    assert "Claims that stand rejected 1 0 +1 1 0" in text
    assert "Claims ever rejected 1 0 +1 1 0 of which resubmitted 0 0 0 0 0" in text
    assert "Rejection rate 33.33 % 0.00 % +33.33 pts 50.00 % -16.67 pts" in text
    assert "Submitted ($) 05A 1 41.10 39 1 41.10" in text


async def test_a_rate_over_nothing_is_a_dash() -> None:
    assert "Rejection rate – – – – –" in pdf_text(await rendered(PDF, Rows()))


async def test_nothing_is_said_of_metrics_that_are_not_filled_yet() -> None:
    """Their rows may be missing, or be of an earlier version's shape."""
    unfilled = frozenset(metric.key for metric in METRICS if metric.since > 1)
    received = replace(RECEIVED, unfilled=unfilled)

    text = pdf_text(await rendered(replace(PDF, received=received), REJECTED))
    lines = csv_lines(await rendered(replace(CSV, received=received), REJECTED))

    assert "still being computed: a dash stands for them" in text
    assert "Claims that stand rejected – – – – –" in text
    assert "Rejection rate – – – – –" in text
    assert "Revenue ($) 82.20 41.10" in text
    keys = {line["metric_key"] for line in lines}
    assert "revenue_monthly" in keys
    assert keys.isdisjoint(unfilled)
    assert "still being computed" not in pdf_text(await rendered(PDF, REJECTED))


async def test_the_csv_has_a_line_per_figure_of_a_rule_of_the_coach() -> None:
    rules = [{"rule_id": "r1", "rule_name": None, "since": "2025-11-02T00:00:00.000000Z"}]
    row = MetricRow(MetricKey.AI_COACH_SUPPRESSED, *NOVEMBER, None, {"rules": rules}, COMPUTED_AT)

    lines = csv_lines(await rendered(CSV, Rows(cached=[row])))

    assert [
        (line["dimension"], line["dimension_value"], line["measure"], line["value"])
        for line in lines
    ] == [
        ("rule_id", "r1", "rule_name", ""),
        ("rule_id", "r1", "since", "2025-11-02T00:00:00.000000Z"),
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
