"""The service's right to read as `claim_analytics_reader`: a membership that lets it take the role.

Since PostgreSQL 16 not even who created a role may take it without this.
"""

import asyncpg

from repositories.errors import DatabaseUnsuitable
from repositories.postgres.connecting import SESSION, connect
from repositories.postgres.database import domain_errors
from repositories.postgres.database_url import DatabaseUrl
from repositories.reading.scope import READER

MAY = f"SELECT pg_has_role(current_user, '{READER}', 'SET')"
# What it inherited would change nothing: it owns what the role may read.
STATEMENT = f"SELECT format('GRANT {READER} TO %I WITH SET TRUE, INHERIT FALSE', current_user)"


async def require_reader(connection: asyncpg.Connection, url: DatabaseUrl) -> None:
    """Raises DatabaseUnsuitable where the user may not take the role."""
    if not await connection.fetchval(MAY):
        raise DatabaseUnsuitable(
            f"{url.named()}: its user may not read as {READER}, as reading over HTTP is done: run"
            " `claim-analytics migrate`, which grants it or says how"
        )


async def ensure_reader(url: str) -> str | None:
    """Grant it to the user of this URL where that is missing. Where the user may not do that, the
    statement for somebody who may. Raises `RepositoryError`s."""
    database = DatabaseUrl.parse(url)
    connection = await connect(database, SESSION)
    try:
        with domain_errors(database):
            if await connection.fetchval(MAY):
                return None
            statement = str(await connection.fetchval(STATEMENT))
            try:
                await connection.execute(statement)
            except asyncpg.InsufficientPrivilegeError:
                return statement
            return None
    finally:
        connection.terminate()
