"""Settings of what is served over HTTP."""

from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr, field_validator

from service.http.console.tokens import parse_tokens
from service.settings.addresses import host_and_port
from service.settings.sources import SourcedSettings


class HttpSettings(SourcedSettings):
    """Part of `service.settings.Settings`."""

    http_address: Annotated[str, AfterValidator(host_and_port)] | None = Field(
        None,
        description="Where health, metrics, the console and the API are served, as host:port;"
        " without it 127.0.0.1:8080, and nothing is served where that port is taken",
    )
    console_tokens: SecretStr | None = Field(
        None,
        description="Who may use the console, name:reader:key or name:operator:key for each"
        " (`keys console-token`); without it the console serves this machine alone",
    )

    @field_validator("console_tokens")
    @classmethod
    def _are_tokens(cls, tokens: SecretStr | None) -> SecretStr | None:
        parse_tokens(tokens.get_secret_value() if tokens else "")
        return tokens
