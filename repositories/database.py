"""The connection pool, and transactions whose errors are the domain's."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress

import asyncpg
from sqlalchemy import URL, func, make_url, select
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from repositories.errors import DatabaseRefused, DatabaseUnavailable, from_sqlstate

# Compiling plans to machine code takes longer than any statement here runs; a plan made for a
# small batch is wrong for a large one; and the sums of a batch fit in this memory.
SESSION = {
    "application_name": "claim-analytics",
    "jit": "off",
    "plan_cache_mode": "force_custom_plan",
    "work_mem": "64MB",
    "client_min_messages": "warning",
    "timezone": "UTC",
    # An instance that freezes, or whose host is gone, must not keep its locks from the others.
    "idle_in_transaction_session_timeout": "20s",
    "tcp_keepalives_idle": "20",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "4",
}
SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
WITHOUT_LIMITS = select(
    func.set_config("statement_timeout", "0", True),
    func.set_config("idle_in_transaction_session_timeout", "0", True),
)
CONNECT_TIMEOUT_SECONDS = 10
CLOSE_TIMEOUT_SECONDS = 3


def with_driver(url: str) -> URL:
    """A plain `postgresql://…` URL with this service's driver in it.

    Raises ValueError, without quoting the URL, if it is no such URL.
    """
    try:
        parsed = make_url(url)
    except (SQLAlchemyError, ValueError):  # the latter where the port is no number
        raise ValueError("expected postgresql://user:password@host:port/name") from None
    if parsed.drivername not in {"postgresql", "postgres", "postgresql+asyncpg"}:
        raise ValueError(f"expected a postgresql:// URL, not {parsed.drivername}://")
    return parsed.set(drivername="postgresql+asyncpg", query=_encryption(parsed))


def _encryption(url: URL) -> dict[str, str]:
    """`sslmode`, as every PostgreSQL client knows it, under the driver's name for it.

    Other parameters would go to the driver as they are, which does not know them.
    """
    given = {"ssl" if name == "sslmode" else name: str(value) for name, value in url.query.items()}
    if given and (set(given) != {"ssl"} or given["ssl"] not in SSL_MODES):
        raise ValueError(f"after ? it takes sslmode alone, one of {', '.join(SSL_MODES)}")
    return given


class Database:
    """A pool of connections to PostgreSQL; nothing is opened before the first transaction."""

    def __init__(self, url: str, *, pool_size: int = 5, statement_timeout_ms: int = 0) -> None:
        settings = SESSION | {"statement_timeout": str(statement_timeout_ms)}
        self._engine = create_async_engine(
            with_driver(url),
            pool_size=pool_size,
            max_overflow=0,
            hide_parameters=True,  # an error must not show the values of a row
            connect_args={"server_settings": settings, "timeout": CONNECT_TIMEOUT_SECONDS},
        )

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        """Commit at the end, roll back on an error; raises `RepositoryError`s."""
        with domain_errors():
            async with self._engine.begin() as connection:
                yield connection

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[AsyncConnection]:
        """A read-only transaction in which every statement sees the same moment.

        It locks nothing, so it may take as long as it needs: a report's pages, a whole recount.
        """
        with domain_errors():
            async with self._engine.connect() as plain:
                connection = await plain.execution_options(
                    isolation_level="REPEATABLE READ", postgresql_readonly=True
                )
                await connection.execute(WITHOUT_LIMITS)
                yield connection

    async def close(self) -> None:
        """Close all connections, in good order if the server answers."""
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_TIMEOUT_SECONDS):
                await self._engine.dispose()


@contextmanager
def domain_errors() -> Iterator[None]:
    """Turn a driver's errors into the domain's. `from None`: driver texts can quote a row."""
    try:
        yield
    except DBAPIError as error:
        kind = type(error.orig).__name__
        if error.connection_invalidated:
            raise DatabaseUnavailable(f"the connection was lost ({kind})") from None
        raise from_sqlstate(getattr(error.orig, "sqlstate", None), kind) from None
    except asyncpg.PostgresError as error:
        raise from_sqlstate(error.sqlstate, type(error).__name__) from None
    except asyncpg.InterfaceError as error:
        raise from_sqlstate(None, type(error).__name__) from None
    except (OSError, TimeoutError) as error:
        raise DatabaseUnavailable(f"PostgreSQL does not answer ({type(error).__name__})") from None
    except PoolTimeoutError:
        raise DatabaseUnavailable(
            "all connections are taken; raise CLAIM_ANALYTICS_DATABASE_POOL_SIZE"
        ) from None
    except SQLAlchemyError as error:
        raise DatabaseRefused(f"the database layer failed ({type(error).__name__})") from None
