"""PostgreSQL as the doctor sees it: reachable, suited, migrated; and its clock."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Any

from migrations.revisions import head, require_head
from repositories.errors import DatabaseUnavailable, NotAdmitted, RepositoryError
from repositories.postgres.database import Database
from repositories.postgres.database_url import DatabaseUrl
from repositories.postgres.requirements import (
    inspection,
    require_same_database,
    require_usable,
    revision_of,
)
from repositories.reading.grant import require_reader
from service.checks.clock import MOST_SECONDS_OFF, seconds_ahead
from service.checks.database_check import LOOK_SECONDS
from service.operations.doctor.findings import Finding, fine, wrong
from service.settings import PREFIX, Settings

AREA, CLOCK = "PostgreSQL", "clock"
Connection = Any  # the driver's, which is not this floor's to know
Look = Callable[[Connection], Awaitable[None]]


async def look_at_database(settings: Settings) -> Sequence[Finding]:
    """All that `check_database` looks at, and it does not end with the first fault."""
    direct = DatabaseUrl.parse(settings.session_url)
    found: list[Finding] = []
    try:
        async with asyncio.timeout(LOOK_SECONDS), inspection(direct) as connection:
            for look in _looks(settings, direct):
                found += await _fault(look(connection))
    except TimeoutError:
        found.append(wrong(AREA, f"{direct.named()}: no answer within {LOOK_SECONDS} seconds"))
    except RepositoryError as error:  # what ends the connection, or the transaction on it
        found.append(wrong(AREA, told(error)))
    return found or [fine(AREA, f"{direct.named()}: the schema is at revision {head()}")]


def _looks(settings: Settings, direct: DatabaseUrl) -> Iterator[Look]:
    async def usable(connection: Connection) -> None:
        await require_usable(connection, direct)

    async def migrated(connection: Connection) -> None:
        require_head(await revision_of(connection))

    async def one_database(connection: Connection) -> None:
        pooled = DatabaseUrl.parse(settings.database_url.get_secret_value())
        await require_same_database(connection, pooled)

    async def readable(connection: Connection) -> None:
        await require_reader(connection, direct)

    yield usable
    yield migrated
    if settings.api_issuer:
        yield readable
    if settings.database_direct_url is not None:
        yield one_database


async def _fault(looking: Awaitable[None]) -> Sequence[Finding]:
    try:
        await looking
    except RepositoryError as error:
        return [wrong(AREA, str(error))]
    return ()


def told(error: RepositoryError) -> str:
    if isinstance(error, DatabaseUnavailable) and not isinstance(error, NotAdmitted):
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
