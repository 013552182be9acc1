"""What a local folder needs beyond what every store does."""

import asyncio
import os
from collections.abc import AsyncGenerator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from service.reports.files.file_errors import StoreUnavailable
from service.reports.files.locations import open_store
from tests.integration.service.reports_files.killing import kill_in_the_middle
from tests.unit.service.reports_files.streams import stream

KEY = "reports/provider/report.1.csv.enc"
NOW = datetime.now(UTC)


def rights(path: Path) -> int:
    return path.stat().st_mode & 0o777


def partial_files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*#*") if path.is_file())


@pytest.fixture
def careless_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.mark.usefixtures("careless_umask")
async def test_files_and_folders_are_for_this_user_alone(tmp_path: Path) -> None:
    await open_store(str(tmp_path)).put(KEY, stream(b"x"))

    assert rights(tmp_path / KEY) == 0o600
    assert rights(tmp_path / "reports") == 0o700
    assert rights(tmp_path / "reports/provider") == 0o700


@pytest.mark.usefixtures("careless_umask")
async def test_an_unfinished_file_is_out_of_reach_for_others(tmp_path: Path) -> None:
    seen: list[int] = []

    async def looking() -> AsyncGenerator[bytes]:
        yield b"x" * 6_000_000
        seen.append(rights(tmp_path / "reports"))

    await open_store(str(tmp_path)).put(KEY, looking())

    assert seen == [0o700]


@pytest.mark.usefixtures("careless_umask")
async def test_folders_that_were_open_are_closed_again(tmp_path: Path) -> None:
    (tmp_path / "reports" / "provider").mkdir(parents=True)

    await open_store(str(tmp_path)).put(KEY, stream(b"x"))

    assert rights(tmp_path / "reports") == 0o700
    assert rights(tmp_path / "reports/provider") == 0o700


def path_of(handle: int) -> str:
    return str(Path(f"/dev/fd/{handle}").readlink())


async def test_a_file_is_on_the_disk_before_it_counts_as_stored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: set[str] = set()
    monkeypatch.setattr(os, "fsync", lambda handle: synced.add(path_of(handle)))

    await open_store(str(tmp_path)).put(KEY, stream(b"x"))

    assert {str(tmp_path / KEY), str(tmp_path / "reports/provider")} <= synced


def names_below(folder: Path) -> list[str]:
    return [str(path.relative_to(folder)) for path in folder.rglob("*")]


async def test_a_folder_that_stays_empty_is_swept(tmp_path: Path) -> None:
    store = open_store(str(tmp_path))
    await store.put(KEY, stream(b"x"))
    await store.put("reports/other/report.1.csv.enc", stream(b"x"))
    await store.delete(KEY)

    await store.sweep(NOW - timedelta(hours=1))
    assert "reports/provider" in names_below(tmp_path)

    await store.sweep(datetime.now(UTC) + timedelta(seconds=1))
    assert "reports/provider" not in names_below(tmp_path)
    assert "reports/other/report.1.csv.enc" in names_below(tmp_path)
    await store.put(KEY, stream(b"x"))


async def test_what_a_killed_upload_left_is_swept_by_age(tmp_path: Path) -> None:
    store = open_store(str(tmp_path))
    await asyncio.to_thread(kill_in_the_middle, str(tmp_path), KEY)
    (left,) = partial_files(tmp_path)

    assert await store.sweep(NOW - timedelta(hours=1)) == 0
    assert partial_files(tmp_path) == [left]

    assert await store.sweep(datetime.now(UTC) + timedelta(seconds=1)) == 1
    assert partial_files(tmp_path) == []


async def test_a_sweep_leaves_whole_files_alone(tmp_path: Path) -> None:
    store = open_store(str(tmp_path))
    await store.put(KEY, stream(b"x"))

    assert await store.sweep(NOW + timedelta(days=1)) == 0
    assert (tmp_path / KEY).exists()


async def test_a_quarantine_that_is_empty_again_is_swept(tmp_path: Path) -> None:
    store = open_store(str(tmp_path))
    await store.put(KEY, stream(b"x"))
    await store.move(KEY, f"quarantine/2026-01-31/{KEY}")
    assert rights(tmp_path / "quarantine") == 0o700
    await store.delete(f"quarantine/2026-01-31/{KEY}")

    for _ in range(5):  # a folder is young again when one in it goes
        await store.sweep(datetime.now(UTC) + timedelta(seconds=1))
    assert [name for name in names_below(tmp_path) if "2026-01-31" in name] == []


async def test_a_sweep_of_an_empty_store_finds_nothing(tmp_path: Path) -> None:
    assert await open_store(str(tmp_path)).sweep(NOW) == 0


async def test_a_folder_in_the_way_is_an_unavailable_store(tmp_path: Path) -> None:
    (tmp_path / "reports").write_bytes(b"")

    with pytest.raises(StoreUnavailable, match="REPORT_STORAGE_URL"):
        await open_store(str(tmp_path)).put(KEY, stream(b"x"))
