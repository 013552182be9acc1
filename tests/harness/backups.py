"""Backups of one database, made and restored as an operator does it: by pg_dump and pg_restore."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from service.local.stack.postgres import PostgresServer
from tests import servers


def dump(server: PostgresServer, url: str, file: Path) -> None:
    _run(server, "pg_dump", "--format=custom", f"--file={file}", f"--dbname={url}")


@contextmanager
def restored(server: PostgresServer, file: Path) -> Iterator[str]:
    """The URL of another database of this server that holds what the dump has."""
    with servers.fresh_database(server.url) as url:
        _run(server, "pg_restore", "--exit-on-error", f"--dbname={url}", str(file))
        yield url


def _run(server: PostgresServer, program: str, *arguments: str) -> None:
    subprocess.run([server._home / "bin" / program, *arguments], check=True)
