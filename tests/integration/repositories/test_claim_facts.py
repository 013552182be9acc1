"""Facts of a claim's whole history, and the figures that follow from them, by example.

`test_any_order` has the same of any set of events; here each case says what it is about.
"""

from itertools import permutations
from typing import NamedTuple

import pytest
from asyncpg import Connection

from repositories.claims.verification import verify
from repositories.postgres.database import Database
from tests.integration.repositories.database_state import read_cache
from tests.integration.repositories.examples import (
    adjusted,
    apply,
    assessed,
    expected,
    expired,
    paid,
    rejected,
    saved,
    settled,
    submitted,
    withdrawn,
    written_off,
)
from tests.oracle import Value
from tests.strategies import EventSpec

FUNNEL = "rejection_resolution_funnel"


class Facts(NamedTuple):
    first_sent: int | None = None
    first_rejected: int | None = None
    last_sent: int | None = None


CASES = {
    "a draft was never sent": (
        [saved(version=1), saved(version=2, stage="QUEUED")], Facts(),
    ),
    "a draft that expired was never sent": (
        [saved(version=1), expired(version=2)], Facts(),
    ),
    "an incomplete draft that expired was never sent": (
        [
            saved(version=1, submitted_fee=None, hsc_code=None),
            expired(version=2, submitted_fee=None, hsc_code=None, ba_number=None),
        ],
        Facts(),
    ),
    "a draft that was given up or withdrawn was never sent": (
        [saved(version=1), written_off(version=2), withdrawn(version=3)], Facts(),
    ),
    "a draft after a rejection was sent all the same": (
        [submitted(version=1), rejected(version=2), saved(version=3)], Facts(1, 2, 1),
    ),
    "a claim of which only the rejection is known was sent": (
        [rejected(version=4)], Facts(4, 4, None),
    ),
    "a claim that was withdrawn was sent before": (
        [submitted(version=1), withdrawn(version=2)], Facts(1, None, 1),
    ),
    "a claim that was sent again after two rejections": (
        [
            submitted(version=1), rejected(version=2), submitted(version=3), rejected(version=5),
            saved(version=6), assessed(version=7), adjusted(version=9), written_off(version=10),
        ],
        Facts(1, 2, 9),
    ),
}  # fmt: skip


@pytest.mark.parametrize(("events", "facts"), CASES.values(), ids=CASES.keys())
async def test_facts_are_those_of_the_whole_history(
    database: Database, observer: Connection, events: list[EventSpec], facts: Facts
) -> None:
    await apply(database, *events[1::2])
    await apply(database, *events[::2])  # between those that are known
    assert await facts_of_the_claim(observer) == facts
    assert await settled(database, observer) == expected(*events)
    assert (await verify(database)).clean


async def test_facts_of_one_batch_are_those_of_a_batch_for_each_event(
    database: Database, observer: Connection
) -> None:
    events = [submitted(version=2), rejected(version=3), submitted(version=5), paid(version=7)]
    for order in permutations(events):
        await observer.execute("DELETE FROM claims; DELETE FROM claim_events")
        await apply(database, *order)
        assert await facts_of_the_claim(observer) == Facts(2, 3, 7)


async def test_a_rejection_that_comes_after_the_payment_moves_the_funnel(
    database: Database, observer: Connection
) -> None:
    await apply(database, submitted(version=1), paid(version=5))
    assert await funnel(observer) is None
    late = await apply(database, rejected(version=3))
    assert late.stale == 1
    assert await facts_of_the_claim(observer) == Facts(1, 3, 5)
    assert await funnel(observer) == steps(rejected=1, resubmitted=1, paid_on_resubmission=1)
    again = await apply(database, rejected(version=3))
    assert (again.duplicate, again.changed_rows) == (1, 0)
    assert await funnel(observer) == steps(rejected=1, resubmitted=1, paid_on_resubmission=1)


async def test_a_resubmission_that_comes_late_moves_the_funnel(
    database: Database, observer: Connection
) -> None:
    await apply(database, rejected(version=2), written_off(version=6))
    assert await funnel(observer) == steps(rejected=1, written_off=1)
    await apply(database, submitted(version=4))
    assert await funnel(observer) == steps(rejected=1, resubmitted=1, written_off=1)


async def test_an_earlier_rejection_makes_a_resubmission_of_what_was_sent_before_the_known_one(
    database: Database, observer: Connection
) -> None:
    await apply(database, submitted(version=5), rejected(version=7))
    assert await funnel(observer) == steps(rejected=1)
    await apply(database, rejected(version=3))
    assert await funnel(observer) == steps(rejected=1, resubmitted=1)


async def test_a_submission_that_comes_late_makes_an_expired_draft_a_claim_that_was_sent(
    database: Database, observer: Connection
) -> None:
    await apply(database, saved(version=1), expired(version=4))
    assert await read_cache(observer, "claims_submitted") == {}
    await apply(database, submitted(version=2))
    one = {"count": 1, "amount": "50.00"}
    assert await read_cache(observer, "claims_submitted") == {None: one, "AHCIP": one}
    assert await read_cache(observer, "expired_claims") == {None: one, "AHCIP": one}


async def test_a_stale_event_that_moves_no_fact_changes_no_row(
    database: Database, observer: Connection
) -> None:
    await apply(database, submitted(version=1), rejected(version=2), paid(version=9))
    stale = await apply(database, saved(version=5), submitted(version=6), rejected(version=7))
    assert (stale.stale, stale.changed_rows) == (3, 0)


async def test_a_withdrawn_claim_counts_nowhere_and_comes_back(
    database: Database, observer: Connection
) -> None:
    events = [submitted(version=1), rejected(version=2), withdrawn(version=3)]
    await apply(database, *events)
    assert (await settled(database, observer)).analytics_cache == {}
    events.append(submitted(version=4))
    await apply(database, events[-1])
    assert await funnel(observer) == steps(rejected=1, resubmitted=1)
    assert await settled(database, observer) == expected(*events)


async def test_rejected_claims_of_a_batch_count_under_their_own_codes_alone(
    database: Database, observer: Connection
) -> None:
    await apply(
        database,
        rejected("A", explanatory_codes=["05BA", "63", "05BA"]),
        rejected("B", explanatory_codes=["63"], submitted_fee="1.00"),
        rejected("C", explanatory_codes=[]),
    )
    assert await read_cache(observer, "rejection_by_code") == {
        "05BA": {"count": 1, "amount": "50.00"},
        "63": {"count": 2, "amount": "51.00"},
    }


async def test_a_draft_without_a_fee_counts_one_and_adds_nothing(
    database: Database, observer: Connection
) -> None:
    await apply(database, saved(version=3, submitted_fee=None))
    one = {"count": 1, "amount": "0.00"}
    assert await read_cache(observer, "aging_brackets") == {None: one, "AHCIP": one}
    await apply(database, submitted(version=1))  # an older version, complete
    assert await read_cache(observer, "aging_brackets") == {None: one, "AHCIP": one}
    assert await read_cache(observer, "claims_submitted") == {None: one, "AHCIP": one}


async def test_a_day_is_deleted_when_its_last_claim_leaves_it(
    database: Database, observer: Connection
) -> None:
    await apply(database, saved("A", submission_deadline="2025-01-13"), saved("B"))
    await apply(database, submitted("A", 2))
    assert await read_cache(observer, "approaching_deadline") == {}
    one = {"count": 1, "amount": "50.00"}
    assert await read_cache(observer, "stale_claims") == {None: one, "AHCIP": one}
    await apply(database, saved("A", 3), withdrawn("A", 4), withdrawn("B", 2))
    left = await observer.fetchval(
        "SELECT count(*) FROM analytics_cache WHERE period_start = period_end"
    )
    assert left == 0


async def facts_of_the_claim(observer: Connection) -> Facts:
    return Facts(
        *await observer.fetchrow(
            "SELECT first_sent_version, first_rejected_version, last_sent_version FROM claims"
        )
    )


async def funnel(observer: Connection) -> Value | None:
    """The row of all payers; None if there is none, or one of zeros."""
    value = (await read_cache(observer, FUNNEL)).get(None)
    return value if value and any(value.values()) else None


def steps(**counts: int) -> Value:
    names = ("rejected", "resubmitted", "paid_on_resubmission", "written_off")
    return {name: counts.get(name, 0) for name in names}
