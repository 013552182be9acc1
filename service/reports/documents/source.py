"""The rows that reports ask for."""

from collections.abc import AsyncIterator, Sequence
from datetime import date
from typing import Protocol

from repositories.report_rows import ClaimHistoryRow, ClaimRow, MetricRow, ReportRow


class ReportSource(Protocol):
    """One provider's rows, streamed; a report reads one of these streams after the other.

    `start` and `end` bound `date_of_service`, both included.
    """

    def paid_claims(self, start: date, end: date) -> AsyncIterator[ClaimRow]:
        """Claims in state PAID or ADJUSTED, ordered by date_of_service, claim_id."""

    def claims(self, start: date, end: date) -> AsyncIterator[ClaimRow]:
        """Claims in any state but WITHDRAWN, in the same order."""

    def all_claims(self) -> AsyncIterator[ClaimRow]:
        """Every claim, withdrawn ones included, of any date."""

    def claim_history(self) -> AsyncIterator[ClaimHistoryRow]:
        """Every accepted event, ordered by claim_id, claim_version."""

    def metrics(self, months: Sequence[date] | None = None) -> AsyncIterator[MetricRow]:
        """Rows of `analytics_cache` of these months (by their first days), or of all."""

    def reports(self) -> AsyncIterator[ReportRow]:
        """The provider's reports."""
