"""Passwords, tokens and certificates that are changed while a client lives.

The client keeps for its whole life what it was made with, so where it opens a connection it is
given what counts now. Its one place for that has no hook, so it is replaced; the object that says
what counts comes there as the provider of tokens, which the client hands on whatever the mechanism.
"""

from collections.abc import Callable
from typing import Any, TypeVar

import aiokafka.client
from aiokafka.abc import AbstractTokenProvider
from aiokafka.conn import AIOKafkaConnection, OAuthAuthenticator
from aiokafka.errors import SaslAuthenticationFailed

from consumers.kafka.faults import KafkaUnreachable

Read = TypeVar("Read")


class Renewed(AbstractTokenProvider):  # type: ignore[misc]  # untyped base
    """`options` gives a connection's keyword arguments, of which secrets are a part; both may raise
    ValueError."""

    def __init__(self, options: Callable[[], dict[str, Any]], token: Callable[[], str]) -> None:
        self.options = options
        self._token = token

    async def token(self) -> str:
        return _usable(self._token)


class BrokerConnection(AIOKafkaConnection):  # type: ignore[misc]  # untyped base
    """One that notices that its token is refused."""

    def authenticator_oauth(self) -> OAuthAuthenticator:
        return _OAuthAuthenticator(sasl_oauth_token_provider=self._sasl_oauth_token_provider)


class _OAuthAuthenticator(OAuthAuthenticator):  # type: ignore[misc]  # untyped base
    async def step(self, payload: bytes | None) -> tuple[bytes, bool] | None:
        """RFC 7628: a server that refuses the token says so in a second message, and the client
        takes whatever comes there for a welcome."""
        if payload:
            raise SaslAuthenticationFailed
        step: tuple[bytes, bool] | None = await super().step(payload)
        return step


async def _create_conn(host: str, port: int, **options: Any) -> BrokerConnection:
    """As the client's own, with what counts now."""
    renewed = options.get("sasl_oauth_token_provider")
    if isinstance(renewed, Renewed):
        options |= _usable(renewed.options)
    connection = BrokerConnection(host, port, **options)
    await connection.connect()
    return connection


def _usable(read: Callable[[], Read]) -> Read:
    """The client bears its own errors alone. It says nothing of them either, but whoever finds that
    it does not get on asks why: see `reach`."""
    try:
        return read()
    except ValueError as error:
        raise KafkaUnreachable(str(error), permanent=True) from None


aiokafka.client.create_conn = _create_conn
