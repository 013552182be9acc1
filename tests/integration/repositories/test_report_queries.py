"""What reports are made of: one provider's rows, of one moment, streamed in order."""

import tracemalloc
from collections.abc import AsyncIterator, Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from asyncpg import Connection

from repositories.postgres.database import Database
from repositories.reports.queries import ReportQueries
from repositories.reports.rows import ClaimHistoryRow, ClaimRow, MetricRow, Received
from repositories.vocabulary import ClaimState, ClaimType, MetricKey, ReportStatus
from tests.integration.repositories.examples import apply, paid, rejected, saved, submitted, uuid_of
from tests.integration.repositories.report_examples import (
    YEAR,
    P,
    claimed,
    claims,
    finish,
    ids,
    queries,
    read,
    record,
    report_id,
    request,
)


async def test_a_claim_is_read_whole(database: Database) -> None:
    await apply(database, submitted("A"), paid("A", modifiers=["X", "Y"], rrnp_premium="1.50"))
    [row] = await read(database, lambda source: source.all_claims())
    assert row == ClaimRow(
        claim_id=uuid_of("claim A"),
        claim_version=2,
        state=ClaimState.PAID,
        claim_type=ClaimType.AHCIP,
        date_of_service=date(2024, 10, 15),
        patient_phn="123456789",
        ba_number="1234567",
        location_id=None,
        hsc_code="03.04A",
        modifiers=("X", "Y"),
        form_id=None,
        timing_tier=None,
        submitted_fee=Decimal("50.00"),
        submitted_at=datetime(2024, 10, 16, 15, tzinfo=UTC),
        submission_deadline=None,
        assessed_fee=Decimal("40.00"),
        payment_date=date(2024, 11, 1),
        rrnp_premium=Decimal("1.50"),
        explanatory_codes=(),
        created_at=None,
    )
    assert isinstance(row.state, ClaimState)


async def test_what_the_newest_event_leaves_out_is_kept_from_the_newest_that_had_it(
    database: Database,
) -> None:
    again = {"submitted_at": "2024-10-20T15:00:00Z", "submission_deadline": "2025-01-13"}
    await apply(database, saved("A", 1), submitted("A", 2, submission_deadline="2025-01-01"))
    await apply(database, submitted("A", 3, **again), submitted("A", 4), paid("A", 5))
    [row] = await read(database, lambda source: source.all_claims())
    assert row.claim_version == 5
    assert row.created_at == datetime(2024, 10, 15, 18, tzinfo=UTC)
    assert row.submitted_at == datetime(2024, 10, 16, 15, tzinfo=UTC)
    assert row.submission_deadline == date(2025, 1, 13)


async def test_what_has_been_received(database: Database, observer: Connection) -> None:
    async with queries(database) as source:
        assert await source.received() == Received(None, rejections=False, unsent=False)
    await apply(database, paid("A"), rejected("B", provider="Q"), saved("C", provider="Q"))
    newest = await observer.fetchval(
        "UPDATE claim_events SET applied_at = now() - interval '1 h' WHERE provider_id = $1"
        " RETURNING applied_at",
        P,
    )
    async with queries(database) as source:
        assert await source.received() == Received(newest, rejections=False, unsent=False)
    await apply(database, rejected("D", 1), submitted("D", 2), saved("E", 1), submitted("E", 2))
    async with queries(database) as source:
        received = await source.received()
    assert received.rejections
    assert received.unsent


async def test_a_period_takes_both_its_days_and_no_more(database: Database) -> None:
    days = ["2023-12-31", "2024-01-01", "2024-12-31", "2025-01-01"]
    await apply(database, *(paid(day, date_of_service=day, payment_date=day) for day in days))
    inside = claims("2024-01-01", "2024-12-31")
    assert ids(await read(database, lambda source: source.paid_claims(*YEAR))) == inside
    assert ids(await read(database, lambda source: source.submitted_claims(*YEAR))) == inside
    assert ids(await read(database, lambda source: source.all_claims())) == claims(*days)


async def test_claims_come_in_order_of_service_and_id(database: Database) -> None:
    days = {"A": "2024-03-02", "B": "2024-03-01", "C": "2024-03-01", "D": "2024-03-03"}
    await apply(database, *(paid(name, date_of_service=day) for name, day in days.items()))
    found = ids(await read(database, lambda source: source.paid_claims(*YEAR)))
    assert found == [*sorted(claims("B", "C")), *claims("A", "D")]


async def test_the_history_comes_in_order_of_claim_and_version(
    database: Database, observer: Connection
) -> None:
    await apply(database, paid("A", 9), submitted("B", 2), submitted("A", 3), submitted("A", 1))
    rows = await read(database, lambda source: source.claim_history())
    found = [(row.claim.claim_id, row.claim.claim_version) for row in rows]
    expected = [(claim, v) for claim, versions in zip(claims("A", "B"), ([1, 3, 9], [2]),
                strict=True) for v in versions]  # fmt: skip
    assert found == sorted(expected)
    assert isinstance(rows[0], ClaimHistoryRow)
    first = await observer.fetchrow(
        "SELECT * FROM claim_events ORDER BY claim_id, claim_version LIMIT 1"
    )
    assert first is not None
    assert (rows[0].occurred_at, rows[0].applied_at) == (first["occurred_at"], first["applied_at"])
    assert rows[0].claim.state == first["state"]


async def test_the_cache_is_read_in_order_of_its_keys(
    database: Database, observer: Connection
) -> None:
    await apply(database, paid("A"), paid("B", date_of_service="2024-09-30", hsc_code="x"))
    rows = await read(database, lambda source: source.metrics())
    assert len(rows) == await observer.fetchval("SELECT count(*) FROM analytics_cache")
    assert [row.period_start for row in rows] == sorted(row.period_start for row in rows)
    september = [row for row in rows if row.period_start.month == 9]
    assert [row.metric_key for row in september] == sorted(row.metric_key for row in september)
    [total] = await read_metric(database, MetricKey.REVENUE_MONTHLY, None)
    assert total.value == {"count": 1, "amount": "40.00"}
    assert total.period_end == date(2024, 10, 31)


async def read_metric(database: Database, key: MetricKey, dimensions: Any) -> list[MetricRow]:
    october = [date(2024, 10, 7)]
    rows = await read(database, lambda source: source.metrics(october))
    assert {row.period_start for row in rows} == {date(2024, 10, 1)}
    return [row for row in rows if row.metric_key is key and row.dimensions == dimensions]


async def test_a_months_rows_are_not_those_of_its_days(database: Database) -> None:
    """A day of service on the first of a month has a row that starts when the month does."""
    await apply(database, submitted("A", date_of_service="2024-10-01"))
    october = await read(database, lambda source: source.metrics([date(2024, 10, 1)]))
    everything = await read(database, lambda source: source.metrics())
    assert {row.period_end for row in october} == {date(2024, 10, 31)}
    assert date(2024, 10, 1) in {row.period_end for row in everything}


async def test_it_knows_which_metrics_are_not_filled_yet(
    database: Database, observer: Connection
) -> None:
    await apply(database, paid("A"))
    async with queries(database) as source:
        assert (await source.received()).unfilled == frozenset()
    await observer.execute("UPDATE providers SET metrics_revision = 1 WHERE provider_id = $1", P)
    async with queries(database) as source:
        unfilled = (await source.received()).unfilled
    assert MetricKey.CLAIMS_REJECTED in unfilled
    assert MetricKey.AI_COACH_SUPPRESSED in unfilled
    assert MetricKey.CLAIMS_PAID not in unfilled


async def test_no_months_give_no_rows_of_the_cache(database: Database) -> None:
    await apply(database, paid("A"))
    assert await read(database, lambda source: source.metrics([])) == []


async def test_whole_months_of_paid_claims_sum_up_to_revenue_monthly(
    database: Database, observer: Connection
) -> None:
    fees = {"A": "40.00", "B": "0.01", "C": "99.90"}
    days = {"A": "2024-10-01", "B": "2024-10-31", "C": "2024-11-01"}
    await apply(
        database, *(paid(n, date_of_service=days[n], assessed_fee=fees[n]) for n in fees),
        submitted("D"),
    )  # fmt: skip
    october = (date(2024, 10, 1), date(2024, 10, 31))
    rows = await read(database, lambda source: source.paid_claims(*october))
    [total] = await read_metric(database, MetricKey.REVENUE_MONTHLY, None)
    assert total.value == {"count": 2, "amount": str(sum(row.assessed_fee or 0 for row in rows))}


async def test_the_reports_come_oldest_first(database: Database) -> None:
    await record(database, request("A"))
    await finish(database, await claimed(database))
    await record(database, request("B"))
    rows = await read(database, lambda source: source.reports())
    assert [row.report_id for row in rows] == [report_id("A"), report_id("B")]
    assert [row.status for row in rows] == [ReportStatus.READY, ReportStatus.PENDING]
    assert rows[0].file_size_bytes == 4711
    assert not any(hasattr(row, "file_path") for row in rows)


QUERIES: dict[str, Callable[[ReportQueries], AsyncIterator[Any]]] = {
    "paid_claims": lambda source: source.paid_claims(*YEAR),
    "submitted_claims": lambda source: source.submitted_claims(*YEAR),
    "unsent_claims": lambda source: source.unsent_claims(),
    "changed_claims": lambda source: source.changed_claims(*YEAR),
    "all_claims": lambda source: source.all_claims(),
    "claim_history": lambda source: source.claim_history(),
    "metrics": lambda source: source.metrics(),
    "reports": lambda source: source.reports(),
}
each_query = pytest.mark.parametrize("ask", QUERIES.values(), ids=QUERIES)


@each_query
async def test_no_query_gives_another_providers_rows(
    database: Database, ask: Callable[[ReportQueries], AsyncIterator[Any]]
) -> None:
    await apply(database, paid("B", provider="Q"), saved("D", provider="Q"))
    await record(database, request("B", "Q"))
    assert await read(database, ask) == []
    await apply(database, paid("A"), saved("C"))
    await record(database, request("A"))
    assert await read(database, ask)


@each_query
async def test_every_query_sees_the_moment_at_which_the_first_began(
    database: Database, ask: Callable[[ReportQueries], AsyncIterator[Any]]
) -> None:
    async with queries(database) as source:
        assert [row async for row in source.all_claims()] == []
        await apply(database, paid("A"), saved("C"))
        await record(database, request("A"))
        assert [row async for row in ask(source)] == []


async def test_a_stream_that_is_left_early_leaves_room_for_the_next(database: Database) -> None:
    await apply(database, paid("A"), paid("B"))
    async with queries(database) as source:
        stream = source.all_claims()
        await anext(stream)
        await stream.aclose()  # type: ignore[attr-defined]  # it is a generator
        assert len([row async for row in source.paid_claims(*YEAR)]) == 2


MANY = """
    INSERT INTO claims (claim_id, claim_version, provider_id, state, claim_type, date_of_service,
        modifiers, submitted_fee, hsc_code, explanatory_codes, first_sent_version)
    SELECT gen_random_uuid(), 1, $1, 'SUBMITTED', 'AHCIP', '2024-05-05', '{}', 1, '03.03A', '{}', 1
    FROM generate_series(1, $2)
"""


async def test_memory_does_not_grow_with_the_rows(database: Database, observer: Connection) -> None:
    peaks = []
    for rows in (3_000, 17_000):
        await observer.execute(MANY, P, rows)
        tracemalloc.start()
        async with queries(database) as source:
            count = 0
            async for _ in source.all_claims():
                count += 1
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert count == 20_000
    assert peaks[1] < 1.5 * peaks[0]
