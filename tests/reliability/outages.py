"""Taking a server away, and looking at what the process does meanwhile."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta

import psutil

from service.local.stack.postgres import PostgresServer
from service.local.stack.server import Server
from tests.harness.deployment import Deployment
from tests.harness.kafka import members
from tests.harness.process import LogLine, ServiceProcess
from tests.harness.waiting import until

WAYS_TO_END = {"stopped": Server.stop, "killed": Server.kill}


async def group_members(deployment: Deployment) -> list[str]:
    """The members of the claims' group: a lane each."""
    return await members(deployment, deployment.group)


async def has_tried_in_vain(process: ServiceProcess, message: str, seconds: float) -> None:
    """Wait until log lines that begin so span this time."""

    def long_enough() -> bool:
        times = [_time(line) for line in process.log(message)]
        return bool(times) and times[-1] - times[0] >= timedelta(seconds=seconds)

    await until(long_enough, f"{seconds} seconds of {message!r}")


def copy_of_data(server: PostgresServer, name: str = "backup") -> str:
    """A backup of a server that is stopped: a copy of its folder."""
    backup = f"{server.folder}.{name}"
    subprocess.run(["cp", "-a", server.folder, backup], check=True)
    return backup


def restore_data(server: PostgresServer, backup: str) -> None:
    """Put the backup in the place of the data of a server that is stopped."""
    subprocess.run(["rm", "-r", server.folder], check=True)
    subprocess.run(["mv", backup, server.folder], check=True)


@contextmanager
def hung(server: PostgresServer) -> Iterator[None]:
    """A server that takes connections and requests, and answers none."""
    processes = _processes(server)
    for process in processes:
        process.suspend()
    try:
        yield
    finally:
        for process in processes:
            with suppress(psutil.NoSuchProcess):
                process.resume()


def _processes(server: PostgresServer) -> list[psutil.Process]:
    pid = int((server.folder / "data" / "postmaster.pid").read_text().splitlines()[0])
    postmaster = psutil.Process(pid)
    return [postmaster, *postmaster.children(recursive=True)]


def _time(line: LogLine) -> datetime:
    return datetime.fromisoformat(line["time"])
