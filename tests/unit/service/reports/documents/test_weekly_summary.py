"""What happened in a week, by the events' own time in Alberta, beside the week before."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from repositories.reports.rows import ClaimHistoryRow
from repositories.vocabulary import ClaimState, ClaimType, ReportFormat, ReportType
from tests.unit.service.reports.documents.examples import (
    NOTHING_RECEIVED,
    Rows,
    claim,
    happened,
    rendered,
    request,
)
from tests.unit.service.reports.documents.reading import csv_lines, pdf_text

WEEK = (date(2025, 11, 3), date(2025, 11, 9))
LATER = (date(2025, 11, 10), date(2025, 11, 16))
PDF = request(ReportType.WEEKLY_SUMMARY, ReportFormat.PDF, *WEEK)
CSV = request(ReportType.WEEKLY_SUMMARY, ReportFormat.CSV, *WEEK)
LAST_WEEK, MONDAY, TUESDAY, FRIDAY, NEXT_WEEK = (
    f"2025-{day}T12:00:00-07:00" for day in ("10-29", "11-03", "11-04", "11-07", "11-12")
)
Step = tuple[str, ClaimState] | tuple[str, ClaimState, str]  # when, what it became, assessed fee
S = ClaimState


def history(number: int, *steps: Step, **given: Any) -> list[ClaimHistoryRow]:
    """A claim's versions, in order; a service of long ago, as only the events' times count."""
    of = claim(number, date_of_service=date(2025, 3, 10), **given)
    return [
        happened(
            step[0],
            of,
            claim_version=version,
            state=step[1],
            assessed_fee=Decimal(step[2]) if len(step) == 3 else None,
        )
        for version, step in enumerate(steps, start=1)
    ]


async def weeks(*histories: list[ClaimHistoryRow]) -> tuple[dict[str, str], dict[str, str]]:
    """The lines of the week and of the one before, of both payers together."""
    now, _ahcip, _wcb, before, *_ = csv_lines(await rendered(CSV, Rows(histories=histories)))
    return now, before


def figures(line: dict[str, str]) -> tuple[int, int, int, int]:
    """Submitted, paid, adjusted, rejected."""
    submitted, paid, adjusted, rejected = (
        int(line[name]) for name in ("submitted", "paid", "adjusted", "rejected")
    )
    return submitted, paid, adjusted, rejected


ORDINARY = (
    history(1, (LAST_WEEK, S.SUBMITTED), (MONDAY, S.PAID, "40.00")),
    history(2, (MONDAY, S.SUBMITTED), (TUESDAY, S.REJECTED)),
    history(3, (LAST_WEEK, S.SUBMITTED), (FRIDAY, S.ASSESSED, "30.00")),
    history(4, (LAST_WEEK, S.PAID, "41.10"), (FRIDAY, S.ADJUSTED, "31.10")),
    history(5, (NEXT_WEEK, S.SUBMITTED)),
)


async def test_a_week_counts_what_happened_in_it() -> None:
    now, before = await weeks(*ORDINARY)

    assert now == {
        "period_start": "2025-11-03",
        "period_end": "2025-11-09",
        "claim_type": "ALL",
        "submitted": "1",
        "submitted_amount": "41.10",
        "paid": "1",
        "adjusted": "1",
        "revenue": "30.00",
        "decided": "4",
        "rejected": "1",
        "rejected_amount": "41.10",
        "rejection_rate": "25.00",
    }
    assert (before["period_start"], before["period_end"]) == ("2025-10-27", "2025-11-02")
    assert figures(before) == (2, 1, 0, 0)
    assert (before["revenue"], before["rejection_rate"]) == ("41.10", "0.00")


@pytest.mark.parametrize(
    ("at", "within"),
    [
        ("2025-11-03T06:59:59.999999Z", False),  # a second before midnight in Edmonton
        ("2025-11-03T07:00:00Z", True),
        ("2025-11-10T06:59:59.999999Z", True),
        ("2025-11-10T07:00:00Z", False),
    ],
)
async def test_a_week_begins_and_ends_at_midnight_in_edmonton(at: str, within: bool) -> None:
    now, before = await weeks(history(1, (at, S.SUBMITTED)))

    assert figures(now)[0] == within
    assert figures(before)[0] == at.startswith("2025-11-03T06")


@pytest.mark.parametrize(
    ("week", "first", "last"),
    [  # clocks go back on 2 November 2025, and forward on 8 March 2026
        ((date(2025, 10, 27), date(2025, 11, 2)), "2025-10-27T06:00:00Z", "2025-11-03T06:59:59Z"),
        ((date(2026, 3, 2), date(2026, 3, 8)), "2026-03-02T07:00:00Z", "2026-03-09T05:59:59Z"),
    ],
)
async def test_a_week_in_which_clocks_change_is_an_hour_longer_or_shorter(
    week: tuple[date, date], first: str, last: str
) -> None:
    rows = Rows(histories=[history(n, (at, S.SUBMITTED)) for n, at in enumerate((first, last))])

    now, *_ = csv_lines(
        await rendered(request(ReportType.WEEKLY_SUMMARY, ReportFormat.CSV, *week), rows)
    )

    assert now["submitted"] == "2"


async def test_a_claim_that_is_rejected_twice_counts_once() -> None:
    steps: list[Step] = [(MONDAY, S.REJECTED), (TUESDAY, S.SUBMITTED), (FRIDAY, S.REJECTED)]
    now, _ = await weeks(history(1, (LAST_WEEK, S.SUBMITTED), *steps))

    assert figures(now) == (1, 0, 0, 1)
    assert (now["decided"], now["rejection_rate"]) == ("1", "100.00")


async def test_one_that_is_rejected_and_then_paid_counts_as_both() -> None:
    steps: list[Step] = [(MONDAY, S.REJECTED), (TUESDAY, S.SUBMITTED), (FRIDAY, S.PAID, "40.00")]
    now, _ = await weeks(history(1, (LAST_WEEK, S.SUBMITTED), *steps))

    assert figures(now) == (1, 1, 0, 1)
    assert now["rejection_rate"] == "100.00"


async def test_a_version_that_leaves_the_state_as_it_was_counts_as_nothing_new() -> None:
    sent = history(1, (LAST_WEEK, S.SUBMITTED), (MONDAY, S.SUBMITTED))
    paid = history(2, (LAST_WEEK, S.PAID, "40.00"), (MONDAY, S.PAID, "45.00"))

    now, _ = await weeks(sent, paid)

    assert figures(now) == (0, 0, 0, 0)
    assert (now["revenue"], now["decided"]) == ("5.00", "0")


async def test_the_version_before_counts_whenever_it_arrived_and_whenever_it_happened() -> None:
    """A stale event makes what seemed new a mere correction; its own time lies anywhere."""
    alone = history(1, (MONDAY, S.REJECTED))
    with_stale = history(1, (NEXT_WEEK, S.REJECTED), (MONDAY, S.REJECTED))

    assert figures((await weeks(alone))[0])[3] == 1
    assert figures((await weeks(with_stale))[0])[3] == 0


async def test_what_the_payer_assessed_is_no_revenue_until_it_is_paid() -> None:
    assessed_before = history(1, (LAST_WEEK, S.ASSESSED, "40.00"), (MONDAY, S.PAID, "40.00"))
    assessed_now = history(2, (MONDAY, S.ASSESSED, "25.00"))

    now, before = await weeks(assessed_before, assessed_now)

    assert (now["revenue"], before["revenue"]) == ("40.00", "0.00")


async def test_money_that_is_taken_back_lessens_the_weeks_revenue() -> None:
    taken_back = history(1, (LAST_WEEK, S.PAID, "40.00"), (MONDAY, S.REJECTED))
    now, before = await weeks(taken_back)
    text = pdf_text(await rendered(PDF, Rows(histories=[taken_back])))

    assert (now["revenue"], before["revenue"]) == ("-40.00", "40.00")
    assert "Revenue ($) -40.00 40.00 -80.00" in text


async def test_a_claim_that_is_adjusted_at_first_sight_is_paid_too() -> None:
    now, _ = await weeks(history(1, (LAST_WEEK, S.SUBMITTED), (MONDAY, S.ADJUSTED, "30.00")))

    assert figures(now) == (0, 1, 1, 0)
    assert (now["revenue"], now["decided"]) == ("30.00", "1")


async def test_a_withdrawn_claim_counts_nowhere() -> None:
    now, before = await weeks(
        history(1, (LAST_WEEK, S.SUBMITTED), (MONDAY, S.REJECTED), (NEXT_WEEK, S.WITHDRAWN))
    )

    assert figures(now) == figures(before) == (0, 0, 0, 0)


async def test_all_weeks_together_add_up_to_the_revenue_there_is() -> None:
    steps: list[Step] = [
        (LAST_WEEK, S.PAID, "40.00"),
        (MONDAY, S.ADJUSTED, "31.10"),
        (FRIDAY, S.PAID, "0.00"),
    ]
    histories = [history(1, *steps), history(2, (FRIDAY, S.SUBMITTED), (NEXT_WEEK, S.PAID, "9.99"))]
    gains = []
    for start, end in ((date(2025, 10, 27), date(2025, 11, 2)), WEEK, LATER):
        asked = request(ReportType.WEEKLY_SUMMARY, ReportFormat.CSV, start, end)
        line, *_ = csv_lines(await rendered(asked, Rows(histories=histories)))
        gains.append(Decimal(line["revenue"]))

    assert gains == [Decimal("40.00"), Decimal("-40.00"), Decimal("9.99")]


async def test_each_payer_has_its_own_figures() -> None:
    wcb = history(1, (MONDAY, S.PAID, "94.15"), claim_type=ClaimType.WCB)
    both, ahcip, of_wcb, *_ = csv_lines(await rendered(CSV, Rows(histories=[*ORDINARY, wcb])))

    revenues = [line["revenue"] for line in (both, ahcip, of_wcb)]
    assert revenues == ["124.15", "30.00", "94.15"]


async def test_the_week_before_stands_beside_the_week() -> None:
    text = pdf_text(await rendered(PDF, Rows(histories=ORDINARY)))

    assert "2025-11-03 to 2025-11-09 2025-10-27 to 2025-11-02 Change" in text
    assert "Revenue ($) 30.00 41.10 -11.10" in text
    assert "Submitted 1 2 -1" in text
    assert "Rejection rate 25.00 % 0.00 % +25.00 pts" in text


async def test_head_and_foot_say_what_the_week_counts_and_that_it_may_change() -> None:
    text = pdf_text(await rendered(PDF, Rows(histories=ORDINARY)))

    assert "2025-11-03 to 2025-11-09 (what happened on these days, whenever the service" in text
    assert "Later events may change these figures · Requested" in text


async def test_where_no_rejection_was_ever_received_it_says_so() -> None:
    said = "No rejection has ever been received for this physician."
    rows = Rows(histories=ORDINARY)

    assert said in pdf_text(await rendered(replace(PDF, received=NOTHING_RECEIVED), rows))
    assert said not in pdf_text(await rendered(PDF, rows))


async def test_a_rate_over_nothing_is_a_dash() -> None:
    assert "Rejection rate – – –" in pdf_text(await rendered(PDF, Rows()))


@pytest.mark.parametrize(
    ("end", "charted"), [(date(2025, 11, 16), True), (date(2025, 11, 17), False)]
)
async def test_days_are_charted_up_to_two_weeks(end: date, charted: bool) -> None:
    asked = request(ReportType.WEEKLY_SUMMARY, ReportFormat.PDF, WEEK[0], end)

    text = pdf_text(await rendered(asked, Rows(histories=ORDINARY)))

    assert ("Revenue by day" in text) is charted
