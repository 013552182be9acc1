"""What the world is told of a report: its change of state, never its file or anything in it."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from repositories.outbox import Announcement, announce
from repositories.records import SelectGeneratedReport
from repositories.vocabulary import ReportStatus

TOPIC = "report-status"
EVENT_TYPES = {
    ReportStatus.READY: "ca.meritum.report.ready.v1",
    ReportStatus.FAILED: "ca.meritum.report.failed.v1",
    ReportStatus.EXPIRED: "ca.meritum.report.expired.v1",
}


async def announce_status(
    connection: AsyncConnection, reports: Sequence[SelectGeneratedReport], occurred_at: datetime
) -> None:
    """Announce, in the transaction that changed them, what the reports have become."""
    await announce(connection, [announcement_of(report, occurred_at) for report in reports])


def announcement_of(report: SelectGeneratedReport, occurred_at: datetime) -> Announcement:
    """A report that is ready, failed or expired, as `consumers.contracts.report_status` has it."""
    return Announcement(
        topic=TOPIC,
        message_key=str(report.provider_id),
        event_type=EVENT_TYPES[report.status],
        occurred_at=occurred_at,
        data={
            "report_id": str(report.report_id),
            "provider_id": str(report.provider_id),
            "report_type": report.report_type,
            "format": report.format,
            "status": report.status,
            "file_size_bytes": report.file_size_bytes,
            "download_link_expires_at": report.download_link_expires_at.isoformat(),
            "error_message": report.error_message,
        },
    )
