"""The real thing: `claim-analytics …` as a process, with its output."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any, Self

from service.settings import PREFIX
from tests.harness.deployment import Deployment
from tests.harness.waiting import LONG, until

PROGRAM = Path(sys.executable).with_name("claim-analytics")
RUN = ("run", "--only", "claims")
DRAIN = (*RUN, "--drain")
LogLine = dict[str, Any]


class ServiceProcess:
    """One process of a deployment. Leaving the `with` block kills it, if nothing else has.

    `program` is what runs in place of `claim-analytics`.
    """

    def __init__(
        self,
        deployment: Deployment,
        *arguments: str,
        program: Sequence[str | Path] = (PROGRAM,),
    ) -> None:
        self._folder = TemporaryDirectory(prefix="claim-analytics-process-")
        self._output = Path(self._folder.name, "output")
        with self._output.open("wb") as output:
            self._process = subprocess.Popen(
                [*program, *arguments],
                cwd=self._folder.name,
                env=_environment(deployment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    def output(self) -> str:
        """All that it wrote so far, to standard output and to standard error."""
        return self._output.read_text("utf-8")

    def log(self, message: str = "") -> list[LogLine]:
        """Its log lines whose messages begin so."""
        return [line for line in _log_lines(self.output()) if line["message"].startswith(message)]

    def count(self, name: str) -> int:
        """The sum of a number over all "batch applied" lines, such as `duplicate`."""
        return sum(line[name] for line in self.log("batch applied"))

    async def logged(self, message: str, times: int = 1, within: float = LONG) -> list[LogLine]:
        """Its log lines that begin so, once there are so many of them."""

        def enough() -> list[LogLine]:
            found = self.log(message)
            assert self.running or len(found) >= times, f"the process ended:\n{self.output()}"
            return found if len(found) >= times else []

        return await until(enough, f"{times} times {message!r} in the log", within)

    async def ended(self, within: float = LONG) -> int:
        """Its exit code."""
        await until(lambda: not self.running, f"the end of the process:\n{self.output()}", within)
        return self._process.wait()

    def terminate(self) -> None:
        self._process.send_signal(signal.SIGTERM)

    def freeze(self) -> None:
        """SIGSTOP: what a stopped virtual machine or a long pause looks like to the others."""
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """SIGKILL, and wait until it is gone."""
        self._process.kill()
        self._process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.kill()
        if error is not None:
            print(f"--- process {self.pid}:\n{self.output()}")  # noqa: T201  # pytest shows it
        self._folder.cleanup()


async def command(deployment: Deployment, *arguments: str, within: float = LONG) -> str:
    """Run a command to its end; its output. Fails unless it exits with 0."""
    with ServiceProcess(deployment, *arguments) as process:
        code = await process.ended(within)
        assert code == 0, f"`claim-analytics {' '.join(arguments)}` exited with {code}"
        return process.output()


@asynccontextmanager
async def running(deployment: Deployment) -> AsyncIterator[ServiceProcess]:
    """`claim-analytics run`, once it has partitions of both topics; at the end SIGTERM, exit 0."""
    with ServiceProcess(deployment, *RUN) as process:
        await process.logged("partitions assigned", times=2)
        yield process
        process.terminate()
        assert await process.ended() == 0


def _environment(deployment: Deployment) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    return inherited | deployment.environment


def _log_lines(output: str) -> Iterator[LogLine]:
    """The lines that are JSON: the last may be half written, and errors for people are text."""
    for line in output.splitlines():
        try:
            parsed = json.loads(line)
        except ValueError:
            continue
        if isinstance(parsed, dict) and "message" in parsed:
            yield parsed
