"""Running the service as a process of its own, and what can be seen of it from outside."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

RUN = [str(Path(sys.executable).parent / "claim-analytics"), "run", "--only", "claims"]
SERVICE = [*RUN, "--drain"]
FLOOR = [sys.executable, "-m", "tests.benchmarks.store_only"]


@dataclass(frozen=True)
class Run:
    """A drain from the first assignment to the last batch; `peak_mb` is the process's memory."""

    messages: int
    seconds: float
    peak_mb: float
    cpu_seconds: float
    batches: int

    @property
    def rate(self) -> float:
        """Messages a second."""
        return self.messages / self.seconds


def drain(command: Sequence[str], environment: Mapping[str, str]) -> Run:
    """Run a draining process to its end. Raises RuntimeError with its output if it fails."""
    with tempfile.TemporaryFile("w+") as log:
        process = subprocess.Popen(
            command,
            env={**os.environ, **environment, "CLAIM_ANALYTICS_LOG_FORMAT": "json"},
            stdout=log,
            stderr=log,
        )
        _, status, usage = os.wait4(process.pid, 0)
        log.seek(0)
        lines = log.read().splitlines()
    if status:
        raise RuntimeError("\n".join([f"{command} ended with {status}", *lines[-20:]]))
    return _measured(
        [json.loads(line) for line in lines],
        usage.ru_maxrss / 1024,
        usage.ru_utime + usage.ru_stime,
    )


def _measured(lines: Sequence[dict[str, Any]], peak_mb: float, cpu_seconds: float) -> Run:
    began = min(_time(line) for line in lines if line["message"] == "partitions assigned")
    batches = [line for line in lines if line["message"] == "batch applied"]
    ended = max(_time(line) for line in batches)
    return Run(
        sum(line["messages"] for line in batches),
        (ended - began).total_seconds(),
        peak_mb,
        cpu_seconds,
        len(batches),
    )


def _time(line: Mapping[str, Any]) -> datetime:
    return datetime.fromisoformat(line["time"])
