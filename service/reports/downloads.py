"""The download path: a report in pieces, for the provider who asks, or a refusal."""

from collections.abc import AsyncIterator
from datetime import datetime
from uuid import UUID

from repositories.database import Database
from repositories.generated_reports import mark_downloaded
from repositories.report_files import stored_file
from service.reports.files.download import open_download
from service.reports.files.keys import Keyring
from service.reports.files.store import FileStore


async def download(
    database: Database,
    store: FileStore,
    keyring: Keyring,
    provider_id: UUID,
    report_id: UUID,
    now: datetime,
) -> AsyncIterator[bytes]:
    """The report's bytes, decrypted; `downloaded` is noted when the last has been taken.

    Raises as `open_download` does. No transaction is open while the pieces are taken.
    """

    async def mark(provider: UUID, report: UUID) -> None:
        await mark_downloaded(database, provider, report)

    async with database.transaction() as connection:
        report = await stored_file(connection, provider_id, report_id)
    return await open_download(
        report, provider_id, now, store=store, keyring=keyring, mark_downloaded=mark
    )
