"""A real PostgreSQL with TLS and users that it lets in in different ways.

The wheels' PostgreSQL has no TLS; Debian's has. It may be older than the service needs, so it is
for connections, not for the schema.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from signal import SIGHUP, SIGINT
from subprocess import Popen

import pytest

from service.local.stack.server import LOOPBACK, Server, free_ports
from service.local.stack.workspace import Workspace
from tests.harness.certificates import Authority

INSTALLED = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
# No Python package brings it; where CI runs, `.ci/run` installs it.
needs_tls_postgres = pytest.mark.skipif(  # it is not Python's to install
    not INSTALLED, reason="PostgreSQL with TLS is not installed (Debian: apt install postgresql)"
)
DATABASE = "postgres"
ADMIN = "postgres"
CERTIFIED = "certified"  # who shows a certificate, and has no password
HOST = "localhost"  # what the server's certificate is made out to; 127.0.0.1 is not in it
WHO_MAY_COME = f"""
hostssl all {CERTIFIED} {LOOPBACK}/32 cert
hostssl all {ADMIN},keeper {LOOPBACK}/32 scram-sha-256
hostnossl all keeper {LOOPBACK}/32 reject
"""


class TlsPostgres(Server):
    """`ADMIN` logs in with `password`; who is not named in WHO_MAY_COME may not come at all."""

    name = "PostgreSQL with TLS"
    stop_signal = SIGINT

    def __init__(self, workspace: Workspace, password: str) -> None:
        [self.port] = free_ports(1)
        super().__init__(workspace, f"tls-postgresql-{self.port}")
        self._programs = INSTALLED[-1].parent
        self._data = self.folder / "data"
        self._password = password
        self.authority = Authority(workspace.folder)
        self.stranger = Authority(workspace.folder, "stranger")

    def url(self, user: str = ADMIN, password: str = "", **parameters: object) -> str:
        """With `verify-full`, unless the parameters say otherwise; one that is None is left out."""
        given = {"sslmode": "verify-full", "sslrootcert": self.authority.file} | parameters
        query = "&".join(f"{name}={value}" for name, value in given.items() if value is not None)
        secret = password or self._password
        return f"postgresql://{user}:{secret}@{HOST}:{self.port}/{DATABASE}?{query}"

    def show_certificate(self, *, ended: bool = False) -> None:
        """From now on; connections that are there stay."""
        certificate, key = self.authority.issue(HOST, ended=ended)
        for made, used in ((certificate, "server.crt"), (key, "server.key")):
            new = self._data / f"{used}.new"
            new.write_bytes(made.read_bytes())
            new.chmod(0o600)
            self._give(new)
            new.replace(self._data / used)
        if self._process is not None and self.running:
            self._process.send_signal(SIGHUP)

    def _give(self, file: Path) -> None:
        if account := self.workspace.account:
            os.chown(file, account.uid, account.gid)

    def _prepare(self) -> None:
        self.folder.mkdir()
        self._give(self.folder)
        password = self.folder / "password"
        password.write_text(self._password)
        self._give(password)
        how = ("-U", ADMIN, f"--pwfile={password}", "--auth=reject", "--no-sync")
        self._run([self._programs / "initdb", "-D", self._data, *how, "--no-instructions"])
        (self._data / "pg_hba.conf").write_text(WHO_MAY_COME)
        self.show_certificate()

    def _command(self) -> Sequence[str | Path]:
        settings = {
            "listen_addresses": LOOPBACK,
            "unix_socket_directories": "",
            "port": self.port,
            "ssl": "on",
            "ssl_ca_file": self.authority.file,
        }
        chosen = (f"--{name}={value}" for name, value in settings.items())
        return [self._programs / "postgres", "-D", self._data, *chosen]

    def _spawn(self, command: Sequence[str | Path]) -> Popen[bytes]:
        return self.workspace.start(command, log=self.log, account=self.workspace.account)

    def _is_ready(self, process: Popen[bytes], log_start: int) -> bool:
        return b"ready to accept connections" in self.log.read_bytes()[log_start:]
