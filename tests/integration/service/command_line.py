"""Runs `claim-analytics` as a person does: a process, its two outputs, its exit code."""

import json
import os
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

from service.settings import PREFIX
from tests.harness.starter import PROGRAM, start
from tests.harness.waiting import LONG

WIDE = {"COLUMNS": "200"}  # so that no sentence is broken in two
NOBODY_LISTENS = "127.0.0.1:1"
NOTHING_ANSWERS = {
    f"{PREFIX}DATABASE_URL": f"postgresql://someone:hidden@{NOBODY_LISTENS}/none",
    f"{PREFIX}KAFKA_BOOTSTRAP_SERVERS": NOBODY_LISTENS,
}


@dataclass(frozen=True)
class Finished:
    """A command that has ended."""

    code: int
    output: str
    errors: str

    @property
    def words(self) -> str:
        """Both outputs with any whitespace as one blank, for sentences that are wrapped."""
        return " ".join((self.output + self.errors).split())

    def count(self, name: str) -> int:
        """The sum of a number over all "batch applied" lines of the log."""
        lines = [json.loads(line) for line in self.errors.splitlines()]
        return sum(line[name] for line in lines if line["message"] == "batch applied")


def claim_analytics(
    folder: Path,
    *arguments: str | Path,
    environment: Mapping[str, str] | None = None,
    said: str = "",
) -> Finished:
    """Run a command in `folder`, to its end, with no settings but these; none may end in a
    traceback, as that is no message for a person and can quote anything.

    `said` is its standard input. It has no terminal, wherever the tests run.
    """
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    given = inherited | WIDE | dict(environment or {})
    with TemporaryFile() as output, TemporaryFile() as errors:
        process = start([PROGRAM, *arguments], folder, given, output, errors, said.encode())
        try:
            code = process.wait(2 * LONG)
        finally:
            process.send_signal(signal.SIGKILL)  # nothing, if it has ended
        shown, told = (_text(file) for file in (output, errors))
    assert "Traceback" not in told, told
    return Finished(code, shown, told)


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode()
