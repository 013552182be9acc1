"""What Alembic runs for every command: a connection through asyncpg, one transaction for all."""

import asyncio

from alembic import context
from sqlalchemy import Connection, pool
from sqlalchemy.ext.asyncio import create_async_engine

from repositories.database import with_driver
from repositories.tables import metadata

MIGRATION_LOCK = 0x6D696772617465  # two `migrate` at once: the second waits and finds it done


def run_migrations(connection: Connection) -> None:
    context.configure(connection=connection, target_metadata=metadata, compare_server_default=True)
    with context.begin_transaction():
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})")
        context.run_migrations()


async def connect_and_run(url: str) -> None:
    engine = create_async_engine(with_driver(url), poolclass=pool.NullPool, hide_parameters=True)
    try:
        async with engine.connect() as connection:
            await connection.run_sync(run_migrations)
            await connection.commit()
    finally:
        await engine.dispose()


asyncio.run(connect_and_run(context.config.attributes["database_url"]))
