"""The rows that one provider's reports are made of, streamed: memory does not grow with them."""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import fields
from datetime import date, timedelta
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, Row, ScalarSelect, Select, exists, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from repositories import vocabulary
from repositories.calendar import start_of_day_in_alberta
from repositories.metrics import definitions
from repositories.metrics.lists import LISTS
from repositories.reports.rows import ClaimHistoryRow, ClaimRow, MetricRow, Received, ReportRow
from repositories.reports.tables import generated_reports
from repositories.tables import analytics_cache, claim_events, claims, providers

FETCHED_AT_ONCE = 1_000
PAID = (vocabulary.ClaimState.PAID, vocabulary.ClaimState.ADJUSTED)
CLAIM_FIELDS = tuple(field.name for field in fields(ClaimRow))
# Not every kind of event has these: where the newest lacks one, the history has it.
KEPT = ("submitted_at", "submission_deadline", "created_at")
COUNTED = claims.c.state != vocabulary.ClaimState.WITHDRAWN

Made = TypeVar("Made")


class ReportQueries:
    """One provider's rows at one moment: over a connection of `Database.snapshot()`.

    Each method starts a server-side cursor; take one to its end before the next.
    """

    def __init__(self, connection: AsyncConnection, provider_id: UUID) -> None:
        self._connection = connection
        self._provider_id = provider_id

    async def received(self) -> Received:
        """What has come of the provider's events so far."""
        state = claim_events.c.state
        row = await self._connection.execute(
            select(
                func.max(claim_events.c.applied_at),
                func.coalesce(func.bool_or(state == vocabulary.ClaimState.REJECTED), False),
                func.coalesce(func.bool_or(state.in_(vocabulary.UNSENT_STATES)), False),
            )
            .join(claims, claims.c.claim_id == claim_events.c.claim_id)
            .where(claims.c.provider_id == self._provider_id)
        )
        return Received(*row.one(), await self._unfilled())

    async def _unfilled(self) -> frozenset[vocabulary.MetricKey]:
        its = providers.c.provider_id == self._provider_id
        revision = await self._connection.scalar(select(providers.c.metrics_revision).where(its))
        filled = definitions.LATEST_REVISION if revision is None else revision
        metrics = (*definitions.METRICS, *LISTS)
        return frozenset(metric.key for metric in metrics if metric.since > filled)

    def paid_claims(self, start: date, end: date) -> AsyncIterator[ClaimRow]:
        """Claims that are paid now and whose service was in [start, end], in order of service."""
        return self._stream(self._claims(_served(start, end), claims.c.state.in_(PAID)), _claim)

    def submitted_claims(self, start: date, end: date) -> AsyncIterator[ClaimRow]:
        """Claims that were ever sent and are not withdrawn, served in [start, end], in that order.

        One that is being edited to be sent again is among them, one that expired unsent is not.
        """
        sent = claims.c.first_sent_version.is_not(None)
        return self._stream(self._claims(_served(start, end), sent, COUNTED), _claim)

    def unsent_claims(self) -> AsyncIterator[ClaimRow]:
        """Claims that wait to be sent, or sent again, of any date, in order of service."""
        unsent = claims.c.state.in_(vocabulary.UNSENT_STATES)
        return self._stream(self._claims(unsent), _claim)

    def all_claims(self) -> AsyncIterator[ClaimRow]:
        """Every claim, withdrawn ones too, in order of service.

        What only some kinds of event say is kept from the newest that said it.
        """
        return self._stream(self._claims(kept=KEPT), _claim)

    def claim_history(self) -> AsyncIterator[ClaimHistoryRow]:
        """Every event of every claim, by claim and version."""
        return self._history()

    def changed_claims(self, start: date, end: date) -> AsyncIterator[ClaimHistoryRow]:
        """Every event of each claim to which something happened in [start, end], in that order.

        By the events' own time, in days of Alberta. Withdrawn claims are left out.
        """
        others = claim_events.alias("others")
        happened = exists().where(
            others.c.claim_id == claims.c.claim_id,
            others.c.occurred_at >= start_of_day_in_alberta(start),
            others.c.occurred_at < start_of_day_in_alberta(end + timedelta(days=1)),
        )
        return self._history(COUNTED, happened)

    def metrics(self, months: Sequence[date] | None = None) -> AsyncIterator[MetricRow]:
        """Rows of the cache, or those of these months (any day of each), in order of their keys.

        Of a month are its own rows, not those of its days.
        """
        its = analytics_cache.c.provider_id == self._provider_id
        names = [field.name for field in fields(MetricRow)]
        rows = select(*(analytics_cache.c[name] for name in names)).where(its)
        if months is not None:
            firsts = {month.replace(day=1) for month in months}
            whole = analytics_cache.c.period_end > analytics_cache.c.period_start
            rows = rows.where(analytics_cache.c.period_start.in_(firsts), whole)
        ordered = rows.order_by(
            analytics_cache.c.period_start,
            analytics_cache.c.metric_key,
            analytics_cache.c.dimensions.nulls_first(),
        )
        return self._stream(
            ordered,
            lambda row: MetricRow(
                **(row._asdict() | {"metric_key": vocabulary.MetricKey(row.metric_key)})
            ),
        )

    def reports(self) -> AsyncIterator[ReportRow]:
        """The provider's reports, the oldest first."""
        its = generated_reports.c.provider_id == self._provider_id
        names = [field.name for field in fields(ReportRow)]
        rows = select(*(generated_reports.c[name] for name in names)).where(its)
        ordered = rows.order_by(generated_reports.c.created_at, generated_reports.c.report_id)
        return self._stream(ordered, lambda row: ReportRow(**row._asdict()))

    def _claims(self, *conditions: ColumnElement[bool], kept: Sequence[str] = ()) -> Select[Any]:
        rows = select(*(_kept(name) if name in kept else claims.c[name] for name in CLAIM_FIELDS))
        its = claims.c.provider_id == self._provider_id
        return rows.where(its, *conditions).order_by(claims.c.date_of_service, claims.c.claim_id)

    def _history(self, *conditions: ColumnElement[bool]) -> AsyncIterator[ClaimHistoryRow]:
        """Every event of the claims that meet the conditions, by claim and version.

        The events have no index by provider (it would slow the consumers down), so they are found
        through the claims, which have one; a claim never moves to another provider.
        """
        times = (claim_events.c.occurred_at, claim_events.c.applied_at)
        events = (
            select(*(claim_events.c[name] for name in CLAIM_FIELDS), *times)
            .join(claims, claims.c.claim_id == claim_events.c.claim_id)
            .where(claims.c.provider_id == self._provider_id, *conditions)
            .order_by(claims.c.claim_id, claim_events.c.claim_version)
        )
        return self._stream(
            events, lambda row: ClaimHistoryRow(_claim(row), row.occurred_at, row.applied_at)
        )

    async def _stream(
        self, rows: Select[Any], make: Callable[[Row[Any]], Made]
    ) -> AsyncIterator[Made]:
        options = {"yield_per": FETCHED_AT_ONCE}
        async with self._connection.stream(rows, execution_options=options) as found:
            async for row in found:
                yield make(row)


def _served(start: date, end: date) -> ColumnElement[bool]:
    return claims.c.date_of_service.between(start, end)


def _kept(name: str) -> ColumnElement[Any]:
    column = claim_events.c[name]
    newest: ScalarSelect[Any] = (
        select(column)
        .where(claim_events.c.claim_id == claims.c.claim_id, column.is_not(None))
        .order_by(claim_events.c.claim_version.desc())
        .limit(1)
        .scalar_subquery()
    )
    return func.coalesce(claims.c[name], newest).label(name)


def _claim(row: Row[Any]) -> ClaimRow:
    return ClaimRow(
        claim_id=row.claim_id,
        claim_version=row.claim_version,
        state=vocabulary.ClaimState(row.state),
        claim_type=vocabulary.ClaimType(row.claim_type),
        date_of_service=row.date_of_service,
        patient_phn=row.patient_phn,
        ba_number=row.ba_number,
        location_id=row.location_id,
        hsc_code=row.hsc_code,
        modifiers=tuple(row.modifiers),
        form_id=row.form_id and vocabulary.FormId(row.form_id),
        timing_tier=row.timing_tier and vocabulary.TimingTier(row.timing_tier),
        submitted_fee=row.submitted_fee,
        submitted_at=row.submitted_at,
        submission_deadline=row.submission_deadline,
        assessed_fee=row.assessed_fee,
        payment_date=row.payment_date,
        rrnp_premium=row.rrnp_premium,
        explanatory_codes=tuple(row.explanatory_codes),
        created_at=row.created_at,
    )
