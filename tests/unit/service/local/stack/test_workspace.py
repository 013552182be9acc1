"""A workspace ends its processes and removes its folder, whatever happens."""

import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from service.local.stack import StackError
from service.local.stack.workspace import Workspace
from tests.harness.waiting import eventually

OWNER = """
import sys, time
from service.local.stack.workspace import Workspace
workspace = Workspace()
process = workspace.start(["/bin/sleep", "600"], log=workspace.folder / "log")
print(process.pid, workspace.folder, flush=True)
time.sleep(600)  # until it is killed
"""

STUBBORN = ["/bin/sh", "-c", "trap '' INT TERM; echo ready; while :; do /bin/sleep 0.1; done"]


def test_closing_ends_the_processes_and_removes_the_folder() -> None:
    with Workspace() as workspace:
        process = workspace.start(["/bin/sleep", "600"], log=workspace.folder / "log")
    assert process.poll() is not None
    assert not workspace.folder.exists()


def test_closing_ends_a_process_that_ignores_signals() -> None:
    with Workspace() as workspace:
        log = workspace.folder / "log"
        process = workspace.start(STUBBORN, log=log)
        assert eventually(lambda: "ready" in log.read_text())
    assert process.returncode == -9


def test_nothing_is_left_when_the_owner_is_killed() -> None:
    owner = subprocess.Popen([sys.executable, "-c", OWNER], stdout=subprocess.PIPE, text=True)
    assert owner.stdout is not None
    with owner.stdout as output:
        pid, folder = output.readline().split()
    assert psutil.pid_exists(int(pid))
    owner.kill()
    owner.wait()
    assert eventually(lambda: not psutil.pid_exists(int(pid)))
    assert eventually(lambda: not Path(folder).exists())


def test_the_terminals_process_group_is_not_that_of_the_processes() -> None:
    show_group = [sys.executable, "-c", "import os; print(os.getpgid(0))"]
    with Workspace() as workspace:
        log = workspace.folder / "log"
        workspace.start(show_group, log=log).wait()
        group = int(log.read_text())
    assert group != os.getpgid(0)


def test_closing_twice_is_fine() -> None:
    workspace = Workspace()
    workspace.close()
    workspace.close()
    assert workspace.closed


def test_nothing_starts_in_a_closed_workspace(tmp_path: Path) -> None:
    workspace = Workspace()
    workspace.close()
    with pytest.raises(StackError, match="stopped while it was starting"):
        workspace.start(["/bin/true"], log=tmp_path / "log")
