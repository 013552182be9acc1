"""Archive passwords: they travel encrypted to the service's public key, never in the clear.

A request holds a compact JWE (RFC 7516): ECDH-ES+A256KW on P-256, content A256GCM, plaintext the
password in UTF-8. The setting holds the private keys as a JWK, or as a JWK set of which the first
is published and the others still open what was encrypted before a rotation.
"""

import base64
import json
from typing import Any

from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from service.reports.files.file_errors import KeySettingWrong, PasswordRefused

ALGORITHM = "ECDH-ES+A256KW"
ENCRYPTION = "A256GCM"
SHORTEST = 12
LONGEST = 128
_MAX_JWE = 4096
_UNOPENED = (
    "The archive password cannot be opened. Encrypt it as a compact JWE "
    f"({ALGORITHM}, {ENCRYPTION}) to the public key that the service publishes."
)


class PasswordKeys:
    """The service's private keys for archive passwords."""

    def __init__(self, keys: list[ECKey]) -> None:
        self._keys = keys

    @classmethod
    def parse(cls, setting: str) -> "PasswordKeys":
        """Raises KeySettingWrong, which never quotes a key."""
        return cls([_private_key(jwk) for jwk in _jwks(setting)])

    def public_jwk(self) -> dict[str, str]:
        """What requesters encrypt to; `kid` is its RFC 7638 thumbprint."""
        key = self._keys[0]
        public = {name: str(value) for name, value in key.as_dict(private=False).items()}
        return public | {"kid": key.thumbprint(), "use": "enc", "alg": ALGORITHM}

    def open_password(self, token: str) -> str:
        """The password. Raises PasswordRefused with a text for the person who asked."""
        plaintext = self._opened(token)
        if plaintext is None:
            raise PasswordRefused(_UNOPENED)
        return _checked(plaintext)

    def _opened(self, token: str) -> bytes | None:
        header = _header(token)
        if header is None:
            return None
        for key in self._keys:
            if header.get("kid") in (None, key.thumbprint()):
                plaintext = _decrypted(token, key)
                if plaintext is not None:
                    return plaintext
        return None


def new_private_key() -> str:
    """A fresh setting with one key."""
    return json.dumps(_as_jwk(ECKey.generate_key("P-256", private=True)))


def with_new_key(setting: str, new: str) -> str:
    """The setting with the new key in front: published from now on, the others still open."""
    keys = [_private_key(jwk) for jwk in [*_jwks(new), *_jwks(setting)]]
    return json.dumps({"keys": [_as_jwk(key) for key in keys]})


def _as_jwk(key: ECKey) -> dict[str, Any]:
    return {**key.as_dict(private=True), "kid": key.thumbprint(), "use": "enc", "alg": ALGORITHM}


def _jwks(setting: str) -> list[Any]:
    try:
        value = json.loads(setting)
    except (ValueError, RecursionError):
        raise KeySettingWrong("the password key is neither a JWK nor a JWK set in JSON") from None
    jwks = value["keys"] if isinstance(value, dict) and "keys" in value else [value]
    if not isinstance(jwks, list) or not jwks:
        raise KeySettingWrong("the JWK set of password keys is empty")
    return jwks


def _private_key(jwk: Any) -> ECKey:
    wanted = "a private P-256 JWK (kty, crv, x, y, d); `claim-analytics keys new` makes one"
    if not isinstance(jwk, dict) or jwk.get("kty") != "EC" or jwk.get("crv") != "P-256":
        raise KeySettingWrong(f"a password key is not {wanted}")
    try:
        return ECKey.import_key({name: jwk[name] for name in ("kty", "crv", "x", "y", "d")})
    except (JoseError, ValueError, KeyError, TypeError):
        raise KeySettingWrong(f"a password key is not {wanted}") from None


def _header(token: str) -> dict[str, Any] | None:
    if len(token) > _MAX_JWE:
        return None
    segment = token.partition(".")[0]
    try:
        header = json.loads(base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4)))
    except (ValueError, RecursionError):
        return None
    return header if isinstance(header, dict) else None


def _decrypted(token: str, key: ECKey) -> bytes | None:
    """None for every other algorithm, too: only the two that are named are tried."""
    try:
        return jwe.decrypt_compact(token, key, algorithms=[ALGORITHM, ENCRYPTION]).plaintext
    except (JoseError, ValueError, TypeError, KeyError, RecursionError):
        return None


def _checked(plaintext: bytes) -> str:
    try:
        password = plaintext.decode()
    except UnicodeDecodeError:
        raise PasswordRefused("The archive password is not text in UTF-8.") from None
    if len(password) < SHORTEST:
        raise PasswordRefused(f"The archive password has fewer than {SHORTEST} characters.")
    if len(password) > LONGEST:
        raise PasswordRefused(f"The archive password has more than {LONGEST} characters.")
    if any(character < " " or character == "\x7f" for character in password):
        raise PasswordRefused(
            "The archive password holds a character that cannot be typed, such as a line break."
        )
    return password
