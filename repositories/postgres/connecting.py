"""A connection to PostgreSQL, through the driver alone; every fault by its own name."""

import os
import re
import socket
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import asyncpg

from repositories.errors import (
    CONNECTION_SQLSTATES,
    DatabaseSettingWrong,
    DatabaseUnavailable,
    NotAdmitted,
    RepositoryError,
    admission_refusal,
    from_sqlstate,
    pooler_refusal,
)
from repositories.postgres.database_url import TLS_MODES, DatabaseUrl, Host

# Compiling plans to machine code takes longer than any statement here runs; a plan made for a
# small batch is wrong for a large one; and the sums of a batch fit in this memory.
SESSION = {
    "jit": "off",
    "plan_cache_mode": "force_custom_plan",
    "work_mem": "64MB",
    "client_min_messages": "warning",
    "timezone": "UTC",
    "row_security": "off",  # a role that rows are hidden from is refused, and sees no half
    # An instance that freezes, or whose host is gone, must not keep its locks from the others.
    "idle_in_transaction_session_timeout": "20s",
    "tcp_keepalives_idle": "20",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "4",
}
# OpenSSL's codes of X509_verify_cert_error_string.
CERTIFICATE_FAULTS = {
    9: "is not valid yet: compare the clocks",
    10: "has expired",
    62: "is for another host name than the URL's",
    63: "is for another address than the URL's",
    64: "is for another address than the URL's",
}
# What the driver says of a connection that was lost or broken off while it was at work.
OF_NO_USE = re.compile("another operation|is closed")
UNTRUSTED = "is signed by no authority that is trusted here: look at sslrootcert"


class PooledConnection(asyncpg.Connection):  # type: ignore[misc]  # asyncpg has no types
    """Behind a pooler in transaction mode, where only a transaction stays on one server."""

    async def set_type_codec(self, *arguments: Any, **options: Any) -> None:
        async with self.transaction():
            await super().set_type_codec(*arguments, **options)


async def connect(
    url: DatabaseUrl, settings: Mapping[str, str], *, pooled: bool = False
) -> asyncpg.Connection:
    """A new connection to the first of the URL's servers that will do.

    `settings` are made for the session, after connecting, because a pooler refuses most of them
    as startup parameters. `pooled`: no two transactions are on one session, so nothing is set, and
    statements get no names. Raises RepositoryErrors, which name the server.
    """
    errors = []
    for host in url.hosts:
        try:
            return await _connect(url, host, {} if pooled else settings, pooled=pooled)
        except NotAdmitted:
            raise
        except DatabaseUnavailable as error:
            errors.append(error)
    if len(errors) == 1:
        raise errors[0]
    raise DatabaseUnavailable("; ".join(str(error) for error in errors))


async def _connect(
    url: DatabaseUrl, host: Host, settings: Mapping[str, str], *, pooled: bool
) -> asyncpg.Connection:
    options: dict[str, Any] = {
        "host": host.name,
        "port": host.port,
        "user": url.user,
        "password": url.password,
        "database": url.database,
        "timeout": url.connect_timeout,
        "ssl": _encryption(url),
        "target_session_attrs": url.target_session_attrs,
        "server_settings": {
            "application_name": url.parameters.get("application_name", "claim-analytics")
        },
    }
    if pooled:
        options |= {"connection_class": PooledConnection, "statement_cache_size": 0}
    with connection_errors(url, host):
        try:
            connection = await asyncpg.connect(**options)
        except (asyncpg.ConnectionDoesNotExistError, ConnectionResetError, BrokenPipeError):
            await _look_at_refusal(options, url.named(host))
            raise
        try:
            if settings:
                made = "; ".join(f"SET {name} = '{value}'" for name, value in settings.items())
                await connection.execute(made, timeout=url.connect_timeout)
        except BaseException:  # also where the caller is cancelled: nobody else would close it
            connection.terminate()
            raise
    return connection


async def _look_at_refusal(options: Mapping[str, Any], where: str) -> None:
    """Raises NotAdmitted if the server closes connections over this client's certificate.

    In TLS 1.3 it looks at that once the client is through, which then meets a closed connection and
    no reason; in TLS 1.2 it does before, and says why.
    """
    context = options["ssl"]
    if not isinstance(context, ssl.SSLContext):
        return
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    try:
        (await asyncpg.connect(**options)).terminate()
    except ssl.SSLError as error:
        reason = error.reason or ""
        if "ALERT" in reason and "VERSION" not in reason:
            raise NotAdmitted(
                f"{where}: the server refuses the certificate of this client, or wants one and is"
                f" given none ({reason}): look at sslcert and sslkey"
            ) from None
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
        return  # what was met first counts


def _encryption(url: DatabaseUrl) -> ssl.SSLContext | str | None:
    """What the driver takes for `sslmode`. Files that it names are read for each connection, so
    that a certificate can be renewed while the service runs."""
    mode = url.parameters.get("sslmode") or os.environ.get("PGSSLMODE")
    if mode not in TLS_MODES:
        return mode
    authority, certificate, key = (
        url.parameters.get(name) or os.environ.get(f"PG{name.upper()}")
        for name in ("sslrootcert", "sslcert", "sslkey")
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = mode == "verify-full"
    if authority:
        with _file_errors("sslrootcert", authority):
            context.load_verify_locations(authority)
    elif mode == "require":
        context.verify_mode = ssl.CERT_NONE
    else:
        context.load_default_certs()
    if certificate:
        with _file_errors("sslcert, sslkey", f"{certificate}, {key or certificate}"):
            # Without a password a key that has one would be asked for on the terminal.
            context.load_cert_chain(certificate, key, password=lambda: "")
    return context


@contextmanager
def _file_errors(parameter: str, path: str) -> Iterator[None]:
    name = f"{parameter} in CLAIM_ANALYTICS_DATABASE_URL, {path}"
    try:
        yield
    except ssl.SSLError:
        raise DatabaseSettingWrong(
            f"{name}: no usable certificate or key in PEM form (a key must have no password, and"
            " fit its certificate)"
        ) from None
    except OSError as error:
        raise DatabaseSettingWrong(f"{name}: {error.strerror}") from None


@contextmanager
def connection_errors(url: DatabaseUrl, host: Host) -> Iterator[None]:
    """Around the driver's calls that open a connection."""
    where = url.named(host)
    try:
        yield
    except ssl.SSLError as error:
        raise _tls_error(error, where) from None
    except OSError as error:
        raise _network_error(error, url, where) from None
    except asyncpg.ConnectionDoesNotExistError:
        raise DatabaseUnavailable(f"{where}: it closed the connection at once") from None
    except (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError) as error:
        raise driver_error(error, where, lost=True) from None


def _tls_error(error: ssl.SSLError, where: str) -> RepositoryError:
    if isinstance(error, ssl.SSLCertVerificationError):
        why = CERTIFICATE_FAULTS.get(error.verify_code, UNTRUSTED)
        return NotAdmitted(f"{where}: the server's certificate {why}")
    if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return DatabaseUnavailable(f"{where}: the connection was lost ({type(error).__name__})")
    return NotAdmitted(f"{where}: TLS could not be agreed on ({error.reason})")


def _network_error(error: OSError, url: DatabaseUrl, where: str) -> RepositoryError:
    if "rejected SSL upgrade" in str(error):
        mode = url.parameters.get("sslmode", os.environ.get("PGSSLMODE"))
        return NotAdmitted(f"{where}: the server does not speak TLS, which sslmode={mode} asks for")
    if isinstance(error, TimeoutError):
        return DatabaseUnavailable(f"{where}: no answer within {url.connect_timeout} seconds")
    if isinstance(error, ConnectionRefusedError):
        return DatabaseUnavailable(f"{where}: nothing listens there")
    if isinstance(error, socket.gaierror):
        return DatabaseUnavailable(f"{where}: the host's name is not known")
    return DatabaseUnavailable(f"{where}: it does not answer ({type(error).__name__})")


def driver_error(error: Exception, where: str, *, lost: bool = False) -> RepositoryError:
    """The domain's error for one of the driver's own; `lost`: the connection is gone with it."""
    if isinstance(error, asyncpg.ConnectionDoesNotExistError) and isinstance(
        error.__cause__, asyncpg.PostgresError
    ):
        return driver_error(error.__cause__, where, lost=True)  # the server's last word
    if isinstance(error, asyncpg.TargetServerAttributeNotMatched):
        return DatabaseUnavailable(
            f"{where}: the server is not as target_session_attrs asks (a standby, or read-only)"
        )
    if isinstance(error, asyncpg.InvalidCachedStatementError | asyncpg.OutdatedSchemaCacheError):
        return DatabaseUnavailable(f"{where}: the schema was changed just now")
    if isinstance(error, asyncpg.ProtocolViolationError) and (
        refusal := pooler_refusal(str(error), where)
    ):
        return refusal
    sqlstate, kind = getattr(error, "sqlstate", None), type(error).__name__
    if sqlstate == "28000" and (refusal := admission_refusal(str(error), where)):
        return refusal
    return from_sqlstate(sqlstate, kind, where, lost=lost or ends_connection(error))


def ends_connection(error: Exception) -> bool:
    """Whether the connection is of no use after it, though its socket may be open still."""
    return (
        getattr(error, "severity_en", None) in {"FATAL", "PANIC"}
        or getattr(error, "sqlstate", None) in CONNECTION_SQLSTATES
        or isinstance(error, asyncpg.InternalClientError)  # in the middle of what is not known
        or (isinstance(error, asyncpg.InterfaceError) and OF_NO_USE.search(str(error)) is not None)
    )


def is_encrypted(connection: asyncpg.Connection) -> bool:
    """Whether it goes through TLS; the driver has no public word for it."""
    return bool(connection._protocol.is_ssl)  # noqa: SLF001  # asyncpg tells it nowhere else
