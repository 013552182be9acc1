"""The one clock that decides about rows: the database's, whatever the instances' show."""

from datetime import datetime
from typing import cast

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from repositories.postgres.database import Database


async def now(connection: AsyncConnection) -> datetime:
    """The time at the server, not that of the transaction's begin."""
    return cast(datetime, await connection.scalar(select(func.clock_timestamp())))


async def database_time(database: Database) -> datetime:
    async with database.transaction() as connection:
        return await now(connection)
