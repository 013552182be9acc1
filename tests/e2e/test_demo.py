"""`claim-analytics demo` for real: what a stranger sees, and that nothing is left of it."""

import os
import re
import shlex
import signal
import subprocess
import sys
import termios
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast
from urllib.request import urlopen

import psutil
import pypdf
import pytest

from service.local.stack.workspace import Workspace
from tests.harness.waiting import eventually
from tests.integration.service.stack_command import StackCommand, are_gone, python_path

PROGRAM = "from service.__main__ import main; main()"
SECONDS = 90
REPORT = shlex.join([sys.executable, "-c", PROGRAM, "report"])
# None of it is the demo's business.
FOREIGN_SETTINGS = {
    "CLAIM_ANALYTICS_DATABASE_URL": "postgresql://nowhere.invalid/production",
    "CLAIM_ANALYTICS_KAFKA_BOOTSTRAP_SERVERS": "nowhere.invalid:1",
    "CLAIM_ANALYTICS_TOPIC_CLAIM_PAID": "production-claims",
}


@pytest.fixture
def temporary() -> Iterator[Path]:
    """A folder that PostgreSQL's user can enter too, which pytest's own is not for root."""
    with Workspace() as workspace:
        folder = workspace.folder / "temporary"
        folder.mkdir()
        folder.chmod(0o1777)
        yield folder


@contextmanager
def demo_command(*arguments: str, temporary: Path, terminal: int = -1) -> Iterator[StackCommand]:
    """Start the demo in a process group of its own; `terminal` is to be all of its streams."""
    streams = terminal if terminal >= 0 else subprocess.PIPE
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, "demo", *arguments],
        env={**os.environ, **FOREIGN_SETTINGS, "PYTHONPATH": python_path(), "TERM": "xterm"}
        | {"TMPDIR": str(temporary)},
        stdin=terminal if terminal >= 0 else subprocess.DEVNULL,
        stdout=streams,
        stderr=streams,
        text=True,
        process_group=0,
        cwd=temporary,
    )
    with process:
        yield StackCommand(process, temporary)
        process.terminate()


def wait_for_line(command: StackCommand, text: str) -> str:
    """Read standard output up to the line that has the text."""
    for line in cast(IO[str], command.process.stdout):
        if text in line:
            return line
    raise AssertionError(f"the demo ended without saying {text!r}: {command.wait()}")


def assert_nothing_is_left(command: StackCommand, processes: list[psutil.Process]) -> None:
    assert processes
    assert are_gone(processes, seconds=0)
    assert command.leftovers() == []


def test_once_verifies_keeps_the_reports_and_leaves_nothing_else(
    temporary: Path, tmp_path: Path
) -> None:
    kept = tmp_path / "kept"
    arguments = ("--events", "2000", "--once", "--keep-reports", str(kept))
    with demo_command(*arguments, temporary=temporary) as command:
        wait_for_line(command, "The service consumes")
        processes = command.processes()
        exit_code, output, errors = command.wait()
    assert (exit_code, errors) == (0, "")
    assert "Everything is as recomputed." in output
    assert "Verify is clean and every count agrees." in output
    assert "34 of 34 metric keys are live." in output
    assert re.search(r"messages +2,000 +2,000 +agrees", output)
    assert re.search(r"dead letters, [a-z-]+ +[1-9]\d* +[1-9]\d* +agrees", output)
    assert re.search(r"[A-Z][a-z]{2} 20\d\d +[1-9]\d* +\d+ +\$[\d,]+\.\d\d", output)
    assert re.search(r"events of the AI coach +[1-9]\d* +[1-9]\d* +agrees", output)
    assert re.search(r"[A-Z][a-z]{2} 20\d\d +\d+ of [1-9]\d* +\d+\.\d\d %", output)  # rejected
    assert re.search(r"report requests +5 +5 +agrees", output)
    assert re.search(r"reports that are ready +5 +5 +agrees", output)
    assert re.search(r"Report ready \d+ kB  accountant summary PDF, 20\d\d-", output)
    assert f"Reports are in {kept}." in output
    assert not re.search(r"\b\d{9}\b", output)  # no personal health number
    physician = re.search(r"The figures of Dr\. ([^,]+),", output)
    assert physician
    files = {file.name[: -len("-12345678.pdf")]: file for file in kept.iterdir()}
    assert_reports_open(files)
    assert physician[1] in pypdf.PdfReader(files["accountant-summary"]).pages[0].extract_text()
    assert_nothing_is_left(command, processes)


def assert_reports_open(files: dict[str, Path]) -> None:
    assert sorted(files) == [
        *("accountant-detail", "accountant-summary", "data-portability"),
        *("monthly-performance", "wcb-timing"),
    ]
    assert files["accountant-detail"].read_text().startswith("claim_id,patient_phn,")
    with zipfile.ZipFile(files["data-portability"]) as archive:
        assert archive.testzip() is None
        assert "claims.csv" in archive.namelist()


def test_while_it_is_live_others_can_look_at_it_and_fetch_reports(
    temporary: Path, tmp_path: Path
) -> None:
    with demo_command("--events", "200", temporary=temporary) as command:
        source = wait_for_line(command, "To look in from another shell: ").split(": ")[1].strip()
        console = wait_for_line(command, "To look at it in a browser: ").split()[-1]
        with urlopen(console) as page:
            assert "Claim Analytics" in page.read().decode()
        report_id = wait_for_line(command, "Report ready").split()[-1]
        out = tmp_path / "report"
        listing = in_a_shell(f"{source} && {REPORT} list --json")
        fetched = f'{source} && {REPORT} fetch {report_id} --provider "$PHYSICIAN" --out {out}'
        in_a_shell(fetched)
        processes = command.processes()
        os.killpg(command.process.pid, signal.SIGTERM)
        exit_code, _, errors = command.wait()
    assert (exit_code, errors) == (0, "")
    assert report_id in listing
    assert out.stat().st_size > 0
    assert_nothing_is_left(command, processes)


def in_a_shell(script: str) -> str:
    environment = {**os.environ, "PYTHONPATH": python_path()}
    return subprocess.run(
        ["/bin/sh", "-c", script],
        env=environment,
        capture_output=True,
        check=True,
        text=True,
        timeout=SECONDS,
    ).stdout


@pytest.mark.parametrize("moment", ["Starting Kafka", "The service"])
def test_ctrl_c_again_and_again_while_it_starts_leaves_nothing(
    temporary: Path, moment: str
) -> None:
    with demo_command("--events", "200", temporary=temporary) as command:
        wait_for_line(command, moment)
        processes = command.processes()
        assert eventually(command.ends_at_ctrl_c)
        exit_code, _, errors = command.wait()
    assert (exit_code, errors) == (0, "")
    assert_nothing_is_left(command, processes)


@pytest.mark.parametrize(("program", "name"), [("java", "Kafka"), ("postgres", "PostgreSQL")])
def test_a_server_that_dies_ends_it_with_an_error(temporary: Path, program: str, name: str) -> None:
    with demo_command("--events", "200", temporary=temporary) as command:
        wait_for_line(command, "live, ")
        processes = command.processes()
        children = psutil.Process(command.process.pid).children()
        [server] = [child for child in children if child.name() == program]
        server.kill()
        exit_code, _, errors = command.wait()
    assert exit_code == 1
    assert re.search(rf"^{name} [\d.]+ ended unexpectedly\.", errors, re.MULTILINE)
    assert "Traceback" not in errors
    assert_nothing_is_left(command, processes)


def test_on_a_terminal_it_is_a_live_view_that_gives_the_screen_back(temporary: Path) -> None:
    ours, theirs = os.openpty()
    termios.tcsetwinsize(theirs, (24, 80))
    with demo_command("--events", "200", temporary=temporary, terminal=theirs) as command:
        os.close(theirs)
        screen = read_until(ours, "Ctrl-C stops everything and removes it")
        screen += read_until(ours, "reports, the newest first")
        processes = command.processes()
        os.killpg(command.process.pid, signal.SIGINT)
        screen += read_until(ours, "their data is removed.")
        assert command.process.wait(SECONDS) == 0
    os.close(ours)
    assert screen.count("\x1b[?1049h") == screen.count("\x1b[?1049l") == 1
    assert "events a second" in screen
    assert "Traceback" not in screen
    assert_nothing_is_left(command, processes)


def read_until(terminal: int, text: str) -> str:
    """What comes to a terminal up to the text; waits for it."""
    read = b""
    deadline = time.monotonic() + SECONDS
    while text.encode() not in read:
        assert time.monotonic() < deadline, read
        read += os.read(terminal, 65536)
    return read.decode(errors="replace")
