"""Runs `claim-analytics stack` as a process of its own and watches what it leaves behind."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

import psutil

from tests.harness.waiting import eventually

ROOT = Path(__file__).parents[3]
# The test run itself may be under nohup, and then the command would ignore SIGHUP too.
PROGRAM = """
import signal, typer
signal.signal(signal.SIGHUP, signal.SIG_DFL)
from service.cli.stack import stack
typer.run(stack)
"""


class StackCommand:
    """The running command, in a process group of its own as a shell would start it."""

    def __init__(self, process: subprocess.Popen[str], temporary: Path) -> None:
        self.process = process
        self.temporary = temporary

    def read_environment(self) -> dict[str, str]:
        """The two lines of `--print-env`; waits for them."""
        output = cast(IO[str], self.process.stdout)
        lines = [output.readline().rstrip("\n") for _ in range(2)]
        return dict(line.split("=", 1) for line in lines)

    def wait_for_message(self, text: str) -> None:
        """Read standard error up to the line that has the text."""
        for line in cast(IO[str], self.process.stderr):
            if text in line:
                return
        raise AssertionError(f"the command ended without saying {text!r}")

    def ends_at_ctrl_c(self) -> bool:
        """Signal the whole process group, as a terminal does, unless the command has ended."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGINT)
        return self.process.returncode is not None

    def processes(self) -> list[psutil.Process]:
        """The processes that it started, at this moment."""
        found: list[psutil.Process] = psutil.Process(self.process.pid).children(recursive=True)
        return found

    def wait(self) -> tuple[int, str, str]:
        """Exit code and what was still to be read of standard output and error."""
        output, errors = self.process.communicate(timeout=60)
        return self.process.returncode, output, errors

    def leftovers(self) -> list[Path]:
        """What is left in the temporary folder that was given to the command."""
        return list(self.temporary.iterdir())


@contextmanager
def stack_command(
    *arguments: str,
    temporary: Path,
    python: str = sys.executable,
    user: int | None = None,
    environment: dict[str, str] | None = None,
) -> Iterator[StackCommand]:
    """Start the command with `temporary` as its folder for temporary files."""
    process = subprocess.Popen(
        [python, "-c", PROGRAM, *arguments],
        env={**os.environ, "PYTHONPATH": python_path(), "TMPDIR": str(temporary)}
        | (environment or {}),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        process_group=0,
        user=user,
        group=user,
        extra_groups=None if user is None else [],
        cwd=temporary,
    )
    with process:
        yield StackCommand(process, temporary)
        process.terminate()


def python_path() -> str:
    """What makes another interpreter of the same version see this checkout and its packages."""
    return os.pathsep.join(str(path) for path in (ROOT, *filter(_has_packages, sys.path)))


def _has_packages(path: str) -> bool:
    return Path(path).name == "site-packages"


def are_gone(processes: list[psutil.Process], seconds: float = 30) -> bool:
    """Whether all of them end in time; one that only waits to be collected has ended."""
    return eventually(lambda: not any(_runs(process) for process in processes), seconds)


def _runs(process: psutil.Process) -> bool:
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
