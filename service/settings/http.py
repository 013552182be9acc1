"""Settings of what is served over HTTP."""

from typing import Annotated

from pydantic import AfterValidator, Field

from service.settings.addresses import host_and_port
from service.settings.sources import SourcedSettings


class HttpSettings(SourcedSettings):
    """Part of `service.settings.Settings`."""

    http_address: Annotated[str, AfterValidator(host_and_port)] | None = Field(
        None,
        description="Where health, metrics, the console and the API are served, as host:port;"
        " without it 127.0.0.1:8080, and nothing is served where that port is taken",
    )
