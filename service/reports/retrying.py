"""Trying a report again, as an operator asks for it."""

from uuid import UUID

from repositories.postgres.database import Database
from repositories.reports.generated_reports import provider_of_report
from repositories.reports.outcomes import Retry, retry_report
from service.operations.recorded import recorded
from service.reports.downloads import retry_if_lost
from service.reports.wiring import report_store
from service.settings import Settings

WHY_NOT = {
    Retry.NOT_FAILED: "Only a failed report can be tried again, or a ready one whose file is gone"
    " before its time, and this is neither.",
    Retry.FORGOTTEN: "Its archive password, if it had one, was forgotten when it was ready; request"
    " another one.",
    Retry.IMPOSSIBLE: "It asks for something that does not exist; request another one.",
}


class NotRetried(Exception):
    """The report stays as it is; the text says why, `outcome` which of the reasons it is."""

    def __init__(self, outcome: Retry, report_id: UUID) -> None:
        super().__init__(WHY_NOT.get(outcome, f"There is no report {report_id}."))
        self.outcome = outcome


async def retry_by_operator(
    settings: Settings,
    database: Database,
    report_id: UUID,
    why: str | None,
    *,
    who: str | None = None,
) -> UUID:
    """Let a report be tried again that failed, or whose file is not in the store any more; the id
    of the recorded action. Raises NotRetried, a RepositoryError or a ReportFileError."""
    async with database.transaction() as connection:
        provider = await provider_of_report(connection, report_id)
    if provider is None:
        raise NotRetried(Retry.NOT_FOUND, report_id)
    named = {"report_id": str(report_id), "provider_id": str(provider)}
    async with recorded(settings, database, "report retry", named, why, who=who) as action:
        outcome = await retry_report(database, provider, report_id)
        if outcome is Retry.NOT_FAILED:
            store = report_store(settings)
            outcome = await retry_if_lost(database, store, provider, report_id)
        if outcome is not Retry.PENDING:
            raise NotRetried(outcome, report_id)
    return action.action_id
