"""A temporary folder and the processes that live in it, which end together."""

import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Self, cast

from service.stack import guard
from service.stack.account import Account, server_account, temporary_parent
from service.stack.errors import StackError


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
        self._guard = _start_guard(self.folder)
        self._group = _read_group(self._guard)

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
                raise StackError("The stack was stopped while it was starting.")
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

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def _start_guard(folder: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603  # no shell
        [sys.executable, "-I", "-S", guard.__file__, folder],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        process_group=0,
    )


def _read_group(guard_process: subprocess.Popen[bytes]) -> int:
    with cast(IO[bytes], guard_process.stdout) as output:
        line = output.readline()
    if not line:
        raise StackError(f"The stack cannot start a process with {sys.executable}.")
    return int(line)
