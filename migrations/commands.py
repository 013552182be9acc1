"""Bringing a database's schema up, down, and comparing it with the tables in the code.

Alembic runs an event loop of its own (see `env.py`), so these are plain functions: call them
through `asyncio.to_thread` where a loop is running. They raise RepositoryErrors.
"""

from collections.abc import Callable
from importlib.resources import files

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

from repositories.errors import CodeOutdated, SchemaMissing


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


def head() -> str:
    """The revision that this version of the service expects."""
    revision = _scripts().get_current_head()
    if revision is None:
        raise LookupError("the migrations folder holds no revision")
    return revision


def require_known(found: str | None) -> None:
    """Raise CodeOutdated if a newer version of the service made this revision."""
    if found is not None and found not in {
        script.revision for script in _scripts().walk_revisions()
    }:
        raise CodeOutdated(
            f"the schema is at revision {found}, which this version does not know: it expects"
            f" {head()}, and a newer version has migrated the database. Start that version again,"
            " or restore the backup from before it"
        )


def require_head(found: str | None) -> None:
    """Raise SchemaMissing, or CodeOutdated, if the database's revision is not the expected one."""
    require_known(found)
    if found != head():
        there = "there is no schema yet" if found is None else f"the schema is at revision {found}"
        raise SchemaMissing(
            f"{there}, and this version expects {head()}; run `claim-analytics migrate`"
        )


def _scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(configuration())
