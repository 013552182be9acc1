"""What a local folder needs beyond what `obstore` does: privacy, durability, sweeping.

`obstore` creates files and folders with the rights that the process's umask leaves. The umask is
one for all threads, so it is not changed here; instead the folder `reports` is private before the
first file is in it, which hides what is below it whatever its own rights are for a moment.
"""

import os
import re
from collections.abc import Collection, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from repositories.reports.stored_files import PREFIX

# The name of an upload that has not ended; `obstore` does not list such names.
_PARTIAL = re.compile(r"(?P<key>.+)#[0-9]+")


def open_root(folder: Path) -> None:
    """Makes the root, private, if it is not there; an existing one belongs to the operator."""
    if not folder.is_dir():
        folder.mkdir(mode=0o700, parents=True)


def make_private_folders(root: Path, key: str) -> None:
    """The folders of a key, each for this user alone."""
    for folder in _folders(root, key):
        folder.mkdir(mode=0o700, exist_ok=True)
        folder.chmod(0o700)


def settle(root: Path, key: str) -> None:
    """Makes a finished file private and durable: it is announced next, and must outlive a crash."""
    make_private_folders(root, key)
    file = root / key
    file.chmod(0o600)
    for path in [file, *_folders(root, key), root]:
        _sync(path)


def sweep(root: Path, older_than: datetime, spared: Collection[str]) -> int:
    """Removes unfinished uploads that were last written to before a time; gives their number. Those
    of the keys `spared` stay.

    Folders that have been empty since then go too. The folder `reports` stays: were
    it made anew by an upload under way, others could look into it for a moment.
    """
    reports = root / PREFIX
    swept = 0
    for path in reports.rglob("*#*"):
        partial = _PARTIAL.fullmatch(str(path.relative_to(root)))
        if partial and partial["key"] not in spared and _is_older(path, older_than):
            path.unlink(missing_ok=True)
            swept += 1
    in_quarantine = sorted((root / "quarantine").rglob("*/"), reverse=True)  # the inner ones first
    for folder in [*reports.glob("*/"), *in_quarantine]:
        if _is_older(folder, older_than):
            with suppress(OSError):  # most are not empty
                folder.rmdir()
    return swept


def _folders(root: Path, key: str) -> Iterator[Path]:
    """From the outermost to the innermost."""
    folder = root
    for part in Path(key).parent.parts:
        folder /= part
        yield folder


def _is_older(path: Path, than: datetime) -> bool:
    try:
        return datetime.fromtimestamp(path.stat().st_mtime, UTC) < than
    except FileNotFoundError:  # its upload ended meanwhile
        return False


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
