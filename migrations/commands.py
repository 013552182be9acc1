"""Bringing a database's schema up, down, and comparing it with the tables in the code.

Alembic runs an event loop of its own (see `env.py`), so these are plain functions: call them
through `asyncio.to_thread` where a loop is running.
"""

from importlib.resources import files

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory


def configuration(database_url: str = "") -> Config:
    """Alembic's configuration for a plain `postgresql://` URL."""
    config = Config()
    config.set_main_option("script_location", str(files("migrations")))
    config.attributes["database_url"] = database_url
    return config


def upgrade(database_url: str, revision: str = "head") -> None:
    command.upgrade(configuration(database_url), revision)


def downgrade(database_url: str, revision: str = "base") -> None:
    command.downgrade(configuration(database_url), revision)


def check(database_url: str) -> None:
    """Raise alembic.util.CommandError if the database is not what `repositories.tables` says."""
    command.check(configuration(database_url))


def head() -> str:
    """The revision that this version of the service expects."""
    revision = ScriptDirectory.from_config(configuration()).get_current_head()
    if revision is None:
        raise LookupError("the migrations folder holds no revision")
    return revision
