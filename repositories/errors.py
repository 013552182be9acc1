"""What can go wrong in PostgreSQL, in the words of this service.

RepositoryError
├── DatabaseUnavailable      the database is away or busy: the same work succeeds later
├── ConcurrentClaim          two batches brought one claim at once: the same work succeeds now
├── DatabaseBehind           the database lost transactions: read again what they held
├── DatabaseRefused          the database will refuse the same work again
└── SchemaMissing            a table is not there, or not as this version expects it

No message quotes the driver: its texts can hold the values of a row.
"""

RETRIED_SQLSTATES = (
    "08",  # connection exception
    "25006",  # read-only: a standby that has not yet been promoted
    "25P03",  # idle in a transaction for too long: this process was frozen for a while
    "40",  # serialization failure, deadlock
    "53",  # out of disk, memory or connections
    "55006",  # object in use
    "55P03",  # lock not available
    "57",  # shutting down, crashed, starting up, cancelled
    "58",  # input or output error
    "XX000",  # internal: seen while a server is being torn down
)
SCHEMA_SQLSTATES = ("42P01", "42703", "3F000")
LOGIN_SQLSTATES = ("28", "3D000")  # user or password; no such database


class RepositoryError(Exception):
    """Any of them; `retriable` says whether the same work can succeed later."""

    retriable = False


class DatabaseUnavailable(RepositoryError):
    retriable = True


class ConcurrentClaim(RepositoryError):
    retriable = True


class DatabaseBehind(RepositoryError):
    pass


class DatabaseRefused(RepositoryError):
    pass


class SchemaMissing(RepositoryError):
    pass


def from_sqlstate(sqlstate: str | None, kind: str) -> RepositoryError:
    """The domain's error for a driver's error: by its SQLSTATE, and `kind` if it has none."""
    if sqlstate is None:
        return DatabaseUnavailable(f"the connection to PostgreSQL was lost ({kind})")
    if sqlstate.startswith(RETRIED_SQLSTATES):
        return DatabaseUnavailable(f"PostgreSQL cannot serve now (SQLSTATE {sqlstate}, {kind})")
    if sqlstate in SCHEMA_SQLSTATES:
        return SchemaMissing(
            f"a table or column is missing (SQLSTATE {sqlstate}); run `claim-analytics migrate`"
        )
    if sqlstate.startswith(LOGIN_SQLSTATES):
        return DatabaseRefused(
            f"PostgreSQL does not let the service in (SQLSTATE {sqlstate}): look at user, password"
            " and database name in CLAIM_ANALYTICS_DATABASE_URL"
        )
    return DatabaseRefused(f"PostgreSQL refused a statement (SQLSTATE {sqlstate}, {kind})")
