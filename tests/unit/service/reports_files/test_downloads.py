from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from repositories.reports.stored_files import StoredFile, file_path
from repositories.vocabulary import ReportFormat, ReportStatus
from service.reports.downloads import open_download, save
from service.reports.files.file_errors import (
    FileDamaged,
    FileMissing,
    MasterKeyUnknown,
    ReportGone,
    ReportNotFound,
)
from service.reports.files.keys import Keyring, new_master_key
from service.reports.files.locations import open_store
from service.reports.files.report_files import write_report
from service.reports.files.store import FileStore
from tests.unit.service.reports_files.streams import broken_stream, collect, stream

NOW = datetime(2026, 7, 29, 12, tzinfo=UTC)
CONTENT = bytes(range(256)) * 20_000  # five segments


class Desk:
    """A store with one report in it, and who has downloaded what."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store: FileStore = open_store(str(folder))
        self.keyring = Keyring.parse(new_master_key(NOW.date()))
        self.downloaded: list[tuple[UUID, UUID]] = []

    async def write(self, content: bytes = CONTENT) -> StoredFile:
        provider_id, report_id = uuid4(), uuid4()
        path = file_path(provider_id, report_id, 1, ReportFormat.PDF)
        written = await write_report(self.store, self.keyring, path, stream(content))
        return StoredFile(
            report_id,
            provider_id,
            ReportFormat.PDF,
            ReportStatus.READY,
            path,
            written.size_bytes,
            NOW,
            False,
            written.key.ciphertext,
            written.key.key_id,
        )

    async def fetch(self, report: StoredFile | None, provider_id: UUID) -> bytes:
        pieces = await open_download(
            report,
            provider_id,
            store=self.store,
            keyring=self.keyring,
            mark_downloaded=self._mark,
        )
        return await collect(pieces)

    async def _mark(self, provider_id: UUID, report_id: UUID) -> None:
        self.downloaded.append((provider_id, report_id))


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


async def test_a_ready_report_comes_whole(desk: Desk) -> None:
    report = await desk.write()

    assert await desk.fetch(report, report.provider_id) == CONTENT


async def test_an_empty_report_comes(desk: Desk) -> None:
    report = await desk.write(b"")

    assert await desk.fetch(report, report.provider_id) == b""
    assert desk.downloaded == [(report.provider_id, report.report_id)]


async def test_a_report_is_marked_downloaded_after_its_last_byte(desk: Desk) -> None:
    report = await desk.write()

    await desk.fetch(report, report.provider_id)

    assert desk.downloaded == [(report.provider_id, report.report_id)]


async def test_a_report_that_was_not_taken_whole_is_not_marked(desk: Desk) -> None:
    report = await desk.write()
    pieces = await open_download(
        report,
        report.provider_id,
        store=desk.store,
        keyring=desk.keyring,
        mark_downloaded=desk._mark,
    )

    taken = 0
    while taken < len(CONTENT):
        taken += len(await anext(pieces))

    assert desk.downloaded == []


async def test_a_missing_another_providers_and_an_unready_report_look_alike(desk: Desk) -> None:
    report = await desk.write()
    provider_id = report.provider_id
    pending = replace(report, status=ReportStatus.PENDING)

    texts = {
        await refusal(ReportNotFound, lambda: desk.fetch(None, provider_id)),
        await refusal(ReportNotFound, lambda: desk.fetch(report, uuid4())),
        await refusal(ReportNotFound, lambda: desk.fetch(pending, provider_id)),
    }

    assert len(texts) == 1
    assert desk.downloaded == []


async def refusal(kind: type[Exception], act: Callable[[], Awaitable[bytes]]) -> str:
    with pytest.raises(kind) as refused:
        await act()
    return str(refused.value)


@pytest.mark.parametrize(
    "status", [ReportStatus.PENDING, ReportStatus.GENERATING, ReportStatus.FAILED]
)
async def test_a_report_that_is_not_ready_is_not_found(desk: Desk, status: ReportStatus) -> None:
    report = replace(await desk.write(), status=status)

    with pytest.raises(ReportNotFound):
        await desk.fetch(report, report.provider_id)


async def test_a_report_is_gone_from_its_expiry_on_even_before_cleanup(desk: Desk) -> None:
    report = replace(await desk.write(), is_over=True)

    with pytest.raises(ReportGone, match="until 2026-07-29 12:00 UTC"):
        await desk.fetch(report, report.provider_id)


async def test_an_expired_report_is_gone(desk: Desk) -> None:
    report = replace(await desk.write(), status=ReportStatus.EXPIRED, wrapped_key=None, key_id=None)

    with pytest.raises(ReportGone):
        await desk.fetch(report, report.provider_id)


async def test_another_providers_expired_report_is_not_found(desk: Desk) -> None:
    report = replace(await desk.write(), status=ReportStatus.EXPIRED)

    with pytest.raises(ReportNotFound):
        await desk.fetch(report, uuid4())


async def test_a_file_that_is_not_there_is_missing_and_can_be_made_again(desk: Desk) -> None:
    report = await desk.write()
    await desk.store.delete(report.file_path)

    with pytest.raises(FileMissing, match=f"report retry {report.report_id}"):
        await desk.fetch(report, report.provider_id)


async def test_a_key_that_is_not_stored_is_an_error(desk: Desk) -> None:
    report = replace(await desk.write(), wrapped_key=None)

    with pytest.raises(FileDamaged, match="its key is not stored"):
        await desk.fetch(report, report.provider_id)


async def test_a_master_key_that_was_dropped_too_early_is_an_error(desk: Desk) -> None:
    report = await desk.write()
    desk.keyring = Keyring.parse(new_master_key(NOW.date()))

    with pytest.raises(MasterKeyUnknown, match="REPORT_MASTER_KEYS"):
        await desk.fetch(report, report.provider_id)


async def test_a_file_damaged_at_its_end_is_not_marked_downloaded(desk: Desk) -> None:
    report = await desk.write()
    file = desk.folder / report.file_path
    changed = bytearray(file.read_bytes())
    changed[-1] ^= 1
    file.write_bytes(changed)

    with pytest.raises(FileDamaged):
        await desk.fetch(report, report.provider_id)
    assert desk.downloaded == []


async def test_another_reports_file_in_its_place_is_refused(desk: Desk) -> None:
    report, other = await desk.write(), await desk.write(b"other")
    (desk.folder / report.file_path).write_bytes((desk.folder / other.file_path).read_bytes())

    with pytest.raises(FileDamaged):
        await desk.fetch(report, report.provider_id)


async def test_another_reports_file_and_key_in_its_place_are_refused(desk: Desk) -> None:
    report, other = await desk.write(), await desk.write(b"other")
    (desk.folder / report.file_path).write_bytes((desk.folder / other.file_path).read_bytes())
    swapped = replace(report, wrapped_key=other.wrapped_key)

    with pytest.raises(FileDamaged):
        await desk.fetch(swapped, report.provider_id)


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


async def test_what_is_saved_is_whole_and_private(tmp_path: Path) -> None:
    out = tmp_path / "report.pdf"

    assert await save(stream(b"x" * 100_000), out) == 100_000

    assert out.read_bytes() == b"x" * 100_000
    assert out.stat().st_mode & 0o777 == 0o600


async def test_a_failure_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="broke"):
        await save(broken_stream(b"x" * 100_000, RuntimeError("broke")), tmp_path / "report.pdf")

    assert names(tmp_path) == []


async def test_a_failure_leaves_the_file_that_was_there(tmp_path: Path) -> None:
    out = tmp_path / "report.pdf"
    out.write_bytes(b"before")

    with pytest.raises(RuntimeError, match="broke"):
        await save(broken_stream(b"x", RuntimeError("broke")), out)

    assert out.read_bytes() == b"before"
