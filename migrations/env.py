"""What Alembic runs for every command: a connection through asyncpg, one transaction for all."""

import asyncio
import logging
import time

from alembic import context
from sqlalchemy import Connection, pool

from migrations import commands, writers
from migrations.revisions import require_known
from repositories.errors import RepositoryError
from repositories.postgres.database import domain_errors, open_engine
from repositories.postgres.database_url import CurrentUrl
from repositories.postgres.requirements import inspection, require_migratable, revision_of
from repositories.schema import metadata

log = logging.getLogger(__name__)

MIGRATION_LOCK = 0x6D696772617465  # two `migrate` at once: the second waits and finds it done


def run_migrations(connection: Connection) -> None:
    context.configure(connection=connection, target_metadata=metadata, compare_server_default=True)
    with context.begin_transaction():
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})")
        if commands.changes(context.config, context.get_context().get_current_revision()):
            writers.keep_writers_away(connection)
        context.run_migrations()


async def connect_and_run(current: CurrentUrl) -> None:
    url = current.url
    async with inspection(url) as look:
        await require_migratable(look, url)
        require_known(await revision_of(look))
    give_up = time.monotonic() + writers.PATIENCE_SECONDS
    while True:
        try:
            return await attempt(current)
        except RepositoryError as error:
            if not error.retriable or time.monotonic() > give_up:
                raise
            log.warning("nothing was changed yet, trying again: %s", error)
        await asyncio.sleep(writers.PAUSE_SECONDS)  # whoever holds the lock gets on meanwhile


async def attempt(current: CurrentUrl) -> None:
    """All or nothing; raises LockNotAvailable where others keep a table for long."""
    engine = open_engine(current, poolclass=pool.NullPool)
    try:
        with domain_errors(current.url):
            async with engine.connect() as connection:
                await connection.run_sync(run_migrations)
                await connection.commit()
    finally:
        await engine.dispose()


asyncio.run(connect_and_run(CurrentUrl(context.config.attributes["database_url"])))
