"""Running the service as a process of its own, and what can be seen of it from outside."""

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO

import psutil

from service.local.stack import Stack

HERE = Path(__file__).parents[2]
DRAIN = ("run", "--only", "claims", "--drain")
PEAK = re.compile(r"VmHWM:\s+(\d+) kB")
SETTLING_SECONDS = 0.5  # until the server has noticed which of its processes have ended
FLOOR = [sys.executable, "-m", "tests.benchmarks.store_only"]


def program(checkout: Path = HERE) -> str:
    """The command of a checkout that has an environment of its own."""
    own = checkout / ".venv" / "bin" / "claim-analytics"
    return str(own if own.exists() else Path(sys.executable).with_name("claim-analytics"))


@dataclass(frozen=True)
class Run:
    """A drain, from the first assignment to the end of the last process: its last act is to bring
    the top codes up to date. CPU is in seconds, `peak_mb` the memory of the largest process."""

    messages: int
    seconds: float
    peak_mb: float
    service_cpu: float
    postgres_cpu: float

    @property
    def rate(self) -> float:
        """Messages a second."""
        return self.messages / self.seconds

    @property
    def cpu_us(self) -> float:
        """CPU of service and PostgreSQL together, in µs a message."""
        return (self.service_cpu + self.postgres_cpu) / self.messages * 1e6


def drain(
    stack: Stack,
    messages: int,
    environment: Mapping[str, str],
    command: Sequence[str] | None = None,
    *,
    checkout: Path = HERE,
    processes: int = 1,
) -> Run:
    """Run draining processes to their end. Raises RuntimeError with the output if one fails."""
    time.sleep(SETTLING_SECONDS)  # what was started before comes to rest
    before = postgres_cpu(stack)
    with ExitStack() as files:
        logs = [files.enter_context(tempfile.TemporaryFile("w+")) for _ in range(processes)]
        running = [
            subprocess.Popen(
                command or [program(checkout), *DRAIN],
                cwd=checkout,
                env={**os.environ, **environment, "CLAIM_ANALYTICS_LOG_FORMAT": "json"},
                stdout=log,
                stderr=log,
            )
            for log in logs
        ]
        with ThreadPoolExecutor() as waiting:
            used = list(waiting.map(_ended, running, logs))
        ended = time.time()
        began = min(_first_assignment(log) for log in logs)
    time.sleep(SETTLING_SECONDS)  # PostgreSQL's last work is counted too
    return Run(
        messages,
        ended - began,
        max(peak for _, peak in used),
        sum(cpu for cpu, _ in used),
        postgres_cpu(stack) - before,
    )


def timed(stack: Stack, messages: int, environment: Mapping[str, str], command: list[str]) -> Run:
    """Run a command that ends by itself, from its start to its end. Raises as `drain`."""
    time.sleep(SETTLING_SECONDS)  # what was started before comes to rest
    before, began = postgres_cpu(stack), time.time()
    with tempfile.TemporaryFile("w+") as log:
        process = subprocess.Popen(
            command, cwd=HERE, env={**os.environ, **environment}, stdout=log, stderr=log
        )
        cpu, peak = _ended(process, log)
    ended = time.time()
    time.sleep(SETTLING_SECONDS)  # PostgreSQL's last work is counted too
    return Run(messages, ended - began, peak, cpu, postgres_cpu(stack) - before)


def _ended(process: subprocess.Popen[bytes], log: IO[str]) -> tuple[float, float]:
    """CPU in seconds, and the peak of memory in MB.

    The latter as Linux counts it for the program alone: `ru_maxrss` begins with the peak of the
    process that started it.
    """
    peak, pid, status = 0.0, 0, 0
    while not pid:
        found = PEAK.search(Path(f"/proc/{process.pid}/status").read_text())
        peak = int(found[1]) / 1024 if found else peak
        time.sleep(0.1)  # a poll: its peak can be read only while it runs
        pid, status, usage = os.wait4(process.pid, os.WNOHANG)
    if status:
        log.seek(0)
        last = "".join(log.readlines()[-20:])
        raise RuntimeError(f"{process.args!r} ended with {status}:\n{last}")
    return usage.ru_utime + usage.ru_stime, peak


def _first_assignment(log: IO[str]) -> float:
    log.seek(0)
    lines = (json.loads(line) for line in log if line.startswith("{"))
    return min(
        datetime.fromisoformat(line["time"]).timestamp()
        for line in lines
        if line["message"] == "partitions assigned"
    )


def postgres_cpu(stack: Stack) -> float:
    """Seconds of the server and of all its backends, those that have ended too."""
    pid = int((stack.postgres.folder / "data" / "postmaster.pid").read_text().splitlines()[0])
    postmaster = psutil.Process(pid)
    own = postmaster.cpu_times()
    seconds = own.user + own.system + own.children_user + own.children_system
    for child in postmaster.children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            seconds += sum(child.cpu_times()[:2])
    return float(seconds)
