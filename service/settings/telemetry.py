"""Settings of what the service tells of itself."""

from pydantic import Field

from service.settings.sources import SourcedSettings


class TelemetrySettings(SourcedSettings):
    """Part of `service.settings.Settings`."""

    traces: bool = Field(
        False,
        description="Send spans to an OpenTelemetry collector, which the standard OTEL_… variables"
        " name; takes the extra `traces`",
    )
