"""The real thing: `claim-analytics …` as a process, with its output; or in the test's own."""

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any, Self

from consumers.topics.claims import CLAIMS
from service.runner import Service
from service.settings import PREFIX
from tests.harness.deployment import Deployment
from tests.harness.starter import PROGRAM, start
from tests.harness.waiting import LONG, until

RUN = ("run", "--only", "claims")
DRAIN = (*RUN, "--drain")
LogLine = dict[str, Any]


class ServiceProcess:
    """One process of a deployment. Leaving the `with` block kills it, if nothing else has.

    `program` is what runs in place of `claim-analytics`; `said` is its standard input.
    """

    def __init__(
        self,
        deployment: Deployment,
        *arguments: str,
        program: Sequence[str | Path] = (PROGRAM,),
        said: str = "",
    ) -> None:
        self._folder = TemporaryDirectory(prefix="claim-analytics-process-")
        self._output = Path(self._folder.name, "output")
        folder, environment = Path(self._folder.name), _environment(deployment)
        with self._output.open("wb") as output:
            command, streams = [*program, *arguments], (output, output)
            self._process = start(command, folder, environment, *streams, said.encode())

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

    def strays(self) -> list[str]:
        """What no process should write while it runs: lines that are no log lines (a traceback, a
        warning), and errors that nobody waited for."""
        lines = self.output().splitlines()
        unheard = ("an error that nobody", "Task exception", "Future exception", "Unclosed")
        return [
            line
            for line in lines
            if not line.startswith("{") or any(f'"message": "{what}' in line for what in unheard)
        ]

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
        self.send(signal.SIGTERM)

    def send(self, number: int) -> None:
        self._process.send_signal(number)

    def interrupt(self) -> None:
        """Ctrl-C."""
        self._process.send_signal(signal.SIGINT)

    def freeze(self) -> None:
        """SIGSTOP: what a stopped virtual machine or a long pause looks like to the others."""
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """SIGKILL, for what it started too (`program` may), and wait until it is gone."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
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
async def running(deployment: Deployment, *, exits: int = 0) -> AsyncIterator[ServiceProcess]:
    """`claim-analytics run`, once its lanes have partitions; at the end SIGTERM, and this code."""
    with ServiceProcess(deployment, *RUN) as process:
        await until(lambda: lanes_of(process) == {0, 1}, "partitions of both lanes")
        yield process
        process.terminate()
        assert await process.ended() == exits
        if not exits:  # else its last line is for people
            assert process.strays() == []


@asynccontextmanager
async def consuming(deployment: Deployment) -> AsyncIterator[Service]:
    """The consumers of claims in the test's own process, where their parts can be replaced."""
    service = Service(deployment.settings, [CLAIMS])
    running = asyncio.create_task(service.run())
    try:
        yield service
    finally:
        service.stop()
        await running


def lanes_of(process: ServiceProcess) -> set[int]:
    """Which lanes of the claims are in their group. The first there may be assigned all, once."""
    lines = process.log("partitions assigned")
    return {line["lane"] for line in lines if line["consumer"] == "claims"}


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
