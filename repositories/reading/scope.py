"""Transactions in which nothing but one provider's rows can be seen.

The service owns its tables, and row-level security does not apply to an owner. So each of these
transactions gives up the owner's rights: it takes the role `claim_analytics_reader`, and names to
the policies whose rows it may see. A query that has forgotten its filter shows no other provider's.
All of it is local to the transaction, so a connection that goes back to the pool, or a session that
a pooler gives to somebody else, keeps nothing of it.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final
from uuid import UUID

from sqlalchemy import Select, String, bindparam, func, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from repositories.errors import DatabaseRefused
from repositories.postgres.connecting import SESSION
from repositories.postgres.database import domain_errors, open_engine
from repositories.postgres.database_url import CurrentUrl

READER: Final = "claim_analytics_reader"
NO_RIGHT = "42501"
PROVIDER: Final = bindparam("provider", type_=String)


class ReadingDatabase:
    """A pool of its own: readers never wait for the service's work, nor that for them.

    `pooled`: behind a pooler in transaction mode. `seconds` is how long a statement may take, and
    how long a reader waits for a connection. Raises ValueError for what is no URL, and what asking
    for it raises.
    """

    def __init__(
        self, url: str | Callable[[], str], *, pooled: bool, pool_size: int, seconds: float
    ) -> None:
        self._url = CurrentUrl(url)
        milliseconds = int(seconds * 1000)
        self._engine = open_engine(
            self._url,
            pooled=pooled,
            statement_timeout_ms=milliseconds,
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=seconds,
        )
        self._scope = _scope(milliseconds, pooled=pooled)

    @asynccontextmanager
    async def scope(self, provider_id: UUID) -> AsyncIterator[AsyncConnection]:
        """A read-only transaction of the provider's rows, of which each statement sees the same
        moment. Raises `RepositoryError`s."""
        with domain_errors(self._url.url, "CLAIM_ANALYTICS_API_POOL_SIZE"):
            async with self._engine.connect() as plain:
                connection = await plain.execution_options(
                    isolation_level="REPEATABLE READ", postgresql_readonly=True
                )
                await self._enter(connection, provider_id)
                yield connection

    async def _enter(self, connection: AsyncConnection, provider_id: UUID) -> None:
        try:
            await connection.execute(self._scope, {PROVIDER.key: str(provider_id)})
        except DBAPIError as error:
            if getattr(error.driver_exception, "sqlstate", None) != NO_RIGHT:
                raise
            raise DatabaseRefused(
                f"{self._url.url.named()}: its user may not take the role {READER}: run"
                " `claim-analytics migrate`, which grants it or says how"
            ) from None

    async def close(self) -> None:
        await self._engine.dispose()


def _scope(milliseconds: int, *, pooled: bool) -> Select[tuple[str, ...]]:
    """Behind a pooler nothing is set for the session, so all that it should have is set here."""
    settings = (SESSION if pooled else {}) | {
        "statement_timeout": str(milliseconds),
        "row_security": "on",
        "role": READER,
    }
    return select(
        *(func.set_config(name, value, True) for name, value in settings.items()),
        func.set_config("app.provider_id", PROVIDER, True),
    )
