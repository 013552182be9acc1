"""What can go wrong in PostgreSQL, in the words of this service.

RepositoryError
├── DatabaseUnavailable      the database is away or busy: the same work succeeds later
├── ConcurrentClaim          two batches brought one claim at once: the same work succeeds now
├── DatabaseRefused          the database will refuse the same work again
└── SchemaMissing            a table is not there, or not as this version expects it

No message quotes the driver: its texts can hold the values of a row.
"""

RETRIED_SQLSTATES = (
    "08",  # connection exception
    "25006",  # read-only: a standby that has not yet been promoted
    "40",  # serialization failure, deadlock
    "53",  # out of disk, memory or connections
    "55006",  # object in use
    "55P03",  # lock not available
    "57",  # shutting down, crashed, starting up, cancelled
    "58",  # input or output error
    "XX000",  # internal: seen while a server is being torn down
)
SCHEMA_SQLSTATES = ("42P01", "42703", "3F000")


class RepositoryError(Exception):
    """Any of them; `retriable` says whether the same work can succeed later."""

    retriable = False


class DatabaseUnavailable(RepositoryError):
    retriable = True


class ConcurrentClaim(RepositoryError):
    retriable = True


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
    return DatabaseRefused(f"PostgreSQL refused a statement (SQLSTATE {sqlstate}, {kind})")
