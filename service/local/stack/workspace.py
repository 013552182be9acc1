"""A temporary folder and the processes that live in it, which end together."""

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, NamedTuple, Self, cast

from service.local.stack import guard

STOPPED = "The stack was stopped while it was starting."


class StackError(Exception):
    """The stack cannot run; the message is a sentence that says why and what to do about it."""


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


class Workspace:
    """The folder and every process started here are gone after `close`.

    A guard process sees to that, so it also holds when this process is killed. The processes are
    in a process group of their own: Ctrl-C in the terminal does not reach them, and they can be
    stopped in order. Methods may be called from any thread.
    """

    def __init__(self) -> None:
        self.account = server_account()
        parent = temporary_parent(self.account)
        self.folder = Path(tempfile.mkdtemp(prefix="claim-analytics-", dir=parent))
        if self.account is not None:
            self.folder.chmod(0o711)
        self._lock = threading.Lock()
        self._processes: list[subprocess.Popen[bytes]] = []
        self._closed = False
        self._guard = subprocess.Popen(  # noqa: S603  # no shell
            [sys.executable, "-I", "-S", guard.__file__, self.folder],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            process_group=0,
        )
        with cast(IO[bytes], self._guard.stdout) as output:
            line = output.readline()
        if not line:
            raise StackError(f"The stack cannot start a process with {sys.executable}.")
        self._group = int(line)

    @property
    def closed(self) -> bool:
        return self._closed

    def start(
        self,
        command: Sequence[str | Path],
        *,
        log: Path,
        account: Account | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> subprocess.Popen[bytes]:
        """Start a process whose output is appended to `log`; `account` None is the current user."""
        with self._lock, log.open("ab") as output:
            if self._closed:
                raise StackError(STOPPED)
            process = subprocess.Popen(  # noqa: S603  # no shell
                command,
                cwd=self.folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                process_group=self._group,
                user=account.uid if account else None,
                group=account.gid if account else None,
                extra_groups=[] if account else None,
            )
            self._processes.append(process)
            return process

    def close(self) -> None:
        """End what still runs and remove the folder; takes a second, seldom more. Idempotent."""
        with self._lock:
            self._closed = True
            cast(IO[bytes], self._guard.stdin).close()
        while self._guard.poll() is None:
            self._collect()
            time.sleep(0.02)  # the guard waits for what is collected here, so neither can block
        self._collect()
        shutil.rmtree(self.folder, ignore_errors=True)  # should the guard have been killed

    def _collect(self) -> None:
        """A dead process is a member of its group until its parent has asked for its exit code."""
        for process in self._processes:
            process.poll()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
