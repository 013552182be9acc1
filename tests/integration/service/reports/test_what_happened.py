"""Reports by what happened, from events that arrive in any order: the same files."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from repositories.vocabulary import ReportType
from tests.integration.repositories.examples import (
    adjusted,
    apply,
    paid,
    rejected,
    saved,
    submitted,
    uuid_of,
    withdrawn,
)
from tests.integration.service.reports.making import Bench
from tests.strategies import EventSpec
from tests.unit.service.reports.documents.reading import csv_lines

WEEK = {"period_start": date(2025, 11, 3), "period_end": date(2025, 11, 9)}
# A minute before and after the week begins and ends at midnight in Edmonton, seven hours late.
BEFORE, FIRST, LAST, AFTER = (
    f"2025-11-{time}:00Z" for time in ("03T06:59", "03T07:01", "10T06:59", "10T07:01")
)
WCB = {"claim_type": "WCB", "form_id": "C050E", "timing_tier": "SAME_DAY"}


def at(time: str, event: EventSpec) -> EventSpec:
    return replace(event, ce_time=time)


EVENTS = [
    at(BEFORE, submitted("A", 1)),
    at(FIRST, rejected("A", 2, explanatory_codes=["05A"])),
    at(FIRST, submitted("A", 3)),
    at(LAST, rejected("A", 4, explanatory_codes=["39", "05A"])),
    at(AFTER, submitted("A", 5)),
    at(AFTER, paid("A", 6, assessed_fee="33.00")),
    at(BEFORE, paid("B", 1, assessed_fee="40.00")),
    at(LAST, adjusted("B", 2, assessed_fee="35.50")),
    at(FIRST, paid("C", 7, assessed_fee="10.00")),
    at(LAST, rejected("D", 1)),
    at(AFTER, withdrawn("D", 2)),
    at(BEFORE, rejected("E", 1)),
    at(AFTER, rejected("F", 1)),
    at(BEFORE, saved("G", 1, submission_deadline="2025-11-03", **WCB)),
    at(BEFORE, saved("H", 1, submission_deadline="2025-11-05", **WCB)),
    at(FIRST, saved("H", 2, submission_deadline="2025-11-10", **WCB)),
]
ORDERS = {
    "in order, one by one": [[event] for event in EVENTS],
    "backwards, one by one": [[event] for event in reversed(EVENTS)],
    "at once, and all again": [EVENTS[1::2] + EVENTS[::2], EVENTS],
}


@pytest.mark.parametrize("batches", ORDERS.values(), ids=ORDERS)
async def test_reports_by_what_happened_do_not_depend_on_the_order_of_arrival(
    bench: Bench, batches: list[list[EventSpec]]
) -> None:
    for batch in batches:
        await apply(bench.database, *batch)

    async def lines(report_type: ReportType) -> list[dict[str, str]]:
        asked = {"requested_at": datetime(2025, 11, 3, 20, tzinfo=UTC), "format": "CSV"}
        await bench.make(report_type, report_type=report_type, **asked, **WEEK)
        return csv_lines(await bench.download(report_type))

    now, _, _, before, *_ = await lines(ReportType.WEEKLY_SUMMARY)
    counted = ("submitted", "paid", "adjusted", "revenue", "rejected", "rejection_rate")
    assert [now[name] for name in counted] == ["1", "1", "1", "5.50", "1", "33.33"]
    assert [before[name] for name in counted] == ["1", "1", "0", "40.00", "1", "50.00"]

    [rejection] = await lines(ReportType.REJECTION_DIGEST)
    assert rejection["claim_id"] == str(uuid_of("claim A"))
    assert rejection["rejected_at"] == "2025-11-10T06:59:00+00:00"
    assert (rejection["rejections"], rejection["explanatory_codes"]) == ("2", "05A;39")
    assert (rejection["outcome"], rejection["paid_fee"]) == ("PAID", "33.00")

    [falling] = await lines(ReportType.WCB_TIMING)
    assert (falling["claim_id"], falling["last_day"]) == (str(uuid_of("claim G")), "2025-11-03")
