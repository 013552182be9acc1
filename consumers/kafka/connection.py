"""How to reach Kafka: the one set of options that every client of the service is made with."""

import asyncio
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient

from consumers.kafka.faults import KafkaUnreachable
from consumers.kafka.renewal import Renewed

SETTING = "CLAIM_ANALYTICS_KAFKA_"  # what messages name settings by
# Partitions that are added are noticed within this time; the client's default is five minutes.
METADATA_AGE_MS = 30_000
GREETING_SECONDS = 5


class SecurityFileUnusable(ValueError):
    """A file of certificates, keys or a secret cannot be used; the message says which, and why."""


@dataclass(frozen=True)
class KafkaConnection:
    """Bootstrap servers and security.

    `sasl_*` count with SASL_PLAINTEXT and SASL_SSL, and with OAUTHBEARER the token in place of user
    and password. The files (PEM) count with SSL and SASL_SSL: trusted certificates, without which
    the system's count, and the client's own certificate and its key, which may stand in the same
    file. Files are read, and password and token asked for, at each connection that a client makes;
    what asks may raise SecurityFileUnusable.
    """

    bootstrap_servers: str
    security_protocol: str = "PLAINTEXT"
    sasl_mechanism: str | None = None
    sasl_username: str | None = None
    sasl_password: str | Callable[[], str] | None = field(default=None, repr=False)
    oauth_token: str | Callable[[], str] | None = field(default=None, repr=False)
    cafile: str | None = None
    certfile: str | None = None
    keyfile: str | None = None
    client_id: str = "claim-analytics"

    @property
    def encrypted(self) -> bool:
        return self.security_protocol in {"SSL", "SASL_SSL"}

    @property
    def with_user(self) -> bool:
        return self.security_protocol in {"SASL_PLAINTEXT", "SASL_SSL"}

    def client_options(self) -> dict[str, Any]:
        """Keyword arguments for any aiokafka client. Raises KafkaUnreachable over a file."""
        try:
            options = self.broker_options()
        except SecurityFileUnusable as error:
            raise KafkaUnreachable(str(error), permanent=True) from None
        return options | {
            "bootstrap_servers": self.bootstrap_servers,
            "metadata_max_age_ms": METADATA_AGE_MS,
        }

    def broker_options(self) -> dict[str, Any]:
        """Those for a connection to one broker. Raises SecurityFileUnusable."""
        options: dict[str, Any] = {
            "client_id": self.client_id,
            "security_protocol": self.security_protocol,
        }
        if self.encrypted:
            options["ssl_context"] = self.tls_context()
        if self.with_user:
            options |= {
                "sasl_mechanism": self.sasl_mechanism,
                "sasl_plain_username": self.sasl_username,
                "sasl_plain_password": _now(self.sasl_password),
            }
        if self.encrypted or self.with_user:
            options["sasl_oauth_token_provider"] = Renewed(self.broker_options, self._token)
        return options

    def _token(self) -> str:
        return _now(self.oauth_token) or ""

    def tls_context(self) -> ssl.SSLContext:
        """Reads the files. Raises SecurityFileUnusable."""
        for name in ("cafile", "certfile", "keyfile"):
            if file := getattr(self, name):
                _check_readable(f"{SETTING}SSL_{name.upper()}", file)
        try:
            context = ssl.create_default_context(cafile=self.cafile)
        except ssl.SSLError:
            raise SecurityFileUnusable(
                f"{SETTING}SSL_CAFILE is wrong: {self.cafile} holds no certificate in PEM form."
            ) from None
        if self.keyfile and not self.certfile:
            raise SecurityFileUnusable(f"{SETTING}SSL_KEYFILE needs {SETTING}SSL_CERTFILE too.")
        if self.certfile:
            try:
                # Without a password a person would be asked for one, on the terminal.
                context.load_cert_chain(self.certfile, self.keyfile, password="")
            except (ssl.SSLError, ValueError):
                raise SecurityFileUnusable(
                    f"{SETTING}SSL_CERTFILE or {SETTING}SSL_KEYFILE is wrong: {self.certfile} and"
                    f" {self.keyfile or 'the key in it'} are no certificate and its key, not"
                    " encrypted, in PEM form."
                ) from None
        return context


def _now(secret: str | Callable[[], str] | None) -> str | None:
    return secret() if callable(secret) else secret


def _check_readable(setting: str, file: str) -> None:
    try:
        with Path(file).open("rb"):
            pass
    except OSError as error:
        raise SecurityFileUnusable(
            f"{setting} is wrong: {file} cannot be read ({error.strerror})."
        ) from None


async def start(client: AIOKafkaConsumer | AIOKafkaProducer | AIOKafkaAdminClient) -> None:
    """Connect the client; if this is cancelled, only once that has ended.

    Cancelled while it greets its first broker the client would forget that connection, open.
    """
    starting = asyncio.create_task(client.start())
    try:
        await asyncio.shield(starting)
    except asyncio.CancelledError:
        await asyncio.wait({starting}, timeout=GREETING_SECONDS)
        starting.cancel()
        await asyncio.gather(starting, return_exceptions=True)
        raise
