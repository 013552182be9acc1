"""Bearer tokens: who asks, for which provider, and what the token permits."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus
from typing import Any, Final
from uuid import UUID

from joserfc import jws
from joserfc.errors import ExpiredTokenError, JoseError, UnsupportedAlgorithmError
from joserfc.jws import JWSRegistry
from joserfc.jwt import JWTClaimsRegistry

from service.http.api.jwks import KINDS, IssuerKeys
from service.http.api.problems import Problem
from service.settings import Settings

LONGEST_TOKEN = 8_192
LONGEST_SUBJECT = 200
LEEWAY_SECONDS = 30  # clocks differ
TYPES = (None, "jwt", "at+jwt", "application/at+jwt")
REALM: Final = 'Bearer realm="claim-analytics"'
# What libraries raise for what is no token at all.
UNREADABLE = (JoseError, ValueError, TypeError, KeyError, AttributeError, RecursionError)


class Permission(StrEnum):
    """What a token may permit."""

    READ_ANALYTICS = "analytics:read"  # figures
    READ_REPORTS = "reports:read"  # the list of reports, and each one's state
    DOWNLOAD_REPORTS = "reports:download"  # their files, which hold patients' data


@dataclass(frozen=True)
class Caller:
    """Who a genuine token is of. `subject` is who is noted to have looked at patients' data."""

    subject: str
    provider_id: UUID
    permissions: frozenset[str]

    def require(self, permission: Permission) -> None:
        """Raises Problem, 403."""
        if permission not in self.permissions:
            raise Problem(
                HTTPStatus.FORBIDDEN,
                "not-permitted",
                f"The token does not permit this: it lacks {permission}.",
                {"WWW-Authenticate": f'{REALM}, error="insufficient_scope", scope="{permission}"'},
            )


class _Algorithms(JWSRegistry):
    """These three and no others, whatever the library would take."""

    max_header_length = 2_048
    max_payload_length = LONGEST_TOKEN

    def get_alg(self, name: str) -> Any:
        if name not in KINDS:
            raise UnsupportedAlgorithmError(description="")
        return self.algorithms[name]


ALGORITHMS = _Algorithms(strict_check_header=False)  # RFC 7515: what is not known is not looked at


class Tokens:
    """The tokens of one issuer."""

    def __init__(self, settings: Settings, keys: IssuerKeys) -> None:
        self._keys = keys
        self._provider_claim = settings.api_provider_claim
        self._permissions_claim = settings.api_permissions_claim
        self._claims = JWTClaimsRegistry(
            leeway=LEEWAY_SECONDS,
            iss={"essential": True, "value": settings.api_issuer or ""},
            aud={"essential": True, "value": settings.api_audience or ""},
            exp={"essential": True},
            sub={"essential": True},
        )

    async def caller(self, token: str) -> Caller:
        """Raises Problem: 401 for what is no valid token, 403 for one that names no provider; and
        KeysUnavailable."""
        claims = await self._genuine(token)
        subject = claims["sub"]
        if len(subject) > LONGEST_SUBJECT or not subject.isprintable():
            raise refused("its subject is too long, or no text on one line")
        return Caller(subject, self._provider(claims), self._permissions(claims))

    async def _genuine(self, token: str) -> Mapping[str, Any]:
        if len(token) > LONGEST_TOKEN:
            raise refused("it is too long")
        try:
            unproven = jws.extract_compact(token.encode(), None, ALGORITHMS)
            header = unproven.headers()
            kind = header.get("typ")
            algorithm = ALGORITHMS.get_alg(header["alg"]).name
        except UNREADABLE:
            raise refused("it cannot be read, or its algorithm is not taken here") from None
        # An extension that must be understood (`crit`) is one that is not: none is known here.
        if "crit" in header or (kind.lower() if isinstance(kind, str) else kind) not in TYPES:
            raise refused("it is of a kind that is not taken here")
        key = await self._keys.find(header.get("kid"), algorithm)
        try:
            if key is None or not jws.validate_compact(unproven, key, registry=ALGORITHMS):
                raise refused("no key of its issuer signed it")
            claims = json.loads(unproven.payload)
            self._claims.validate(claims)
        except ExpiredTokenError:
            raise refused("it has expired") from None
        except UNREADABLE:
            raise refused("it is not valid, or not for this service") from None
        return dict(claims)

    def _provider(self, claims: Mapping[str, Any]) -> UUID:
        named = claims.get(self._provider_claim)
        try:
            if isinstance(named, str):
                return UUID(named)
        except ValueError:
            pass
        raise Problem(
            HTTPStatus.FORBIDDEN,
            "no-provider",
            "The token names no provider, and only a provider's own data can be read.",
            {"WWW-Authenticate": f'{REALM}, error="insufficient_scope"'},
        )

    def _permissions(self, claims: Mapping[str, Any]) -> frozenset[str]:
        named = claims.get(self._permissions_claim)
        listed = named.split() if isinstance(named, str) else named
        if not isinstance(listed, list):
            return frozenset()
        return frozenset(each for each in listed if isinstance(each, str))


def bearer(headers: list[str]) -> str:
    """The token of the `Authorization` headers. Raises Problem, 401."""
    if not headers:
        raise Problem(
            HTTPStatus.UNAUTHORIZED,
            "no-token",
            "A token is needed: Authorization: Bearer …",
            {"WWW-Authenticate": REALM},
        )
    scheme, _, token = headers[0].partition(" ")
    if len(headers) > 1 or scheme.lower() != "bearer":
        raise refused("there must be one, as Authorization: Bearer …")
    return token.strip(" ")


def refused(why: str) -> Problem:
    return Problem(
        HTTPStatus.UNAUTHORIZED,
        "token-refused",
        f"The token is refused: {why}.",
        {"WWW-Authenticate": f'{REALM}, error="invalid_token"'},
    )
