"""Samples with fixed numbers."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from repositories.records import SelectGeneratedReport
from repositories.vocabulary import ReportFormat, ReportStatus, ReportType
from service.local.demo.figures import Coaching, MonthFigures, Rejections, TopCode
from service.local.demo.open_claims import OpenClaims, Waiting
from service.local.demo.sample import Counts, Sample
from service.local.demo.upstream import Phase

OCTOBER, NOVEMBER = date(2025, 10, 1), date(2025, 11, 1)
NORTH, SOUTH = "3f2a91c0-0000-4000-8000-000000000000", "7b11d2e4-0000-4000-8000-000000000000"

NOVEMBER_FIGURES = MonthFigures(
    month=NOVEMBER,
    submitted=88,
    paid=12,
    revenue=Decimal("1812.50"),
    average_fee=Decimal("151.04"),
    pending=76,
    pending_amount=Decimal("5010.00"),
    days_to_payment=Decimal("12.25"),
    by_ba={"1234567": Decimal("1812.50")},
    by_location={NORTH: Decimal("1000.00"), SOUTH: Decimal("812.50")},
    top_codes=[TopCode("03.03A", Decimal("1500.00")), TopCode("13.99KA", Decimal("312.50"))],
    rejections=Rejections(3, 15, Decimal("20.00"), [("39B", 2), ("05", 1), ("67", 1)], 5, 4, 3, 1),
    coaching=Coaching(
        9, 4, 1, Decimal("80.00"), Decimal("61.20"),
        [("Age modifier is missing", Decimal("40.10")), ("A complex visit", Decimal("21.10"))],
        ["Two visits on one day"],
    ),
)  # fmt: skip
OPEN = OpenClaims(
    by_age=[
        Waiting(48, Decimal("3100.00")),
        Waiting(12, Decimal("800.50")),
        Waiting(3, Decimal("120.00")),
        Waiting(1, Decimal("40.02")),
    ],
    due=Waiting(2, Decimal("90.00")),
    stale=Waiting(4, Decimal("0.00")),
)
OCTOBER_FIGURES = replace(NOVEMBER_FIGURES, month=OCTOBER, submitted=151, by_location={})

SAMPLE = Sample(
    seconds=12.0,
    phase=Phase.HISTORY,
    published=12_340,
    history=20_000,
    counts=Counts(
        messages=11_443,
        applied=11_204,
        duplicate=230,
        stale=3,
        dead_letters={"not-json": 2, "invalid-field": 4},
    ),
    lag={"claim-submitted": 203, "claim-paid": 694},
    per_second=5_210.4,
    recent=[0.0, 2_600.0, 5_200.0],
    physician="Dr. Mireille Gill, family medicine",
    months=[OCTOBER_FIGURES, NOVEMBER_FIGURES],
    open_claims=OPEN,
)


def sample(**changes: Any) -> Sample:
    return replace(SAMPLE, **changes)


def report(number: int, **changes: Any) -> SelectGeneratedReport:
    """A ready report; `number` tells it from others."""
    report_id = UUID(int=number)
    ready = SelectGeneratedReport(
        report_id=report_id,
        provider_id=UUID(int=0),
        report_type=ReportType.ACCOUNTANT_SUMMARY,
        format=ReportFormat.PDF,
        period_start=OCTOBER,
        period_end=date(2025, 11, 30),
        file_path=f"reports/{UUID(int=0)}/{report_id}.1.pdf.enc",
        file_size_bytes=45_001,
        download_link_expires_at=datetime(2025, 12, 31, tzinfo=UTC),
        downloaded=False,
        scheduled=False,
        status=ReportStatus.READY,
        error_message=None,
        created_at=datetime(2025, 12, 1, tzinfo=UTC),
    )
    return replace(ready, **changes)
