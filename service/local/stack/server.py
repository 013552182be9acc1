"""What the two servers have in common: a port, start and wait, stop, crash, start again."""

import random
import socket
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from signal import Signals
from typing import ClassVar

from service.local.stack.workspace import StackError, Workspace

LOOPBACK = "127.0.0.1"

# Below the ranges from which Linux and macOS take the ports of outgoing connections. Otherwise a
# client that keeps trying while a server is down may be given the server's port, connect to
# itself, and so keep the server from coming back.
PORTS = range(20_000, 32_000)

START_SECONDS = 90.0
STOP_SECONDS = 15.0

Progress = Callable[[str], None]
"""Is called with a sentence for the user when something begins that takes time."""


def silent(_: str) -> None:
    """A progress that shows nothing."""


class Server(ABC):
    """A server in a workspace; it keeps its port and its data from one start to the next."""

    name: str
    stop_signal: ClassVar[Signals]

    def __init__(self, workspace: Workspace, folder: str) -> None:
        self.workspace = workspace
        self.folder = workspace.folder / folder
        self.log = workspace.folder / f"{folder}.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._prepared = False

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Return when the server answers; raise StackError, with the end of its log, if it ends."""
        if not self._prepared:
            self._prepare()
        self._prepared = True
        log_start = self.log.stat().st_size if self.log.exists() else 0
        self._process = process = self._spawn(self._command())
        deadline = time.monotonic() + START_SECONDS
        while not self._is_ready(process, log_start):
            if process.poll() is not None:
                raise self.failure(f"ended with exit code {process.returncode} while starting")
            if time.monotonic() > deadline:
                raise self.failure(f"did not answer within {START_SECONDS:.0f} seconds")
            time.sleep(0.02)  # a poll: the servers send no signal when they are ready

    def stop(self) -> None:
        """Ask the server to end in good order, and make it when it takes too long."""
        if self._process is None:
            return
        self._process.send_signal(self.stop_signal)
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """SIGKILL, as a crash would: the server gets no chance to write anything more."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def failure(self, what: str) -> StackError:
        """An error that quotes the end of the server's log."""
        return StackError(f"{self.name} {what}. The end of its log:\n{tail(self.log)}")

    @abstractmethod
    def _prepare(self) -> None:
        """Make the data folder, before the first start."""

    @abstractmethod
    def _command(self) -> Sequence[str | Path]: ...

    @abstractmethod
    def _is_ready(self, process: subprocess.Popen[bytes], log_start: int) -> bool:
        """Whether it answers; `log_start` is where in the log this run began, in bytes."""

    def _spawn(self, command: Sequence[str | Path]) -> subprocess.Popen[bytes]:
        return self.workspace.start(command, log=self.log)

    def _run(self, command: Sequence[str | Path]) -> None:
        """Run a tool of the server to its end."""
        run(self._spawn(command), self.log, f"{self.name} could not be set up")


def run(process: subprocess.Popen[bytes], log: Path, failure: str) -> None:
    """Wait for a process that should end by itself with exit code 0."""
    if process.wait() != 0:
        raise StackError(f"{failure}. The end of the log:\n{tail(log)}")


def tail(log: Path, lines: int = 15) -> str:
    """The last lines of a log, indented."""
    text = log.read_text(errors="replace") if log.exists() else ""
    return "\n".join(f"  {line}" for line in text.splitlines()[-lines:])


def free_ports(count: int) -> list[int]:
    """Different ports that nothing listens on at this moment."""
    ports: list[int] = []
    with ExitStack() as held:  # bound until all are found, so none is found twice
        while len(ports) < count:
            port = random.choice(PORTS)  # noqa: S311  # spreads stacks that start together
            with suppress(OSError):
                held.enter_context(socket.socket()).bind((LOOPBACK, port))
                ports.append(port)
    return ports
