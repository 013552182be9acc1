"""Which claims a report is about: sent or not, and by when something happened to them."""

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from asyncpg import Connection

from repositories.postgres.database import Database
from repositories.reports.queries import ReportQueries
from repositories.reports.rows import ClaimHistoryRow
from repositories.tables import CLAIM_COLUMNS
from repositories.vocabulary import ClaimState
from tests.integration.repositories.examples import (
    adjusted,
    apply,
    assessed,
    expired,
    paid,
    rejected,
    saved,
    submitted,
    withdrawn,
    written_off,
)
from tests.integration.repositories.report_examples import YEAR, P, claims, ids, read
from tests.strategies import EventSpec

WEEK = (date(2024, 10, 28), date(2024, 11, 3))  # clocks go back on its last day
NEWEST = {
    ClaimState.DRAFT: saved(version=4),
    ClaimState.VALIDATED: saved(version=4, stage="VALIDATED"),
    ClaimState.QUEUED: saved(version=4, stage="QUEUED"),
    ClaimState.SUBMITTED: submitted(version=4),
    ClaimState.ASSESSED: assessed(version=4),
    ClaimState.PAID: paid(version=4),
    ClaimState.REJECTED: rejected(version=4),
    ClaimState.ADJUSTED: adjusted(version=4),
    ClaimState.WRITTEN_OFF: written_off(version=4),
    ClaimState.EXPIRED: expired(version=4),
    ClaimState.WITHDRAWN: withdrawn(version=4),
}
NOT_SENT = {
    ClaimState.DRAFT,
    ClaimState.VALIDATED,
    ClaimState.QUEUED,
    ClaimState.WRITTEN_OFF,
    ClaimState.EXPIRED,
}


def test_every_state_is_tried() -> None:
    assert set(NEWEST) == set(ClaimState)


@pytest.mark.parametrize("was_sent", [False, True])
@pytest.mark.parametrize(("state", "newest"), NEWEST.items(), ids=NEWEST)
async def test_which_claims_are_paid_sent_or_wait_to_be_sent(
    database: Database, state: ClaimState, newest: EventSpec, was_sent: bool
) -> None:
    """Whether a claim was sent is a fact of its history; a stale event can bring it."""
    await apply(database, newest)
    await apply(database, submitted(version=2) if was_sent else saved(version=2))
    is_paid = await read(database, lambda source: source.paid_claims(*YEAR))
    is_submitted = await read(database, lambda source: source.submitted_claims(*YEAR))
    is_unsent = await read(database, lambda source: source.unsent_claims())
    everything = await read(database, lambda source: source.all_claims())
    assert bool(is_paid) == (state in {ClaimState.PAID, ClaimState.ADJUSTED})
    sent = was_sent or state not in NOT_SENT
    assert bool(is_submitted) == (sent and state is not ClaimState.WITHDRAWN)
    assert bool(is_unsent) == (state in {ClaimState.DRAFT, ClaimState.VALIDATED, ClaimState.QUEUED})
    assert everything


async def test_an_unfinished_draft_is_read_with_what_it_has(database: Database) -> None:
    """Its deadline is what it says now, not what an older event said."""
    await apply(database, saved("A", 1, submission_deadline="2024-11-05"))
    await apply(database, saved("A", 2, submitted_fee=None, ba_number=None, hsc_code=None))
    [row] = await read(database, lambda source: source.unsent_claims())
    assert (row.submitted_fee, row.hsc_code, row.submission_deadline) == (None, None, None)


async def test_what_a_payer_said_is_read_with_the_version_that_said_it(database: Database) -> None:
    await apply(database, submitted("A", 1), rejected("A", 2, explanatory_codes=["39", "05A"]))
    rows = await read(database, lambda source: source.claim_history())
    assert [row.claim.explanatory_codes for row in rows] == [(), ("39", "05A")]


def at(event: EventSpec, time: str) -> EventSpec:
    return replace(event, ce_time=time)


async def changed(database: Database) -> list[ClaimHistoryRow]:
    return await read(database, lambda source: source.changed_claims(*WEEK))


@pytest.mark.parametrize(
    ("time", "within"),
    [
        ("2024-10-28T05:59:59.999999Z", False),  # before midnight, six hours behind UTC
        ("2024-10-28T06:00:00Z", True),
        ("2024-11-04T06:59:59.999999Z", True),  # before midnight, seven hours behind it
        ("2024-11-04T07:00:00Z", False),
    ],
)
async def test_what_happened_on_some_days_is_found_by_midnight_in_edmonton(
    database: Database, time: str, within: bool
) -> None:
    await apply(database, at(submitted("A"), time))
    assert bool(await changed(database)) == within


async def test_a_claim_comes_with_its_whole_history_in_order_of_the_versions(
    database: Database,
) -> None:
    await apply(
        database,
        at(rejected("A", 5), "2024-10-30T12:00:00Z"),
        at(submitted("B", 1), "2024-12-01T12:00:00Z"),
        at(paid("A", 9, assessed_fee="12.00"), "2024-12-01T12:00:00Z"),
    )
    await apply(database, at(submitted("A", 3), "2023-01-01T12:00:00Z"))  # stale
    rows = await changed(database)
    assert ids([row.claim for row in rows]) == claims("A", "A", "A")
    assert [row.claim.claim_version for row in rows] == [3, 5, 9]
    assert rows[-1].claim.assessed_fee == Decimal("12.00")


async def test_a_withdrawn_claims_history_is_left_out(database: Database) -> None:
    await apply(database, submitted("A", 1), rejected("B", 2), withdrawn("B", 3))
    assert ids([row.claim for row in await changed(database)]) == claims("A")


COLUMNS = ", ".join(CLAIM_COLUMNS)
OTHERS = f"""
    WITH theirs AS (
        INSERT INTO claims (claim_id, claim_version, provider_id, state, claim_type,
            date_of_service, modifiers, submitted_fee, hsc_code, explanatory_codes,
            first_sent_version)
        SELECT gen_random_uuid(), 1, gen_random_uuid(), 'SUBMITTED', 'AHCIP', '2024-05-05', '{{}}',
            1, '03.03A', '{{}}', 1
        FROM generate_series(1, 20000) RETURNING *
    )
    INSERT INTO claim_events ({COLUMNS}, occurred_at, source_topic, source_partition, source_offset)
    SELECT {COLUMNS}, '2024-10-30T12:00Z', 't', 0, 0 FROM theirs
"""


@pytest.mark.parametrize(
    "ask",
    [lambda source: source.claim_history(), lambda source: source.changed_claims(*WEEK)],
    ids=["all", "changed"],
)
async def test_a_history_is_found_through_an_index(
    database: Database,
    observer: Connection,
    ask: Callable[[ReportQueries], AsyncIterator[ClaimHistoryRow]],
) -> None:
    """Of others' events, two thousand times as many, none are read."""
    await apply(database, *(at(paid(f"{n}"), "2024-10-30T12:00:00Z") for n in range(10)))
    await observer.execute(OTHERS)
    await observer.execute("ANALYZE claims, claim_events")
    scanned = "SELECT seq_tup_read FROM pg_stat_xact_user_tables WHERE relname = 'claim_events'"
    async with database.snapshot() as connection:
        rows = [row async for row in ask(ReportQueries(connection, P))]
        read_by_scan = (await connection.exec_driver_sql(scanned)).scalar()
    assert len(rows) == 10
    assert read_by_scan == 0
