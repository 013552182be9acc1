"""Rejections received in a period, whenever the service was, and what has become of them."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from repositories.reports.rows import ClaimHistoryRow
from repositories.vocabulary import ClaimState, ReportFormat, ReportType
from tests.unit.service.reports.documents.examples import (
    NOTHING_RECEIVED,
    Rows,
    claim,
    happened,
    rendered,
    request,
)
from tests.unit.service.reports.documents.reading import csv_lines, pdf_text

NOVEMBER = (date(2025, 11, 1), date(2025, 11, 30))
PDF = request(ReportType.REJECTION_DIGEST, ReportFormat.PDF, *NOVEMBER)
CSV = request(ReportType.REJECTION_DIGEST, ReportFormat.CSV, *NOVEMBER)
OCTOBER_20, NOVEMBER_4, NOVEMBER_20, DECEMBER_2, DECEMBER_9 = (
    f"2025-{day}T12:00:00-07:00" for day in ("10-20", "11-04", "11-20", "12-02", "12-09")
)
S = ClaimState
Step = tuple[str, ClaimState] | tuple[str, ClaimState, tuple[str, ...]]  # when, what, codes


def history(number: int, *steps: Step, **given: Any) -> list[ClaimHistoryRow]:
    """A claim's versions, in order; of a service long before the period."""
    of = claim(number, assessed_fee=None, **given)
    return [
        happened(
            step[0],
            of,
            claim_version=version,
            state=step[1],
            explanatory_codes=step[2] if len(step) == 3 else (),
            assessed_fee=Decimal("31.10") if step[1] in (S.PAID, S.ADJUSTED) else None,
        )
        for version, step in enumerate(steps, start=1)
    ]


async def lines(*histories: list[ClaimHistoryRow]) -> list[dict[str, str]]:
    return csv_lines(await rendered(CSV, Rows(histories=histories)))


REJECTED: Step = (NOVEMBER_4, S.REJECTED, ("05A",))
HISTORIES = (
    history(
        1, (OCTOBER_20, S.SUBMITTED), REJECTED, (DECEMBER_2, S.SUBMITTED), (DECEMBER_9, S.PAID)
    ),
    history(2, (OCTOBER_20, S.SUBMITTED), (NOVEMBER_20, S.REJECTED, ("05A", "39"))),
    history(3, (OCTOBER_20, S.SUBMITTED), (NOVEMBER_20, S.REJECTED), hsc_code="08.19A"),
    history(4, (OCTOBER_20, S.REJECTED, ("17",)), (NOVEMBER_4, S.SUBMITTED)),
    history(5, (DECEMBER_2, S.REJECTED, ("17",))),
)


async def test_rejections_received_in_the_period_are_listed_by_their_time() -> None:
    found = await lines(*HISTORIES)

    assert [line["claim_id"][-1] for line in found] == ["1", "2", "3"]
    assert found[0] == {
        "claim_id": "00000000-0000-0000-0000-000000000001",
        "rejected_at": "2025-11-04T12:00:00-07:00",
        "rejections": "1",
        "explanatory_codes": "05A",
        "outcome": "PAID",
        "date_of_service": "2025-03-10",
        "claim_type": "AHCIP",
        "hsc_code": "03.03A",
        "form_id": "",
        "modifiers": "CMGP01",
        "ba_number": "1234567",
        "location": "Đặng Văn Ngữ Family Clinic",
        "submitted_fee": "41.10",
        "paid_fee": "31.10",
    }


@pytest.mark.parametrize(
    ("at", "within"),
    [  # clocks go back on the second day of this month
        ("2025-11-01T05:59:59Z", False),  # a second before midnight in Edmonton
        ("2025-11-01T06:00:00Z", True),
        ("2025-12-01T06:59:59Z", True),
        ("2025-12-01T07:00:00Z", False),
    ],
)
async def test_a_period_begins_and_ends_at_midnight_in_edmonton(at: str, within: bool) -> None:
    assert len(await lines(history(1, (at, S.REJECTED)))) == within


@pytest.mark.parametrize(
    ("since", "outcome"),
    [
        ([], "STILL_REJECTED"),
        ([S.REJECTED], "STILL_REJECTED"),
        ([S.DRAFT], "BEING_CORRECTED"),
        ([S.DRAFT, S.VALIDATED, S.QUEUED], "BEING_CORRECTED"),
        ([S.SUBMITTED], "RESUBMITTED"),
        ([S.SUBMITTED, S.ASSESSED], "RESUBMITTED"),
        ([S.SUBMITTED, S.REJECTED], "REJECTED_AGAIN"),
        ([S.SUBMITTED, S.PAID], "PAID"),
        ([S.PAID, S.ADJUSTED], "PAID"),
        ([S.WRITTEN_OFF], "WRITTEN_OFF"),
        ([S.DRAFT, S.EXPIRED], "EXPIRED"),
    ],
)
async def test_what_has_become_of_a_rejected_claim(since: list[ClaimState], outcome: str) -> None:
    [line] = await lines(history(1, REJECTED, *((DECEMBER_2, state) for state in since)))

    assert line["outcome"] == outcome
    assert line["paid_fee"] == ("31.10" if outcome == "PAID" else "")


async def test_a_claim_that_was_withdrawn_since_is_left_out() -> None:
    assert await lines(history(1, REJECTED, (DECEMBER_2, S.WITHDRAWN))) == []


async def test_a_claim_that_is_rejected_twice_in_the_period_stands_once() -> None:
    twice = history(
        1, REJECTED, (NOVEMBER_4, S.SUBMITTED), (NOVEMBER_20, S.REJECTED, ("39", "05A", "39"))
    )

    [line] = await lines(twice)
    text = pdf_text(await rendered(PDF, Rows(histories=[twice])))

    assert (line["rejections"], line["rejected_at"]) == ("2", "2025-11-20T12:00:00-07:00")
    assert (line["explanatory_codes"], line["outcome"]) == ("05A;39", "STILL_REJECTED")
    assert "Still rejected 1 41.10 100.00 % Total 1 41.10 100.00 %" in text
    assert "05A 1 41.10 100.00 % 0 1 39 1 41.10 100.00 % 0 1" in text


async def test_the_first_of_two_rejections_counts_if_it_alone_was_in_the_period() -> None:
    steps: list[Step] = [REJECTED, (NOVEMBER_20, S.SUBMITTED), (DECEMBER_2, S.REJECTED, ("39",))]

    [line] = await lines(history(1, *steps))

    assert (line["rejections"], line["explanatory_codes"]) == ("1", "05A")
    assert line["outcome"] == "REJECTED_AGAIN"


async def test_a_correction_of_a_rejection_is_no_second_one_and_its_codes_count() -> None:
    [line] = await lines(history(1, REJECTED, (DECEMBER_2, S.REJECTED, ("39",))))

    assert (line["rejections"], line["explanatory_codes"]) == ("1", "39")
    assert line["rejected_at"] == "2025-11-04T12:00:00-07:00"


async def test_a_stale_event_moves_a_rejection_to_when_it_was_first_received() -> None:
    """Its version, not its arrival, says that the claim stood rejected already."""
    assert await lines(history(1, (OCTOBER_20, S.REJECTED), REJECTED)) == []
    assert len(await lines(history(1, (OCTOBER_20, S.SUBMITTED), REJECTED))) == 1


async def test_rejections_are_counted_by_code_and_by_what_became_of_them() -> None:
    text = pdf_text(await rendered(PDF, Rows(histories=HISTORIES)))

    assert "3 123.30 1 2" in text
    assert "Still rejected 2 82.20 66.67 % Paid 1 41.10 33.33 % Total 3 123.30 100.00 %" in text
    assert "05A 2 82.20 66.67 % 1 1 39 1 41.10 33.33 % 0 1 No code 1 41.10 33.33 % 0 1" in text


async def test_each_rejected_claim_stands_with_its_day_and_codes() -> None:
    text = pdf_text(await rendered(PDF, Rows(histories=HISTORIES)))

    assert "2025-11-20 00000000-0000-0000-0000-000000000002 2025-03-10 03.03A AHCIP 05A, 39" in text
    assert "(days on which rejections were received, whenever the service was given)" in text


async def test_with_no_rejections_it_says_so() -> None:
    none = Rows(histories=[history(1, (NOVEMBER_4, S.SUBMITTED))])

    assert "No rejection was received in this period." in pdf_text(await rendered(PDF, none))
    assert csv_lines(await rendered(CSV, none)) == []


async def test_where_no_rejection_was_ever_received_it_says_so() -> None:
    asked = replace(PDF, received=NOTHING_RECEIVED)

    text = pdf_text(await rendered(asked, Rows(histories=[history(1, (NOVEMBER_4, S.PAID))])))

    assert "No rejection has ever been received for this physician." in text
