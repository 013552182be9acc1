"""Starts `claim-analytics` processes with the libraries loaded, which is most of a command's time.

A process of its own, the starter, loads them once and is forked for each start. What comes of it is
a process like any other: a group, a folder, an environment and outputs of its own; it loads the
modules of `service` itself, and ends as Python ends. Where that cannot be (on other systems than
Linux, or with another program) `subprocess` does it.

This module is the starter's program too, run as a script: so nothing but the standard library is
imported at its top.
"""

import atexit
import gc
import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from importlib import import_module
from pathlib import Path
from runpy import run_path
from tempfile import TemporaryFile
from typing import IO, Any

PROGRAM = Path(sys.executable).with_name("claim-analytics")
MOST_BYTES = 1 << 20  # of a request: arguments and environment
# None of them knows its process. Those of `service` do: an instance is named by its id.
LOADED = (
    "aiokafka.admin",
    "alembic.command",
    "consumers.engine.lane",
    "consumers.replay.ranges",
    "consumers.topics.cache_refresh_requests",
    "consumers.topics.providers",
    "consumers.topics.report_requests",
    "consumers.topics.suggestions",
    "joserfc.jwe",
    "obstore.store",
    "pydantic_settings",
    "repositories.erasure",
    "repositories.operations.receipts",
    "repositories.operations.retention",
    "repositories.replaying.replay",
    "repositories.reports.queries",
    "rich.progress",
    "rich.table",
    "tink",
    "typer.main",
)


class Forked:
    """As much of `subprocess.Popen` as tests use. `said` is where its id comes from, and then its
    exit code."""

    def __init__(self, said: IO[bytes]) -> None:
        self._said = said
        self.pid = int(said.readline())
        self.returncode: int | None = None

    def poll(self) -> int | None:
        if self.returncode is None and select.select([self._said], [], [], 0)[0]:
            self.wait()
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        if self.returncode is None:
            if timeout is not None and not select.select([self._said], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired("claim-analytics", timeout)
            self.returncode = int(self._said.readline())
            self._said.close()
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)


def start(
    command: Sequence[str | Path],
    folder: Path,
    environment: Mapping[str, str],
    output: IO[bytes],
    errors: IO[bytes],
    said: bytes = b"",
) -> "Forked | subprocess.Popen[bytes]":
    """In a session of its own. `said` is its standard input, the files are its outputs."""
    with TemporaryFile() as given:
        given.write(said)
        given.seek(0)
        if sys.platform == "linux":
            streams = (given, output, errors)
            if command[0] == PROGRAM:
                return _fork(command, folder, environment, streams)
            # A script that starts the program another way.
            if command[0] == sys.executable and str(command[1]).endswith(".py"):
                return _fork(command[1:], folder, environment, streams)
        return subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdin=given,
            stdout=output,
            stderr=errors,
            start_new_session=True,
        )


def _fork(
    command: Sequence[str | Path],
    folder: Path,
    environment: Mapping[str, str],
    streams: Sequence[IO[bytes]],
) -> Forked:
    request = {
        "arguments": [str(each) for each in command],
        "folder": str(folder),
        "environment": dict(environment),
    }
    ours, theirs = os.pipe()
    files = [*(stream.fileno() for stream in streams), theirs]
    try:
        socket.send_fds(_starter(), [json.dumps(request).encode()], files)
    finally:
        os.close(theirs)
    return Forked(os.fdopen(ours, "rb", buffering=0))


@cache
def _starter() -> socket.socket:
    """The line to the starter, which ends with this process."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        process = subprocess.Popen(
            [sys.executable, __file__, str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is the tests' business
        )

    def end() -> None:
        ours.close()
        process.wait()

    atexit.register(end)
    return ours


def _serve(requests: socket.socket) -> dict[str, Any]:
    """Forks for each request; returns in the process that is to do it."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for those who wait, see below
    while True:
        request, files, *_ = socket.recv_fds(requests, MOST_BYTES, 4)
        if not request:
            os._exit(0)
        if os.fork() == 0:
            break
        for file in files:
            os.close(file)
    requests.close()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    *streams, said = files
    if child := os.fork():
        for file in streams:
            os.close(file)
        _, status = os.waitpid(child, 0)
        with suppress(BrokenPipeError):
            os.write(said, b"%d\n" % os.waitstatus_to_exitcode(status))
        os._exit(0)
    os.setsid()
    os.write(said, b"%d\n" % os.getpid())
    os.close(said)
    for number, file in enumerate(streams):
        os.dup2(file, number)
        os.close(file)
    return dict(json.loads(request))


if __name__ == "__main__":
    sys.path.pop(0)  # this folder, in which modules have names that others have too
    for name in LOADED:
        import_module(name)
    gc.collect()
    gc.freeze()  # pages that are not written to are shared
    asked = _serve(socket.socket(fileno=int(sys.argv[1])))
    os.chdir(asked["folder"])
    os.environ.clear()
    os.environ.update(asked["environment"])
    time.tzset()
    sys.argv = asked["arguments"]
    if sys.argv[0].endswith(".py"):
        run_path(sys.argv[0], run_name="__main__")
    else:
        from service.__main__ import main

        main()
