from datetime import date
from decimal import Decimal

import pytest

from repositories.vocabulary import ClaimState, ReportFormat, ReportType
from tests.unit.service.reports.documents.examples import Rows, claim, rendered, request
from tests.unit.service.reports.documents.reading import csv_lines, pdf_text

NOW, BEFORE = date(2025, 11, 4), date(2025, 10, 28)
WEEK = (date(2025, 11, 3), date(2025, 11, 9))
PDF = request(ReportType.WEEKLY_SUMMARY, ReportFormat.PDF, *WEEK)
CSV = request(ReportType.WEEKLY_SUMMARY, ReportFormat.CSV, *WEEK)
STATES = (
    ClaimState.PAID,
    ClaimState.ADJUSTED,
    ClaimState.ASSESSED,
    ClaimState.SUBMITTED,
    ClaimState.REJECTED,
    ClaimState.WRITTEN_OFF,
    ClaimState.WITHDRAWN,
)
ROWS = Rows(
    [
        claim(99, date_of_service=date(2025, 10, 26)),
        *(claim(n, date_of_service=BEFORE, assessed_fee=Decimal("30.00")) for n in (1, 2)),
        *(claim(10 + n, date_of_service=NOW, state=state) for n, state in enumerate(STATES)),
        claim(98, date_of_service=date(2025, 11, 10)),
    ]
)


async def test_each_state_counts_as_the_metrics_say() -> None:
    now, _ahcip, _wcb, before, *_ = csv_lines(await rendered(CSV, ROWS))

    assert now == {
        "period_start": "2025-11-03",
        "period_end": "2025-11-09",
        "claim_type": "ALL",
        "submitted": "6",
        "submitted_amount": "246.60",
        "paid": "2",
        "revenue": "82.20",
        "rejected": "1",
        "rejected_amount": "41.10",
        "pending": "2",
        "pending_amount": "82.20",
        "rejection_rate": "25.00",
    }
    assert (before["period_start"], before["period_end"]) == ("2025-10-27", "2025-11-02")
    assert (before["paid"], before["revenue"], before["rejection_rate"]) == ("2", "60.00", "0.00")


async def test_the_week_before_stands_beside_the_week() -> None:
    text = pdf_text(await rendered(PDF, ROWS))

    assert "2025-11-03 to 2025-11-09 2025-10-27 to 2025-11-02 Change" in text
    assert "Revenue ($) 82.20 60.00 +22.20" in text
    assert "Submitted 6 2 +4" in text
    assert "Rejection rate 25.00 % 0.00 % +25.00 pts" in text


async def test_a_rate_over_nothing_is_a_dash() -> None:
    assert "Rejection rate – – –" in pdf_text(await rendered(PDF, Rows()))


@pytest.mark.parametrize(
    ("end", "charted"), [(date(2025, 11, 16), True), (date(2025, 11, 17), False)]
)
async def test_days_are_charted_up_to_two_weeks(end: date, charted: bool) -> None:
    asked = request(ReportType.WEEKLY_SUMMARY, ReportFormat.PDF, WEEK[0], end)

    assert ("Revenue by day of service" in pdf_text(await rendered(asked, ROWS))) is charted
