"""Which installation of the service this database is, and which database of which server."""

from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, String, cast, column, func, select, table
from sqlalchemy.dialects.postgresql import insert

from repositories.postgres.database import Database
from repositories.reports.tables import installation


class Identity(NamedTuple):
    """`database` is the server's system identifier and the database's oid.

    A copy of the database has the same installation in another database. (Not a copy of the
    server's whole data directory: that has both, as a standby that was promoted has them.)
    """

    installation: UUID
    database: str


async def identity(database: Database) -> Identity:
    """The first call makes the installation's id."""
    async with database.transaction() as connection:
        await connection.execute(insert(installation).on_conflict_do_nothing())
        row = (await connection.execute(select(installation.c.installation_id, _here()))).one()
    return Identity(*row)


async def known_identity(database: Database) -> Identity | None:
    """As `identity`, changing nothing; None if there is no id yet."""
    async with database.snapshot() as connection:
        found = await connection.execute(select(installation.c.installation_id, _here()))
        row = found.one_or_none()
    return Identity(*row) if row else None


def _here() -> ColumnElement[str]:
    server = select(column("system_identifier", String)).select_from(func.pg_control_system())
    databases = table("pg_database", column("oid"), column("datname"))
    oid = select(databases.c.oid).where(databases.c.datname == func.current_database())
    return func.concat(
        cast(server.scalar_subquery(), String), "/", cast(oid.scalar_subquery(), String)
    )
