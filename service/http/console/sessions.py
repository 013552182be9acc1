"""Sessions: who has logged in, in a signed cookie; and the proof that a form is the console's own.

Nothing is kept on the server, so any instance takes what another has signed, also while the
database is away.
"""

import hashlib
import hmac
import secrets
import time
from collections import deque
from collections.abc import Sequence
from typing import Literal

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import Key, KeySet, OKPKey

from service.http.console.tokens import ConsoleToken

SESSION_SECONDS = 12 * 3_600
ALGORITHM: Literal["Ed25519"] = "Ed25519"  # of the signatures, and the name of the curve
LONGEST_TOKEN = 200

WRONG_LOGINS = 10  # of one address, in so many seconds
WRONG_SECONDS = 300.0
MOST_ADDRESSES = 1_000


def public_key(token: str) -> str:
    return str(_key(token).as_dict(private=False)["x"])


def _key(token: str) -> OKPKey:
    return OKPKey.derive_key(token, ALGORITHM)


class Sessions:
    """Logins by these tokens."""

    def __init__(self, tokens: Sequence[ConsoleToken]) -> None:
        self._tokens = {token.name: token for token in tokens}
        keys: list[Key] = [
            OKPKey.import_key(
                {"kty": "OKP", "crv": ALGORITHM, "x": token.public_key, "kid": token.name}
            )
            for token in tokens
        ]
        self._keys = KeySet(keys) if keys else None

    def log_in(self, token: str) -> str | None:
        """A session for the cookie; None if there is no such token."""
        if not token or len(token) > LONGEST_TOKEN:
            return None
        key = _key(token)
        public = str(key.as_dict(private=False)["x"])
        holder = None
        for each in self._tokens.values():  # all of them: how long it takes tells nothing
            if hmac.compare_digest(each.public_key, public):
                holder = each
        if holder is None:
            return None
        claims = {"exp": int(time.time()) + SESSION_SECONDS}
        header = {"alg": ALGORITHM, "kid": holder.name}
        return jwt.encode(header, claims, key, algorithms=[ALGORITHM])

    def holder(self, session: str | None) -> ConsoleToken | None:
        """Whose session it is; None if it is none, is over, or its token was taken away.

        It is of whose key has signed it, whatever it claims: any holder can sign what he likes.
        """
        if not session or self._keys is None:
            return None
        try:
            signed = jwt.decode(session, self._keys, algorithms=[ALGORITHM])
            jwt.JWTClaimsRegistry(exp={"essential": True}).validate(signed.claims)
        except (JoseError, ValueError):
            return None
        return self._tokens.get(str(signed.header.get("kid")))


def new_visit() -> str:
    """For a cookie that each browser has, logged in or not: forms are bound to it."""
    return secrets.token_urlsafe(24)


def form_proof(visit: str, session: str | None) -> str:
    """What a form of this visit and session must bring along."""
    return hmac.new(visit.encode(), (session or "").encode(), hashlib.sha256).hexdigest()


class WrongLogins:
    """Bounds how often one address may guess."""

    def __init__(self) -> None:
        self._times: dict[str, deque[float]] = {}

    def must_wait(self, address: str) -> bool:
        times = self._times.get(address, deque())
        while times and times[0] < time.monotonic() - WRONG_SECONDS:
            times.popleft()
        return len(times) >= WRONG_LOGINS

    def note(self, address: str) -> None:
        times = self._times.pop(address, deque())  # to the end: the oldest goes first
        times.append(time.monotonic())
        self._times[address] = times
        while len(self._times) > MOST_ADDRESSES:
            del self._times[next(iter(self._times))]
