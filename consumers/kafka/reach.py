"""Whether Kafka can be reached and lets this client in; and if not, which of the many reasons.

The client itself hides the reason: it tells its log, and raises that it cannot connect. So before
a client is made its bootstrap servers are asked here, one request each.
"""

import asyncio
import functools
import logging
import random
import socket
import ssl
from collections.abc import AsyncIterator, Coroutine, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from ipaddress import ip_address
from typing import Any, TypeVar

from aiokafka import errors as kafka
from aiokafka.conn import create_conn, get_ip_port_afi
from aiokafka.protocol.admin import SaslHandShakeRequest
from aiokafka.protocol.metadata import MetadataRequest

from consumers.kafka.connection import SETTING, KafkaConnection, SecurityFileUnusable
from consumers.kafka.faults import KafkaUnreachable
from consumers.kafka.renewal import BrokerConnection

log = logging.getLogger(__name__)

Result = TypeVar("Result")

ANSWER_SECONDS = 8.0
CROSS_CHECK_SECONDS = 2.0  # for what else may be listening there
GOODBYE_SECONDS = 1.0
ADVERTISED_AT_MOST = 3  # brokers that are asked, where the first sends its clients on to others
IS_IT_UP = f"Is it up, and is {SETTING}BOOTSTRAP_SERVERS right?"
# What says by itself what is wrong, and whether that is permanent.
PLAIN_FAULTS: tuple[tuple[type[Exception], bool, str], ...] = (
    (
        kafka.SaslAuthenticationFailed,
        True,
        f"refuses the user or the password: look at {SETTING}SASL_USERNAME and …SASL_PASSWORD.",
    ),
    (
        kafka.UnsupportedSaslMechanismError,
        True,
        f"does not take this way to log in: set {SETTING}SASL_MECHANISM to one that it offers.",
    ),
    (
        kafka.IllegalSaslStateError,
        True,
        f"takes no user at this port: set {SETTING}SECURITY_PROTOCOL to PLAINTEXT or SSL.",
    ),
    (socket.gaierror, False, f"cannot be looked up: its name has no address. {IS_IT_UP}"),
    (UnicodeError, True, f"cannot be looked up: that is no name of a host. {IS_IT_UP}"),
    (ConnectionRefusedError, False, f"refuses connections: nothing listens there. {IS_IT_UP}"),
)
WRONG_NAME = {62, 64}  # OpenSSL's X509_V_ERR_HOSTNAME_MISMATCH, …_IP_ADDRESS_MISMATCH
NO_AUTHORITY = {2, 18, 19, 20, 21}  # and those for an issuer that is missing or not trusted


async def reachable(connection: KafkaConnection) -> KafkaConnection:
    """The same, with one bootstrap server, which answers and lets this client in.

    All are asked at once, so that one that hangs costs nothing; those that answer must send
    clients on to a broker that answers too. Raises KafkaUnreachable, within ten seconds.
    """
    servers = [server.strip() for server in connection.bootstrap_servers.split(",")]
    _warn_in_the_clear(connection.encrypted, tuple(servers))
    server = await _first(_bootstrap(connection, server) for server in servers)
    return replace(connection, bootstrap_servers=server)


async def _bootstrap(connection: KafkaConnection, server: str) -> str:
    brokers = await _Broker(connection, server).addresses()
    if brokers and server not in brokers:
        # Some of them, and others with the next attempt: a cluster may be large, and half down.
        some = random.sample(brokers, min(len(brokers), ADVERTISED_AT_MOST))
        try:
            await _first(_Broker(connection, each).addresses() for each in some)
        except KafkaUnreachable as error:
            raise KafkaUnreachable(
                f"Kafka at {server} sends its clients on to another address (advertised.listeners)."
                f" {error}",
                permanent=error.permanent,
            ) from None
    return server


async def _first(attempts: Iterable[Coroutine[Any, Any, Result]]) -> Result:
    """What the first that succeeds returns; if none does, their faults are raised as one."""
    tasks = [asyncio.create_task(attempt) for attempt in attempts]
    faults: list[KafkaUnreachable] = []
    try:
        for ended in asyncio.as_completed(tasks):
            try:
                return await ended
            except KafkaUnreachable as fault:
                faults.append(fault)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    whys = dict.fromkeys(str(fault) for fault in faults)
    raise KafkaUnreachable(" ".join(whys), permanent=any(fault.permanent for fault in faults))


@dataclass(frozen=True)
class _Broker:
    """A broker's address, and how this client means to talk to it."""

    connection: KafkaConnection
    server: str

    async def addresses(self) -> list[str]:
        """Those of the cluster's brokers, as it advertises them. Raises KafkaUnreachable."""
        try:
            async with asyncio.timeout(ANSWER_SECONDS), self._connected() as link:
                metadata = await link.send(MetadataRequest([]))
        except SecurityFileUnusable as error:
            raise KafkaUnreachable(str(error), permanent=True) from None
        except KafkaUnreachable:  # over a file, too
            raise
        except (OSError, UnicodeError, kafka.KafkaError) as error:
            raise await self._fault(error) from None
        return [
            f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
            for _, host, port, *_ in metadata.brokers
        ]

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[BrokerConnection]:
        """Past versions, TLS and log in; what this raises is the client's own."""
        host, port, _ = get_ip_port_afi(self.server)
        link = BrokerConnection(host, port, **self.connection.broker_options())
        farewell = GOODBYE_SECONDS
        try:
            await link.connect()
            yield link
        except (OSError, asyncio.CancelledError):
            farewell = 0.0  # no connection was made, or nobody waits for its end
            raise
        finally:
            await asyncio.wait(
                {link.close()}, timeout=farewell
            )  # TLS takes leave of the other side

    async def _fault(self, error: Exception) -> KafkaUnreachable:
        """What is wrong. Where the error leaves it open, the port is tried in other ways."""
        if isinstance(error, ssl.SSLCertVerificationError):
            return self._wrong_certificate(error)
        with_token = self.connection.sasl_mechanism == "OAUTHBEARER"
        if with_token and isinstance(error, kafka.SaslAuthenticationFailed):
            return self._says(
                f"refuses the token: look at {SETTING}OAUTH_TOKEN_FILE, and when it expires.",
                permanent=True,
            )
        for kind, permanent, what in PLAIN_FAULTS:
            if isinstance(error, kind):
                return self._says(what, permanent=permanent)
        if mismatch := await self._mismatch(error):
            return self._says(mismatch, permanent=True)
        if isinstance(error, TimeoutError):
            return self._says(f"does not answer. {IS_IT_UP}")
        name = getattr(error, "reason", None) or type(error).__name__
        return self._says(f"breaks off what is asked of it ({name}). {IS_IT_UP}")

    def _says(self, what: str, *, permanent: bool = False) -> KafkaUnreachable:
        return KafkaUnreachable(f"Kafka at {self.server} {what}", permanent=permanent)

    def _wrong_certificate(self, error: ssl.SSLCertVerificationError) -> KafkaUnreachable:
        if error.verify_code in WRONG_NAME:
            what = (
                "has a certificate that is made out to another name: name the broker in"
                f" {SETTING}BOOTSTRAP_SERVERS as its certificate does."
            )
        elif error.verify_code in NO_AUTHORITY:
            trusted = self.connection.cafile or "the system's certificates"
            what = (
                f"has a certificate of an authority that is not in {trusted}: set"
                f" {SETTING}SSL_CAFILE to the file with the authority's own."
            )
        else:
            what = f"has a certificate that is not valid: {error.verify_message}."
        return self._says(what, permanent=True)

    async def _mismatch(self, error: Exception) -> str | None:
        """Where one side speaks TLS or expects a user and the other does not."""
        protocol, servers = f"{SETTING}SECURITY_PROTOCOL", f"{SETTING}BOOTSTRAP_SERVERS"
        alert = getattr(error.__cause__, "reason", None) or ""  # of the TLS library, if it is one
        if "CERTIFICATE" in alert or "CA" in alert:
            return (
                "refuses the certificate of this client, or wants one and is given none: look at"
                f" {SETTING}SSL_CERTFILE and {SETTING}SSL_KEYFILE."
            )
        if self.connection.encrypted and await self._answers_in_the_clear():
            return (
                f"speaks no TLS at this port: set {protocol} to PLAINTEXT or SASL_PLAINTEXT, or"
                f" name the port for TLS in {servers}."
            )
        if not self.connection.encrypted and await self._speaks_tls():
            return (
                f"expects TLS at this port: set {protocol} to SSL or SASL_SSL, or name the port"
                f" without TLS in {servers}."
            )
        if isinstance(error, TimeoutError) or self.connection.with_user:
            return None  # a broker that misses a user breaks off at once
        if offered := await self._ways_to_log_in():
            needed = "SASL_SSL" if self.connection.encrypted else "SASL_PLAINTEXT"
            return (
                f"expects a user and a password at this port ({', '.join(offered)}): set"
                f" {protocol} to {needed}."
            )
        return None

    async def _answers_in_the_clear(self) -> bool:
        host, port, _ = get_ip_port_afi(self.server)
        try:
            async with asyncio.timeout(CROSS_CHECK_SECONDS):
                link = await create_conn(host, port)
        except (OSError, kafka.KafkaError):
            return False
        link.close()
        return True

    async def _speaks_tls(self) -> bool:
        trusting = ssl.create_default_context()  # nothing is sent over it
        trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
        host, port, _ = get_ip_port_afi(self.server)
        try:
            async with asyncio.timeout(CROSS_CHECK_SECONDS):
                _, writer = await asyncio.open_connection(host, port, ssl=trusting)
        except ssl.SSLError as error:
            return "ALERT" in (error.reason or "")  # a word of TLS all the same
        except OSError:
            return False
        writer.transport.abort()
        return True

    async def _ways_to_log_in(self) -> list[str]:
        """The SASL mechanisms that the port offers, if it expects one."""
        try:
            async with asyncio.timeout(CROSS_CHECK_SECONDS), self._connected() as link:
                answer = await link.send(SaslHandShakeRequest("PLAIN"))
        except (OSError, kafka.KafkaError):
            return []
        return list(answer.enabled_mechanisms)


@functools.cache  # once
def _warn_in_the_clear(encrypted: bool, servers: tuple[str, ...]) -> None:
    remote = [server for server in servers if not _is_loopback(server)]
    if remote and not encrypted:
        log.warning(
            "the connection to Kafka at %s is not encrypted: patients' data and passwords can be"
            " read on the way. Set %sSECURITY_PROTOCOL to SSL or SASL_SSL.",
            ", ".join(remote), SETTING,
        )  # fmt: skip


def _is_loopback(server: str) -> bool:
    host, _, _ = get_ip_port_afi(server)
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return bool(host == "localhost")
