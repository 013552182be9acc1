"""A second PostgreSQL that follows the first, to switch over to."""

import os
from collections.abc import Sequence
from pathlib import Path

from service.local.stack.postgres import USER, PostgresServer
from service.local.stack.server import LOOPBACK, Server
from service.local.stack.workspace import Workspace


class Standby(PostgresServer):
    """A streaming replica of a server that runs; it has its users and passwords."""

    def __init__(self, workspace: Workspace, primary: PostgresServer) -> None:
        super().__init__(workspace, primary.version)
        self._primary = primary
        self._password = primary._password

    def start(self) -> None:
        Server.start(self)  # the database is there already

    def _prepare(self) -> None:
        self.folder.mkdir()
        if self.workspace.account is not None:
            os.chown(self.folder, *self.workspace.account)
        source = ("-h", LOOPBACK, "-p", str(self._primary.port), "-U", USER)
        copy = ("-D", self._data, "--write-recovery-conf", "--checkpoint=fast", "--no-sync")
        self._run([self._home / "bin" / "pg_basebackup", *source, *copy])

    def _command(self) -> Sequence[str | Path]:
        return [*super()._command(), "-p", str(self.port)]


def promote(standby: PostgresServer) -> None:
    """Returns when it takes writes."""
    pg_ctl = standby._home / "bin" / "pg_ctl"
    standby._run([pg_ctl, "promote", "--wait", "--silent", "-D", standby._data])


def demote(former_primary: PostgresServer, primary: PostgresServer) -> None:
    """Let a primary that was stopped in good order come back as the standby of another."""
    assert not former_primary._state_file.exists(), "the primary has not ended in good order"
    place = f"host={LOOPBACK} port={primary.port} user={USER} password={primary._password}"
    with (former_primary._data / "postgresql.auto.conf").open("a") as settings:
        settings.write(f"primary_conninfo = '{place}'\n")
    (former_primary._data / "standby.signal").touch()  # empty, and read by nobody
    former_primary.start()
