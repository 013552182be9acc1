"""Ready reports as files that outlive the demo."""

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from repositories.database import Database
from repositories.records import SelectGeneratedReport
from repositories.vocabulary import ReportStatus
from service.reports.downloads import download
from service.reports.files.saving import save
from service.reports.wiring import keyring, report_store
from service.settings import Settings


class KeepFailed(Exception):
    """The folder took no file; the message says why."""


class Keeper:
    """Downloads each report once, decrypted, as its physician would; `files` are what it wrote."""

    def __init__(self, settings: Settings, database: Database, folder: Path | None) -> None:
        """Without a folder it keeps nothing. Raises StoreUnavailable."""
        self._database = database
        self._folder = folder
        self._store = report_store(settings)
        self._keyring = keyring(settings)
        self.files: dict[UUID, Path] = {}

    async def keep(self, reports: Iterable[SelectGeneratedReport]) -> None:
        """Write those that are ready and not yet kept.

        Raises a RepositoryError, a ReportFileError, or KeepFailed.
        """
        for report in reports:
            new = report.status is ReportStatus.READY and report.report_id not in self.files
            if self._folder and new:
                self.files[report.report_id] = await self._write(self._folder, report)

    async def _write(self, folder: Path, report: SelectGeneratedReport) -> Path:
        out = folder / file_name(report)
        pieces = await download(
            self._database,
            self._store,
            self._keyring,
            report.provider_id,
            report.report_id,
            datetime.now(UTC),
        )
        try:
            await save(pieces, out)
        except OSError as error:
            raise KeepFailed(f"{out} cannot be written: {error.strerror}.") from error
        return out


def file_name(report: SelectGeneratedReport) -> str:
    """Such as `wcb-timing-1f0d1b7a.pdf`: the id tells two of one type apart."""
    kind = report.report_type.lower().replace("_", "-")
    return f"{kind}-{str(report.report_id)[:8]}.{report.format.lower()}"
