"""What can go wrong in PostgreSQL, in the words of this service.

RepositoryError
├── DatabaseUnavailable      the database is away or busy: the same work succeeds later
│   ├── LockNotAvailable     somebody else keeps a lock
│   ├── DatabaseAbsent       no database of this name: being restored, or never there
│   └── NotAdmitted          a password, a certificate or an encryption that one side refuses
│       └── DatabaseSettingWrong  the URL, or a file that it names, cannot be used
├── ConcurrentClaim          two batches brought one claim at once: the same work succeeds now
├── DatabaseBehind           the database lost transactions: read again what they held
├── DatabaseRefused          the database will refuse the same work again
├── DatabaseUnsuitable       the database is not what the service needs (encoding, rights, …)
├── SchemaMissing            a table is not there, or not as this version expects it
└── CodeOutdated             a newer version has migrated the database: this one may not write

No message quotes the driver: its texts can hold the values of a row.
"""

import re

# What passes, each with what it is. The codes are from PostgreSQL's Appendix A.
PASSING = {
    "08000": "the connection failed",
    "08001": "the connection could not be made",
    "08003": "the connection was lost",
    "08004": "the server turned the connection away",
    "08006": "the connection failed",
    "25006": "the server is a standby, or read-only",
    "25P03": "idle within a transaction for too long: this process stood still for a while",
    "25P04": "the transaction took too long (transaction_timeout)",
    "40001": "two transactions collided",
    "40003": "the connection was lost and it is not known whether the statement was completed",
    "40P01": "a deadlock",
    "53000": "the server is short of resources",
    "53100": "the server's disk is full",
    "53200": "the server is out of memory",
    "53300": "too many connections: raise max_connections, or lower"
    " CLAIM_ANALYTICS_DATABASE_POOL_SIZE",
    "55006": "something is in use",
    "57014": "the statement was cancelled, or took longer than"
    " CLAIM_ANALYTICS_DATABASE_STATEMENT_SECONDS",
    "57P01": "the server is shutting down",
    "57P02": "the server crashed",
    "57P03": "the server is starting up or shutting down",
    "57P05": "the connection was idle for too long",
    "58000": "a fault of the server's system",
    "58030": "the server's disk failed to read or write",
}
# They pass if they ended the connection, and are final on one that lives on.
PASSING_WITH_THE_CONNECTION = {
    "08P01": "the pooler has no server for this connection",
    "55000": "the database takes no connections at the moment",
    "XX000": "the server failed",
}
# Tied to the connection, or to the server that it goes to: another one may do.
CONNECTION_SQLSTATES = (
    "08000", "08001", "08003", "08004", "08006", "25006", "53300", "57P01", "57P02", "57P03",
    "57P04", "57P05",
)  # fmt: skip
ABSENT_SQLSTATES = ("3D000", "57P04")
SCHEMA_SQLSTATES = ("42P01", "42703", "3F000")
NOT_ADMITTED = {
    "28000": "this user is not let in from here, or only with TLS, or with a client's certificate"
    " (pg_hba.conf, sslmode, sslcert): look at CLAIM_ANALYTICS_DATABASE_URL",
    "28P01": "wrong user or password in CLAIM_ANALYTICS_DATABASE_URL",
}
# What 28000 is about stands in the server's text alone; in another language it stays open.
ADMISSION_REFUSALS = {
    "no encryption": "pg_hba.conf has no line that lets this user in from here without TLS: add"
    " ?sslmode=verify-full to CLAIM_ANALYTICS_DATABASE_URL, or the line",
    "no pg_hba.conf entry": "pg_hba.conf has no line that lets this user in from here",
    "requires a valid client certificate": "this user is let in with a client's certificate alone:"
    " name it with sslcert and sslkey in CLAIM_ANALYTICS_DATABASE_URL",
    "certificate authentication failed": "the client's certificate (sslcert) is made out to another"
    " user",
    "does not exist": "there is no such user: look at CLAIM_ANALYTICS_DATABASE_URL",
    "not permitted to log in": "this user may not log in (ALTER ROLE … LOGIN)",
}
FINAL = {
    "42501": "this user lacks a right, or row-level security would hide rows from it: connect as"
    " the owner of the tables",
    "08P01": "the server does not speak PostgreSQL's protocol as expected",
    "53400": "a limit of the server's configuration is too low",
    "XX001": "the server found damaged data",
    "XX002": "the server found a damaged index",
}
# PgBouncer before 1.19 says everything with 08P01, so its few final words tell them apart.
POOLER_REFUSALS = {
    "unsupported startup parameter": "the pooler refuses the startup parameter{name}: add it to"
    " its ignore_startup_parameters",
    "no such database": "the pooler has no such database: look at the name in"
    " CLAIM_ANALYTICS_DATABASE_URL",
    "no such user": NOT_ADMITTED["28P01"],
    "authentication failed": NOT_ADMITTED["28P01"],
    "SSL required": "the server takes TLS alone: add ?sslmode=verify-full to"
    " CLAIM_ANALYTICS_DATABASE_URL",
    "statement pooling mode": "the pooler is in statement mode, which knows no transactions: give"
    " this user pool_mode=session",
}
PARAMETER = re.compile(r"unsupported startup parameter(?: in options)?:( [a-z_]+)")


class RepositoryError(Exception):
    """Any of them; `retriable` says whether the same work can succeed later."""

    retriable = False


class DatabaseUnavailable(RepositoryError):
    retriable = True


class LockNotAvailable(DatabaseUnavailable):
    pass


class DatabaseAbsent(DatabaseUnavailable):
    """To wait for in the middle of the work, and to end with at the start of it."""


class NotAdmitted(DatabaseUnavailable):
    """As DatabaseAbsent: a password that is changed is wrong on one of both sides for a while."""


class DatabaseSettingWrong(NotAdmitted):
    pass


class ConcurrentClaim(RepositoryError):
    retriable = True


class DatabaseBehind(RepositoryError):
    pass


class DatabaseRefused(RepositoryError):
    pass


class DatabaseUnsuitable(RepositoryError):
    pass


class SchemaMissing(RepositoryError):
    pass


class CodeOutdated(RepositoryError):
    pass


def from_sqlstate(
    sqlstate: str | None, kind: str, where: str = "PostgreSQL", *, lost: bool = False
) -> RepositoryError:
    """The domain's error for a driver's error: by its SQLSTATE, and `kind` if it has none.

    `where` names server and database; `lost` says that the error ended the connection.
    """
    if sqlstate is None:
        if lost:
            return DatabaseUnavailable(f"{where}: the connection was lost ({kind})")
        return DatabaseRefused(f"{where}: the driver refused a statement ({kind})")
    code = f"(SQLSTATE {sqlstate})"
    if sqlstate == "55P03":
        return LockNotAvailable(f"{where}: somebody else keeps a lock {code}")
    if sqlstate in ABSENT_SQLSTATES:
        return DatabaseAbsent(
            f"{where}: there is no database of this name {code}: create it, or mend the name in"
            " CLAIM_ANALYTICS_DATABASE_URL"
        )
    if sqlstate in SCHEMA_SQLSTATES:
        return SchemaMissing(
            f"{where}: a table or column is missing {code}; run `claim-analytics migrate`"
        )
    if sqlstate in NOT_ADMITTED:
        return NotAdmitted(f"{where}: {NOT_ADMITTED[sqlstate]} {code}")
    passing = PASSING | (PASSING_WITH_THE_CONNECTION if lost else {})
    if sqlstate in passing:
        return DatabaseUnavailable(f"{where}: {passing[sqlstate]} {code}")
    why = FINAL.get(sqlstate, f"a statement was refused, {kind}")
    return DatabaseRefused(f"{where}: {why} {code}")


def pooler_refusal(text: str, where: str) -> RepositoryError | None:
    """The domain's error for an 08P01 that no waiting helps, by what PgBouncer always says then.

    Nothing of the text gets out but a parameter's name.
    """
    for words, why in POOLER_REFUSALS.items():
        if words in text:
            found = PARAMETER.search(text)
            name = found[1] if found else ""
            return NotAdmitted(f"{where}: {why.format(name=name)} (SQLSTATE 08P01)")
    return None


def admission_refusal(text: str, where: str) -> RepositoryError | None:
    """The domain's error for a 28000, by what PostgreSQL says in English, of which nothing
    gets out."""
    for words, why in ADMISSION_REFUSALS.items():
        if words in text:
            return NotAdmitted(f"{where}: {why} (SQLSTATE 28000)")
    return None
