"""The fence against code that is older than the schema.

A migration after which older code would write what is wrong raises the revision that the schema
demands. Every transaction that writes shares this row before it takes any other lock
(`Database.transaction`), so it ends before such a migration begins, or finds it done: an instance
that was not replaced writes nothing in the old way, however long it goes on.
"""

from typing import Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from repositories.errors import CodeOutdated, SchemaMissing
from repositories.statements import compiled
from repositories.tables import schema_demand

CODE_REVISION: Final = 5  # of this code: the highest that one of its migrations demands

# Whoever waits here for a migration reads what that has committed, in this same statement.
SHARED = compiled(select(schema_demand.c.code_revision).with_for_update(read=True))


async def require_current_code(connection: AsyncConnection, where: str) -> None:
    """Share the schema's demand until the transaction ends. Raises CodeOutdated, or SchemaMissing
    where the row is gone: what the schema demands is not known then. `where` names the database."""
    demanded = await connection.scalar(SHARED)
    if demanded is None:
        raise SchemaMissing(
            f"{where}: the table schema_demand has lost its row, which says who may write; insert"
            f" it again, with the code_revision {CODE_REVISION} of this version"
        )
    if demanded > CODE_REVISION:
        raise CodeOutdated(
            f"{where}: a newer version has migrated the database, and this one would write what is"
            f" wrong there (the schema demands revision {demanded} of the code, this is"
            f" {CODE_REVISION}); nothing was written. Replace this instance by the newer version"
        )
