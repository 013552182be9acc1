from pathlib import Path

import pytest

from service.reports.files.saving import save
from tests.unit.service.reports_files.streams import broken_stream, stream


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
