"""A database with the schema in it."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from migrations import commands
from tests import servers


def upgrade(url: str) -> None:
    """Alembic runs an event loop of its own, and the test's may be running here."""
    with ThreadPoolExecutor(max_workers=1) as thread:
        thread.submit(commands.upgrade, url).result()


@contextmanager
def migrated_database(server_url: str) -> Iterator[str]:
    """The URL of a fresh database of this server; dropped at the end."""
    with servers.fresh_database(server_url) as url:
        servers.migrate(url)
        yield url
