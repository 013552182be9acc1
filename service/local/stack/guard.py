"""Ends a workspace's processes and removes its folder, however its owner ended.

Run as `python guard.py FOLDER`, a process of its own that needs nothing but the standard library.
It prints the id of a process group for the owner to start its processes in, then waits for the
end of its standard input: the owner holds the other end of that pipe, and the system closes it
even when the owner is killed by SIGKILL.
"""

import os
import shutil
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

# PostgreSQL stops fast on SIGINT and waits for its clients on SIGTERM; Java needs SIGTERM when it
# was started with SIGINT ignored. Both get both.
STEPS = ((signal.SIGINT, 0.0), (signal.SIGTERM, 5.0), (signal.SIGKILL, 5.0))


def main() -> None:
    group = os.fork()
    if group == 0:  # a group exists while it has a member: this one, until the owner ends
        os.setpgid(0, 0)
        _wait_for_owner()
        os._exit(0)
    os.setpgid(group, group)
    sys.stdout.write(f"{group}\n")
    sys.stdout.flush()
    _wait_for_owner()
    _end(group)
    shutil.rmtree(Path(sys.argv[1]), ignore_errors=True)


def _wait_for_owner() -> None:
    while os.read(0, 1024):
        pass


def _end(group: int) -> None:
    for number, seconds in STEPS:
        if not _signal(group, number):
            return
        deadline = time.monotonic() + seconds
        while _signal(group, 0) and time.monotonic() < deadline:
            time.sleep(0.02)  # a poll: only a parent can wait for a process


def _signal(group: int, number: int) -> bool:
    """False when nothing is left to signal."""
    with suppress(ChildProcessError):
        os.waitpid(group, os.WNOHANG)  # a dead holder would count as a member until collected
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):  # macOS: the latter when only zombies are left
        return False
    return True


if __name__ == "__main__":
    main()
