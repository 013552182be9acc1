"""The files of the project, as git sees them, for tests of rules that hold for all."""

import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]


@cache
def project_files() -> dict[str, str]:
    """The text of every file that is, or is about to be, in the repository, by its path."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True).stdout
    names = [name for name in listed.split("\0") if name and (ROOT / name).is_file()]
    return {name: text for name in names if (text := _text(ROOT / name)) is not None}


def files_like(*endings: str) -> dict[str, str]:
    """Those whose paths end so."""
    return {name: text for name, text in project_files().items() if name.endswith(endings)}


def _text(file: Path) -> str | None:
    try:
        return file.read_text("utf-8")
    except UnicodeDecodeError:
        return None
