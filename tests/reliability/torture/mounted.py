"""A workspace on a disk of its own: how busy the machine's disk is does not matter then, and it can
be made full."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from service.local.stack.workspace import Workspace

WHOLE: Final = 8 * 1024**3  # bytes; memory is taken for what is in use alone


@contextmanager
def mounted_workspace() -> Iterator[Workspace]:
    """Its folder is a file system in memory; where this user may not mount one, as usual."""
    with Workspace() as workspace:
        is_mounted = _mount(workspace.folder)
        try:
            yield workspace
        finally:
            if is_mounted:
                subprocess.run(["umount", "--lazy", workspace.folder], check=True)


def resize(disk: Path, size: int) -> None:
    """So many bytes in all."""
    subprocess.run(["mount", "-o", f"remount,size={size}", disk], check=True)


def _mount(folder: Path) -> bool:
    options = f"size={WHOLE},mode={folder.stat().st_mode & 0o777:o}"
    command = ("mount", "-t", "tmpfs", "-o", options, "torture", folder)
    try:
        return subprocess.run(command, capture_output=True).returncode == 0
    except FileNotFoundError:  # no such program
        return False
