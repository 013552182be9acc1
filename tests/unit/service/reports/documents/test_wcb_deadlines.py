"""The WCB timing report of days that lie ahead."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from repositories.reports.rows import ClaimRow
from repositories.vocabulary import ClaimState, ClaimType, FormId, ReportFormat, ReportType
from repositories.vocabulary import TimingTier as Tier
from tests.unit.service.reports.documents.examples import (
    NOTHING_RECEIVED,
    Rows,
    claim,
    rendered,
    request,
)
from tests.unit.service.reports.documents.reading import csv_header, csv_lines, pdf_text

# Requested on the evening before in Edmonton, when it is the first day already in UTC.
REQUESTED_AT = datetime(2026, 2, 4, 5, 0, tzinfo=UTC)
TODAY, TOMORROW, LAST, AFTER = (date(2026, 2, day) for day in (3, 4, 10, 11))
PDF = replace(
    request(ReportType.WCB_TIMING, ReportFormat.PDF, TOMORROW, LAST), requested_at=REQUESTED_AT
)
CSV = replace(
    request(ReportType.WCB_TIMING, ReportFormat.CSV, TOMORROW, LAST), requested_at=REQUESTED_AT
)


def unsent(number: int, last_day: date | None, tier: Tier | None, **given: Any) -> ClaimRow:
    usual: dict[str, Any] = {
        "claim_type": ClaimType.WCB,
        "state": ClaimState.DRAFT,
        "form_id": FormId.C050E,
        "hsc_code": None,
        "date_of_service": date(2026, 2, 2),
        "assessed_fee": None,
        "submitted_fee": Decimal("94.15"),
    }
    return claim(number, submission_deadline=last_day, timing_tier=tier, **(usual | given))


ROWS = Rows(
    [
        unsent(1, TODAY, Tier.SAME_DAY),
        unsent(2, LAST, Tier.ON_TIME, submitted_fee=Decimal("85.80"), state=ClaimState.QUEUED),
        unsent(3, TOMORROW, Tier.SAME_DAY),
        unsent(4, TOMORROW, Tier.SAME_DAY, submitted_fee=None, form_id=None),
        unsent(5, AFTER, Tier.ON_TIME),
        unsent(6, TOMORROW, Tier.LATE),
        unsent(7, None, Tier.SAME_DAY),
        unsent(8, TOMORROW, None, state=ClaimState.VALIDATED),
        unsent(9, TOMORROW, Tier.SAME_DAY, state=ClaimState.SUBMITTED),
        unsent(10, TOMORROW, Tier.SAME_DAY, state=ClaimState.REJECTED),
        unsent(11, TOMORROW, None, claim_type=ClaimType.AHCIP),
    ]
)


async def test_each_unsent_claim_whose_tier_falls_is_listed_by_its_last_day() -> None:
    lines = csv_lines(await rendered(CSV, ROWS))

    assert [line["claim_id"][-1] for line in lines] == ["4", "3", "2"]
    assert lines[2] == {
        "last_day": "2026-02-10",
        "claim_id": "00000000-0000-0000-0000-000000000002",
        "state": "QUEUED",
        "date_of_service": "2026-02-02",
        "form_id": "C050E",
        "timing_tier": "ON_TIME",
        "submitted_fee": "85.80",
    }
    assert lines[0]["submitted_fee"] == lines[0]["form_id"] == ""


async def test_the_pages_count_day_by_day_and_account_for_all() -> None:
    text = pdf_text(await rendered(PDF, ROWS))

    assert "8 3 179.95" in text
    assert "2026-02-04 C050E Same day 1 94.15 2026-02-10 C050E On time 1 85.80" in text
    assert "The tier falls in these days 3 179.95" in text
    assert "The tier falls later 1 94.15" in text
    assert "The deadline for the tier is over 1 94.15" in text
    assert "The tier is the last one 1 94.15" in text
    assert "No tier or no deadline is stated 2 188.30" in text
    assert "Total 8 650.70" in text


async def test_it_shows_no_patient_and_the_same_claims_give_the_same_bytes() -> None:
    text = pdf_text(await rendered(PDF, ROWS)) + (await rendered(CSV, ROWS)).decode()

    assert not any(row.patient_phn and row.patient_phn in text for row in ROWS.rows)
    assert await rendered(PDF, ROWS) == await rendered(PDF, ROWS)


async def test_head_and_note_say_what_a_day_counts_and_what_is_not_known() -> None:
    text = pdf_text(await rendered(PDF, ROWS))

    assert "2026-02-04 to 2026-02-10 (last days on which an unsent claim keeps its tier)" in text
    assert "nothing is said about claims without a stated tier and deadline." in text


async def test_where_no_unsent_claim_was_ever_received_it_says_so() -> None:
    unheard = pdf_text(await rendered(replace(PDF, received=NOTHING_RECEIVED), Rows([claim(1)])))
    none = pdf_text(await rendered(PDF, Rows([claim(1)])))

    assert "– – – No claim of this physician was ever received before it was sent" in unheard
    assert "0 0 0.00" in none
    assert "No tier of an unsent WCB claim is known to fall on these days." in none


@pytest.mark.parametrize(
    ("requested_at", "ahead"),
    [
        ("2026-02-05T06:59:59Z", True),  # a second before the day after begins in Edmonton
        ("2026-02-05T07:00:00Z", False),
    ],
)
async def test_a_period_lies_ahead_until_its_first_day_is_over_in_edmonton(
    requested_at: str, ahead: bool
) -> None:
    asked = replace(CSV, requested_at=datetime.fromisoformat(requested_at))

    assert ("last_day" in csv_header(await rendered(asked, ROWS))) is ahead
