"""The user that PostgreSQL runs as: it refuses to run as root."""

import os
import pwd
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from service.stack.errors import StackError


class Account(NamedTuple):
    """An unprivileged user and its group, by number."""

    uid: int
    gid: int

    def can_enter(self, folder: Path) -> bool:
        """Whether it may reach what is in the folder."""
        return self.can_run(["/bin/sh", "-c", 'cd "$0"', folder])

    def can_run(self, command: Sequence[str | Path]) -> bool:
        """Found out by trying: file modes alone do not tell (access lists, mounts, libraries)."""
        try:
            attempt = subprocess.run(  # noqa: S603  # no shell, nothing from outside
                command,
                user=self.uid,
                group=self.gid,
                extra_groups=[],
                capture_output=True,
                check=False,
            )
        except OSError:  # it may not be run, or this root may not become another user
            return False
        return attempt.returncode == 0


def server_account() -> Account | None:
    """None when the current user will do, that is, when it is not root."""
    if os.geteuid() != 0:
        return None
    for name in ("nobody", "postgres", "daemon"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_uid, entry.pw_gid)
    raise StackError(
        "PostgreSQL refuses to run as root and this system has no user `nobody` to run it as: "
        "create one (`useradd nobody`) or start the stack as an ordinary user."
    )


def temporary_parent(account: Account | None) -> Path:
    """The folder for temporary files; one that `account` can enter, when there is one."""
    usual = Path(tempfile.gettempdir())
    if account is None:
        return usual
    for folder in (usual, Path("/tmp"), Path("/var/tmp")):  # noqa: S108  # mkdtemp makes it safe
        if account.can_enter(folder):
            return folder
    raise StackError(
        f"PostgreSQL cannot run as root, and no other user can enter {usual}: "
        "set TMPDIR to a folder that everyone can enter, or start the stack as an ordinary user."
    )
