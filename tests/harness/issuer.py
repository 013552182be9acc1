"""An issuer of tokens as the platform has one, with keys of its own."""

import json
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

from joserfc import jwt
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey

ISSUER, AUDIENCE = "https://id.example.test", "claim-analytics"
EVERYTHING = ["analytics:read", "reports:read", "reports:download"]
GENERATE: dict[str, Callable[[], Key]] = {
    "RS256": lambda: RSAKey.generate_key(2048),
    "ES256": lambda: ECKey.generate_key("P-256"),
    "EdDSA": lambda: OKPKey.generate_key("Ed25519"),
}


class Issuer:
    """It signs with one key, whose public part is its JWK set."""

    def __init__(self, algorithm: str = "ES256", kid: str = "key-1") -> None:
        self.algorithm = algorithm
        self.kid = kid
        self.key: Key = GENERATE[algorithm]()

    @property
    def jwk(self) -> dict[str, Any]:
        return {**self.key.as_dict(private=False), "kid": self.kid, "use": "sig"}

    def publish(self, file: Path, *others: "Issuer") -> Path:
        """The set of its key, and of others', as a file."""
        file.write_text(json.dumps({"keys": [self.jwk, *(other.jwk for other in others)]}))
        return file

    def token(
        self, provider: UUID | str | None, header: dict[str, Any] | None = None, **claims: Any
    ) -> str:
        """One that permits everything for five minutes. A claim that is None is left out."""
        now = int(time.time())
        usual = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": "user-7",
            "iat": now,
            "exp": now + 300,
            "provider_id": str(provider) if provider else None,
            "permissions": EVERYTHING,
        }
        given = {name: value for name, value in (usual | claims).items() if value is not None}
        heads = {"alg": self.algorithm, "kid": self.kid} | (header or {})
        heads = {name: value for name, value in heads.items() if value is not None}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # EdDSA has newer names, which issuers do not use yet
            return jwt.encode(heads, given, self.key, algorithms=[self.algorithm])

    def bearer(self, provider: UUID | str | None, **claims: Any) -> dict[str, str]:
        """The headers of a request."""
        return {"Authorization": f"Bearer {self.token(provider, **claims)}"}
