"""The rows that one provider's reports are made of, streamed: memory does not grow with them."""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import fields
from datetime import date
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, select
from sqlalchemy.ext.asyncio import AsyncConnection

from repositories.report_rows import ClaimHistoryRow, ClaimRow, MetricRow, ReportRow
from repositories.tables import analytics_cache, claim_events, claims, generated_reports
from repositories.vocabulary import (
    ClaimState,
    ClaimType,
    FormId,
    MetricKey,
    ReportFormat,
    ReportStatus,
    ReportType,
    TimingTier,
)

FETCHED_AT_ONCE = 1_000
PAID = (ClaimState.PAID, ClaimState.ADJUSTED)
CLAIM_FIELDS = tuple(field.name for field in fields(ClaimRow))

Made = TypeVar("Made")


class ReportQueries:
    """One provider's rows at one moment: over a connection of `Database.snapshot()`.

    Each method starts a server-side cursor; take one to its end before the next.
    """

    def __init__(self, connection: AsyncConnection, provider_id: UUID) -> None:
        self._connection = connection
        self._provider_id = provider_id

    def paid_claims(self, start: date, end: date) -> AsyncIterator[ClaimRow]:
        """Claims that are paid now and whose service was in [start, end], in order of service."""
        return self._stream(self._claims(_served(start, end), claims.c.state.in_(PAID)), _claim)

    def claims(self, start: date, end: date) -> AsyncIterator[ClaimRow]:
        """All but withdrawn claims whose service was in [start, end], in order of service."""
        counted = claims.c.state != ClaimState.WITHDRAWN
        return self._stream(self._claims(_served(start, end), counted), _claim)

    def all_claims(self) -> AsyncIterator[ClaimRow]:
        """Every claim, withdrawn ones too, in order of service."""
        return self._stream(self._claims(), _claim)

    def claim_history(self) -> AsyncIterator[ClaimHistoryRow]:
        """Every event of every claim, by claim and version.

        The events have no index by provider (it would slow the consumers down), so they are found
        through the claims, which have one; a claim never moves to another provider.
        """
        times = (claim_events.c.occurred_at, claim_events.c.applied_at)
        events = (
            select(*(claim_events.c[name] for name in CLAIM_FIELDS), *times)
            .join(claims, claims.c.claim_id == claim_events.c.claim_id)
            .where(claims.c.provider_id == self._provider_id)
            .order_by(claims.c.claim_id, claim_events.c.claim_version)
        )
        return self._stream(events, _claim_history)

    def metrics(self, months: Sequence[date] | None = None) -> AsyncIterator[MetricRow]:
        """Rows of the cache, of these months (any day of each) if given, in order of their keys."""
        its = analytics_cache.c.provider_id == self._provider_id
        names = [field.name for field in fields(MetricRow)]
        rows = select(*(analytics_cache.c[name] for name in names)).where(its)
        if months is not None:
            firsts = {month.replace(day=1) for month in months}
            rows = rows.where(analytics_cache.c.period_start.in_(firsts))
        ordered = rows.order_by(
            analytics_cache.c.period_start,
            analytics_cache.c.metric_key,
            analytics_cache.c.dimensions.nulls_first(),
        )
        return self._stream(ordered, _metric)

    def reports(self) -> AsyncIterator[ReportRow]:
        """The provider's reports, the oldest first."""
        its = generated_reports.c.provider_id == self._provider_id
        names = [field.name for field in fields(ReportRow)]
        rows = select(*(generated_reports.c[name] for name in names)).where(its)
        ordered = rows.order_by(generated_reports.c.created_at, generated_reports.c.report_id)
        return self._stream(ordered, _report)

    def _claims(self, *conditions: ColumnElement[bool]) -> Select[Any]:
        rows = select(*(claims.c[name] for name in CLAIM_FIELDS))
        its = claims.c.provider_id == self._provider_id
        return rows.where(its, *conditions).order_by(claims.c.date_of_service, claims.c.claim_id)

    async def _stream(
        self, rows: Select[Any], make: Callable[[Row[Any]], Made]
    ) -> AsyncIterator[Made]:
        options = {"yield_per": FETCHED_AT_ONCE}
        async with self._connection.stream(rows, execution_options=options) as found:
            async for row in found:
                yield make(row)


def _served(start: date, end: date) -> ColumnElement[bool]:
    return claims.c.date_of_service.between(start, end)


def _claim(row: Row[Any]) -> ClaimRow:
    return ClaimRow(
        claim_id=row.claim_id,
        claim_version=row.claim_version,
        state=ClaimState(row.state),
        claim_type=ClaimType(row.claim_type),
        date_of_service=row.date_of_service,
        patient_phn=row.patient_phn,
        ba_number=row.ba_number,
        location_id=row.location_id,
        hsc_code=row.hsc_code,
        modifiers=tuple(row.modifiers),
        form_id=row.form_id and FormId(row.form_id),
        timing_tier=row.timing_tier and TimingTier(row.timing_tier),
        submitted_fee=row.submitted_fee,
        submitted_at=row.submitted_at,
        submission_deadline=row.submission_deadline,
        assessed_fee=row.assessed_fee,
        payment_date=row.payment_date,
        rrnp_premium=row.rrnp_premium,
    )


def _claim_history(row: Row[Any]) -> ClaimHistoryRow:
    return ClaimHistoryRow(_claim(row), row.occurred_at, row.applied_at)


def _metric(row: Row[Any]) -> MetricRow:
    values = {**row._asdict(), "metric_key": MetricKey(row.metric_key)}
    return MetricRow(**values)


def _report(row: Row[Any]) -> ReportRow:
    words = {
        "report_type": ReportType(row.report_type),
        "format": ReportFormat(row.format),
        "status": ReportStatus(row.status),
    }
    return ReportRow(**{**row._asdict(), **words})
