"""A real PgBouncer before one database, for one test; with TLS, since the wheels' PostgreSQL has
none."""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from signal import SIGINT
from subprocess import Popen
from urllib.parse import urlsplit

import pytest

from service.local.stack.server import LOOPBACK, Server, free_ports
from service.local.stack.workspace import Workspace

PROGRAM = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
# No Python package brings it; where CI runs, `.ci/run` installs it.
needs_pgbouncer = pytest.mark.skipif(  # it is not Python's to install
    PROGRAM is None, reason="pgbouncer is not installed (Debian: apt install pgbouncer)"
)


class PgBouncer(Server):
    """`settings` are its own, beside what it cannot run without: all else is as it is shipped."""

    name = "PgBouncer"
    stop_signal = SIGINT

    def __init__(self, workspace: Workspace, behind: str, **settings: str | Path) -> None:
        [self.port] = free_ports(1)
        super().__init__(workspace, f"pgbouncer-{self.port}")
        self._behind = urlsplit(behind)
        self._settings = settings

    @property
    def url(self) -> str:
        user = self._behind.netloc.rpartition("@")[0]
        return self._behind._replace(netloc=f"{user}@{LOOPBACK}:{self.port}").geturl()

    def _prepare(self) -> None:
        self.folder.mkdir()
        users = self.folder / "users"
        users.write_text(f'"{self._behind.username}" "{self._behind.password}"\n')
        name = self._behind.path[1:]
        settings: dict[str, str | Path | int] = {
            "listen_addr": LOOPBACK,
            "listen_port": self.port,
            "unix_socket_dir": "",
            "auth_type": "scram-sha-256",
            "auth_file": users,
            **self._settings,
        }
        lines = [
            *("[databases]", f"{name} = host={self._behind.hostname} port={self._behind.port}"),
            *("[pgbouncer]", *(f"{key} = {value}" for key, value in settings.items())),
        ]
        (self.folder / "pgbouncer.ini").write_text("\n".join([*lines, ""]))

    def _command(self) -> Sequence[str | Path]:
        return [PROGRAM or "pgbouncer", self.folder / "pgbouncer.ini"]

    def _spawn(self, command: Sequence[str | Path]) -> Popen[bytes]:
        return self.workspace.start(command, log=self.log, account=self.workspace.account)

    def _is_ready(self, process: Popen[bytes], log_start: int) -> bool:
        return b"process up" in self.log.read_bytes()[log_start:]
