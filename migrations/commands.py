"""Bringing a database's schema up, down, and comparing it with the tables in the code.

Alembic runs an event loop of its own (see `env.py`), so these are plain functions: call them
through `asyncio.to_thread` where a loop is running. They raise RepositoryErrors.
"""

from collections.abc import Callable
from importlib.resources import files

from alembic import command
from alembic.config import Config

from migrations.revisions import head


def configuration(database_url: str = "") -> Config:
    """Alembic's configuration for a plain `postgresql://` URL."""
    config = Config()
    config.set_main_option("script_location", str(files("migrations")))
    config.attributes["database_url"] = database_url
    return config


def upgrade(database_url: str, revision: str = "head") -> None:
    """Waits for those who write, for ten minutes at most; raises LockNotAvailable then."""
    _change(command.upgrade, database_url, revision)


def downgrade(database_url: str, revision: str = "base") -> None:
    """As `upgrade`."""
    _change(command.downgrade, database_url, revision)


def _change(by: Callable[[Config, str], None], database_url: str, revision: str) -> None:
    config = configuration(database_url)
    config.attributes["to"] = head() if revision == "head" else revision
    by(config, revision)


def changes(config: Config, found: str | None) -> bool:
    """Whether the command that runs with `config` is to change the schema at revision `found`."""
    return config.attributes.get("to", found) != found


def check(database_url: str) -> None:
    """Raise alembic.util.CommandError if the database is not what `repositories.tables` says."""
    command.check(configuration(database_url))
