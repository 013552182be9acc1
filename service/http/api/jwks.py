"""The issuer's public keys: from a URL or a file, kept for a while, and looked up by their ids.

Nothing in a token says where its key is: `jku`, `x5u` and `jwk` are not looked at, and a key's id
is compared and never used as a path or URL.
"""

import asyncio
import json
import logging
import time
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from http.client import HTTPMessage
from pathlib import Path
from typing import IO, Any
from urllib.error import HTTPError

from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry, Key
from joserfc.jws import JWSRegistry

log = logging.getLogger(__name__)

FRESH_SECONDS = 300.0  # then they are fetched again, beside the requests
PAUSE_SECONDS = 10.0  # between two tries, however many tokens name keys that are not there
# While the issuer does not answer its last keys count, for so long.
MOST_SECONDS = 3_600.0
FETCH_SECONDS = 5.0
MOST_BYTES = 256 * 1024
MOST_KEYS = 100
LEAST_MODULUS = 342  # characters of an RSA key's `n`: 2,048 bits
KINDS = {"RS256": ("RSA", None), "ES256": ("EC", "P-256"), "EdDSA": ("OKP", "Ed25519")}


class KeysUnavailable(Exception):
    """The issuer's keys cannot be had; the text says why, for the log."""


@dataclass(frozen=True)
class PublicKey:
    """One of the issuer's, with the algorithm that it is for."""

    kid: str | None
    algorithm: str
    key: Key


class IssuerKeys:
    """For one event loop."""

    def __init__(self, where: str) -> None:
        self._where = where
        self._keys: Sequence[PublicKey] = ()
        self._loaded = self._tried = -MOST_SECONDS
        self._loading = asyncio.Lock()
        self._beside: asyncio.Task[None] | None = None

    async def find(self, kid: str | None, algorithm: str) -> Key | None:
        """The key of this id for the algorithm. Without an id, the only one that there is.

        An id that is not known has the keys fetched again, at most every ten seconds. Raises
        KeysUnavailable.
        """
        if self._age() > FRESH_SECONDS:
            await self._freshen()
        found = self._pick(kid, algorithm)
        if found is None:
            await self._load()
            found = self._pick(kid, algorithm)
        if self._age() > MOST_SECONDS:
            raise KeysUnavailable(f"{self._where}: no keys could be had from there")
        return found

    async def close(self) -> None:
        if self._beside:
            self._beside.cancel()
            await asyncio.gather(self._beside, return_exceptions=True)

    def _age(self) -> float:
        return time.monotonic() - self._loaded

    def _pick(self, kid: str | None, algorithm: str) -> Key | None:
        fitting = [k.key for k in self._keys if k.algorithm == algorithm and kid in (None, k.kid)]
        return fitting[0] if fitting and (kid is not None or len(fitting) == 1) else None

    async def _freshen(self) -> None:
        """Nobody waits for it while there are keys that may be used."""
        if not self._keys or self._age() > MOST_SECONDS:
            await self._load()
        elif self._beside is None or self._beside.done():
            self._beside = asyncio.create_task(self._load())

    async def _load(self) -> None:
        async with self._loading:
            if time.monotonic() - self._tried < PAUSE_SECONDS:
                return
            try:
                self._keys = await asyncio.to_thread(read_keys, self._where)
                self._loaded = time.monotonic()
            except KeysUnavailable as fault:
                log.warning("the keys of the tokens' issuer cannot be had: %s", fault)
            self._tried = time.monotonic()


def read_keys(where: str) -> Sequence[PublicKey]:
    """From a URL or a file. Raises KeysUnavailable."""
    try:
        text = _fetch(where) if "://" in where else _read(where)
    except HTTPError as error:
        raise KeysUnavailable(f"{where} answered with {error.code}") from None
    except (OSError, ValueError) as error:  # URLError and time-outs are OSErrors
        raise KeysUnavailable(f"{where} cannot be read ({type(error).__name__})") from None
    try:
        listed = json.loads(text)["keys"]
        keys = [key for jwk in listed[:MOST_KEYS] if (key := _public_key(jwk))]
    except (ValueError, TypeError, KeyError, RecursionError):
        raise KeysUnavailable(f"{where} is no JWK set") from None
    if not keys:
        raise KeysUnavailable(
            f"{where} has no key that signs with {', '.join(KINDS)} (RSA: 2,048 bits or more)"
        )
    return keys


def _read(path: str) -> bytes:
    with Path(path).open("rb") as file:
        return file.read(MOST_BYTES)


def _fetch(url: str) -> bytes:
    """A server that sends drop by drop is given up as one that sends nothing."""
    give_up = time.monotonic() + FETCH_SECONDS
    with _OPENER.open(url, timeout=FETCH_SECONDS) as answer:
        text = b""
        while piece := answer.read1(65_536):
            text += piece
            if len(text) > MOST_BYTES or time.monotonic() > give_up:
                raise ValueError("too long")
    return text


class _Stay(urllib.request.HTTPRedirectHandler):
    """The keys are where the setting says: a redirection is an error."""

    def redirect_request(
        self, req: Any, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> None:
        return None


_OPENER = urllib.request.build_opener(_Stay)


def _public_key(jwk: Any) -> PublicKey | None:
    """None for what is for something else, or is not understood: RFC 7517 has it passed over."""
    try:
        kind = jwk["kty"], jwk.get("crv")
        algorithm = next((name for name, known in KINDS.items() if known == kind), None)
        if algorithm is None or jwk.get("alg", algorithm) != algorithm:
            return None
        if jwk.get("use", "sig") != "sig" or (kind[0] == "RSA" and len(jwk["n"]) < LEAST_MODULUS):
            return None
        public = {name: jwk[name] for name in ("kty", "crv", "x", "y", "n", "e") if name in jwk}
        key = JWKRegistry.import_key(public)
        JWSRegistry.algorithms[algorithm].check_key(key)
    except (JoseError, ValueError, TypeError, KeyError, AttributeError):
        return None
    kid = jwk.get("kid")
    return PublicKey(kid if isinstance(kid, str) else None, algorithm, key)
