"""PostgreSQL as the doctor sees it: reachable, suited, migrated; and its clock."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from repositories.errors import DatabaseUnavailable, RepositoryError
from repositories.postgres.database import Database
from repositories.postgres.database_url import DatabaseUrl
from repositories.postgres.requirements import (
    inspection,
    require_same_database,
    require_usable,
    revision_of,
)
from service.checks.clock import MOST_SECONDS_OFF, seconds_ahead
from service.checks.database_check import LOOK_SECONDS
from service.operations.doctor.findings import Finding, fine, wrong
from service.settings import PREFIX, Settings

AREA, CLOCK = "PostgreSQL", "clock"


async def look_at_database(settings: Settings) -> Sequence[Finding]:
    """All that `check_database` looks at, and it does not end with the first fault."""
    from migrations.commands import head, require_head  # noqa: PLC0415  # see check_database

    direct = DatabaseUrl.parse(settings.session_url)
    try:
        async with asyncio.timeout(LOOK_SECONDS), inspection(direct) as connection:

            async def migrated() -> None:
                require_head(await revision_of(connection))

            async def one_database() -> None:
                pooled = DatabaseUrl.parse(settings.database_url.get_secret_value())
                await require_same_database(connection, pooled)

            async def usable() -> None:
                await require_usable(connection, direct)

            looks: list[Callable[[], Awaitable[None]]] = [usable, migrated]
            if settings.database_direct_url is not None:
                looks.append(one_database)
            found = [wrong(AREA, str(error)) for look in looks if (error := await _error(look))]
    except TimeoutError:
        return [wrong(AREA, f"{direct.named()}: no answer within {LOOK_SECONDS} seconds")]
    except RepositoryError as error:
        return [wrong(AREA, told(error))]
    return found or [fine(AREA, f"{direct.named()}: the schema is at revision {head()}")]


async def _error(look: Callable[[], Awaitable[None]]) -> RepositoryError | None:
    try:
        await look()
    except RepositoryError as error:
        return error
    return None


def told(error: RepositoryError) -> str:
    if isinstance(error, DatabaseUnavailable):
        return f"{error}. Is it up, and is {PREFIX}DATABASE_URL right?"
    return str(error)


async def look_at_clock(database: Database) -> Sequence[Finding]:
    ahead = await seconds_ahead(database)
    if abs(ahead) <= MOST_SECONDS_OFF:
        return [fine(CLOCK, "this machine's agrees with the database's")]
    side = "ahead of" if ahead > 0 else "behind"
    said = (
        f"this machine's is {abs(ahead):,.0f} seconds {side} the database's, which decides about"
        " reports: set both by NTP"
    )
    return [wrong(CLOCK, said)]
