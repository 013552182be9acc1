"""The connection pool, and transactions whose errors are the domain's."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any, NamedTuple, cast

import asyncpg
from sqlalchemy import event, func, select
from sqlalchemy.engine.interfaces import ExceptionContext
from sqlalchemy.exc import DBAPIError, EmulatedDBAPIException, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool, QueuePool

from repositories.errors import DatabaseRefused, DatabaseUnavailable
from repositories.postgres.connecting import SESSION, connect, driver_error, ends_connection
from repositories.postgres.database_url import CurrentUrl, DatabaseUrl
from repositories.postgres.schema_demand import require_current_code
from repositories.postgres.waiting import note_backend, under_way

WITHOUT_LIMITS = select(
    func.set_config("statement_timeout", "0", True),
    func.set_config("idle_in_transaction_session_timeout", "0", True),
)
CLOSE_TIMEOUT_SECONDS = 3


def open_engine(
    current: CurrentUrl, *, pooled: bool = False, statement_timeout_ms: int = 0, **options: Any
) -> AsyncEngine:
    """SQLAlchemy over `connect`, which asks anew for the URL each time. Nothing is opened yet;
    `options` are `create_async_engine`'s."""
    settings = SESSION | {"statement_timeout": str(statement_timeout_ms)}

    async def connection() -> asyncpg.Connection:
        return await connect(current.renewed(), settings, pooled=pooled)

    engine = create_async_engine(
        "postgresql+asyncpg://",
        hide_parameters=True,  # an error must not show the values of a row
        # Named in every BEGIN: what locks first and reads then is wrong at a level above it,
        # which the database may have for a default.
        isolation_level="READ COMMITTED",
        connect_args={
            "async_creator_fn": connection,
            "prepared_statement_cache_size": 0 if pooled else 100,
        },
        **options,
    )
    event.listen(engine.sync_engine, "handle_error", _give_up_connection)
    return engine


def _give_up_connection(context: ExceptionContext) -> None:
    """What is tied to a connection, whose socket may be as good as ever, goes with it: all
    connections are made anew, since after a switchover all of them go to the wrong server."""
    error = context.original_exception
    if isinstance(error, EmulatedDBAPIException) and ends_connection(error.driver_exception):
        context.is_disconnect = True


class PoolUse(NamedTuple):
    """How many connections of a pool are in use, and how many it may have."""

    in_use: int
    size: int


class Database:
    """A pool of connections to PostgreSQL; nothing is opened before the first transaction.

    With `direct_url`, `url` may lead to a pooler in transaction mode: what needs a session of its
    own takes the other way. Either may be what gives the URL: it is asked for each connection.
    Raises ValueError for what is no URL, and what asking raises.
    """

    def __init__(
        self,
        url: str | Callable[[], str],
        *,
        direct_url: str | Callable[[], str] | None = None,
        pool_size: int = 5,
        statement_timeout_ms: int = 0,
    ) -> None:
        self._url = CurrentUrl(url)
        self._direct_url = CurrentUrl(direct_url or url)
        self._pooled = direct_url is not None
        self._engine = open_engine(
            self._url,
            pooled=self._pooled,
            statement_timeout_ms=statement_timeout_ms,
            pool_size=pool_size,
            max_overflow=0,
        )
        self._settings = select(
            *(func.set_config(name, value, True) for name, value in SESSION.items()),
            func.set_config("statement_timeout", str(statement_timeout_ms), True),
        )

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        """Commit at the end, roll back on an error; raises `RepositoryError`s, CodeOutdated before
        anything else if this code is too old to write here.

        What else is raised in the block is raised from it as it is.
        """
        with under_way(self), domain_errors(self._url.url):
            async with self._engine.begin() as connection:
                await note_backend(connection)
                await self._prepare(connection)
                await require_current_code(connection, self._url.url.named())
                yield connection

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[AsyncConnection]:
        """A read-only transaction in which every statement sees the same moment.

        It locks nothing, so it may take as long as it needs: a report's pages, a whole recount.
        """
        with under_way(self), domain_errors(self._url.url):
            async with self._engine.connect() as plain:
                connection = await plain.execution_options(
                    isolation_level="REPEATABLE READ", postgresql_readonly=True
                )
                await note_backend(connection)
                await self._prepare(connection)
                await connection.execute(WITHOUT_LIMITS)
                yield connection

    async def _prepare(self, connection: AsyncConnection) -> None:
        if self._pooled:
            await connection.execute(self._settings)

    @asynccontextmanager
    async def session(self) -> AsyncIterator[asyncpg.Connection]:
        """The driver's own connection, for LISTEN and the like; it takes no place in the pool.

        Raises `RepositoryError`s; the driver's own errors in the block become such too.
        """
        url = self._direct_url.renewed()
        connection = await connect(url, SESSION)
        try:
            with domain_errors(url):
                yield connection
        finally:
            connection.terminate()  # a server that is gone would let `close` wait

    @asynccontextmanager
    async def own_session(self) -> AsyncIterator[AsyncConnection]:
        """A connection outside the pool and past a pooler, closed at the end with whatever is
        temporary in it. Raises `RepositoryError`s."""
        engine = open_engine(self._direct_url, poolclass=NullPool)
        try:
            with domain_errors(self._direct_url.url):
                async with engine.connect() as connection:
                    yield connection
        finally:
            await engine.dispose()

    @property
    def all_taken(self) -> bool:
        """Whether every connection that the pool may have is in use."""
        return self.pool_use.in_use >= self.pool_use.size

    @property
    def pool_use(self) -> PoolUse:
        """From any thread."""
        pool = cast(QueuePool, self._engine.pool)
        return PoolUse(pool.checkedout(), pool.size())

    async def close(self) -> None:
        """Close all connections, in good order if the server answers."""
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_TIMEOUT_SECONDS):
                await self._engine.dispose()


@contextmanager
def domain_errors(
    url: DatabaseUrl, pool_size: str = "CLAIM_ANALYTICS_DATABASE_POOL_SIZE"
) -> Iterator[None]:
    """Turn the driver's own errors into the domain's. `from None`: their texts can quote a row.
    `pool_size`: the setting to be named where all connections of the pool are taken.

    None that others raise too, such as OSError: those are translated where the driver is called.
    """
    where = url.named()
    try:
        yield
    except DBAPIError as error:
        lost = error.connection_invalidated
        raise driver_error(error.driver_exception, where, lost=lost) from None
    except (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError) as error:
        raise driver_error(error, where) from None
    except PoolTimeoutError:
        raise DatabaseUnavailable(f"all connections are taken; raise {pool_size}") from None
    except SQLAlchemyError as error:
        raise DatabaseRefused(f"the database layer failed ({type(error).__name__})") from None
