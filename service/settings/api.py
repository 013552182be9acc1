"""Settings of what the platform reads over HTTP, under /v1."""

import ipaddress
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from service.settings.sources import SourcedSettings

NEEDED = ("api_issuer", "api_audience", "api_jwks")


def url_or_path(where: str) -> str:
    """The place as it was given. Raises ValueError for a URL that keys may not come from."""
    if "://" not in where:
        return where
    parts = urlsplit(where)
    if not parts.hostname or "@" in parts.netloc:
        raise ValueError("expected https://host/path, without credentials, or the path of a file")
    if parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(parts.hostname)):
        return where
    raise ValueError("whoever is on the way could change keys that come without https")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class ApiSettings(SourcedSettings):
    """Part of `service.settings.Settings`."""

    api_issuer: str | None = Field(
        None,
        description="Who signs the tokens that /v1 takes: what their claim iss says",
    )
    api_audience: str | None = Field(
        None, description="For whom those tokens are (their claim aud)"
    )
    api_jwks: Annotated[str, AfterValidator(url_or_path)] | None = Field(
        None,
        description="The issuer's public keys: a JWK set, by its https:// URL or as the path of a"
        " file",
    )
    api_provider_claim: str = Field(
        "provider_id", min_length=1, description="The claim that names the provider, a UUID"
    )
    api_permissions_claim: str = Field(
        "permissions",
        min_length=1,
        description="The claim with what the token permits: a list, or a text with spaces between",
    )
    api_pool_size: int = Field(
        8,
        gt=0,
        description="Most connections to PostgreSQL for /v1, beside the others",
    )

    @model_validator(mode="after")
    def _api_is_whole(self) -> Self:
        given = [name for name in NEEDED if getattr(self, name)]
        if given and len(given) < len(NEEDED):
            names = [f"CLAIM_ANALYTICS_{name.upper()}" for name in NEEDED]
            raise ValueError(f"{', '.join(names)} belong together: set all of them, or none")
        return self
