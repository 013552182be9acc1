"""Which reports are kept, and how often; with a download that needs no database."""

from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import cast
from uuid import UUID

import pytest
from pydantic import SecretStr

from repositories.database import Database
from repositories.vocabulary import ReportStatus
from service.demo.keeper import Keeper, KeepFailed, file_name
from service.reports.files.keys import new_master_key
from service.settings import Settings
from tests.unit.service.demo.samples import OCTOBER, report


@pytest.fixture
def downloaded(monkeypatch: pytest.MonkeyPatch) -> list[UUID]:
    """Which reports were downloaded."""
    reports: list[UUID] = []

    async def pieces() -> AsyncIterator[bytes]:
        yield b"%PDF"

    async def download(*arguments: object) -> AsyncIterator[bytes]:
        reports.append(cast(UUID, arguments[4]))
        return pieces()

    monkeypatch.setattr("service.demo.keeper.download", download)
    return reports


def keeper(tmp_path: Path, folder: Path | None) -> Keeper:
    settings = Settings.model_construct(
        report_storage_url=str(tmp_path / "store"),
        report_master_keys=SecretStr(new_master_key(OCTOBER)),
    )
    return Keeper(settings, cast(Database, SimpleNamespace()), folder)


async def test_a_ready_report_is_written_once(tmp_path: Path, downloaded: list[UUID]) -> None:
    keeping = keeper(tmp_path, tmp_path)
    for _ in range(2):
        await keeping.keep([report(1)])
    assert downloaded == [UUID(int=1)]
    assert (tmp_path / file_name(report(1))).read_bytes() == b"%PDF"


async def test_a_report_that_is_not_ready_is_left_for_later(
    tmp_path: Path, downloaded: list[UUID]
) -> None:
    keeping = keeper(tmp_path, tmp_path)
    await keeping.keep([report(1, status=ReportStatus.GENERATING)])
    assert downloaded == []
    await keeping.keep([report(1)])
    assert downloaded == [UUID(int=1)]


async def test_without_a_folder_nothing_is_downloaded(
    tmp_path: Path, downloaded: list[UUID]
) -> None:
    await keeper(tmp_path, None).keep([report(1)])
    assert downloaded == []


async def test_a_folder_that_has_gone_is_named(tmp_path: Path, downloaded: list[UUID]) -> None:
    with pytest.raises(KeepFailed, match=r"accountant-summary-00000000\.pdf cannot be written"):
        await keeper(tmp_path, tmp_path / "gone").keep([report(1)])
    assert downloaded
