"""Spans by OpenTelemetry's SDK, sent by OTLP over HTTP. The extra `traces` brings both.

Where they go, how many are taken and how they wait are the standard OTEL_… variables' to say.
"""

import logging
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.metadata import version

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.environment_variables import OTEL_SERVICE_NAME
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    Span,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    format_span_id,
    format_trace_id,
    get_current_span,
    set_span_in_context,
)

from consumers.supervision.outage import Outage
from consumers.telemetry.spans import Attributes, Kind
from service.logs import INSTANCE

NAME = "claim-analytics"
MOST_LINKS = 128  # OpenTelemetry's own default
KINDS = {
    Kind.INTERNAL: SpanKind.INTERNAL,
    Kind.CONSUMER: SpanKind.CONSUMER,
    Kind.PRODUCER: SpanKind.PRODUCER,
}


class OtlpSpan:
    """A `consumers.telemetry.spans.Span`."""

    def __init__(self, span: Span) -> None:
        self._span = span

    @property
    def context(self) -> str | None:
        found = self._span.get_span_context()
        ids = format_trace_id(found.trace_id), format_span_id(found.span_id)
        return f"00-{ids[0]}-{ids[1]}-{found.trace_flags:02x}" if found.is_valid else None

    def note(self, attributes: Attributes) -> None:
        self._span.set_attributes(_named(attributes))


class OtlpTracer:
    """A `consumers.telemetry.spans.Tracer`."""

    def __init__(self, provider: TracerProvider) -> None:
        self._tracer = provider.get_tracer(NAME, version(NAME))

    @contextmanager
    def span(
        self,
        name: str,
        kind: Kind,
        parent: str | None,
        links: Sequence[str],
        attributes: Attributes,
    ) -> Iterator[OtlpSpan]:
        around = set_span_in_context(NonRecordingSpan(_read(parent)), Context()) if parent else None
        with self._tracer.start_as_current_span(
            name,
            around,
            KINDS[kind],
            _named(attributes),
            [Link(_read(each)) for each in links[:MOST_LINKS]],
            # The text of an error can quote anything.
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            try:
                yield OtlpSpan(span)
            except BaseException as error:  # raised on
                span.set_status(Status(StatusCode.ERROR, type(error).__name__))
                raise

    def ids(self) -> Mapping[str, str]:
        found = get_current_span().get_span_context()
        if not found.is_valid:
            return {}
        return {
            "trace_id": format_trace_id(found.trace_id),
            "span_id": format_span_id(found.span_id),
        }


class ToldExporter(SpanExporter):
    """Tells in our own words when the collector takes no spans; the library's can quote an address
    with a password."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter
        self._outage = Outage("sending spans to the OpenTelemetry collector")

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        result = self._exporter.export(spans)
        if result is SpanExportResult.SUCCESS:
            self._outage.over()
        else:
            self._outage.tell(
                "the OpenTelemetry collector took no spans: they are lost, and nothing else is",
                "look whether it is up, and at the OTEL_EXPORTER_OTLP_… variables",
            )
        return result

    def shutdown(self) -> None:
        self._exporter.shutdown()


def begin() -> tuple[OtlpTracer, Callable[[], None]]:
    """A tracer, and what ends it: spans that wait are sent then."""
    logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)  # ToldExporter tells
    resource = Resource.create(
        {
            "service.name": os.environ.get(OTEL_SERVICE_NAME, NAME),
            "service.version": version(NAME),
            "service.instance.id": INSTANCE,
        }
    )
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(ToldExporter(OTLPSpanExporter())))
    return OtlpTracer(provider), provider.shutdown


def _named(attributes: Attributes) -> dict[str, str | int]:
    return {f"claim_analytics.{name}": value for name, value in attributes.items()}


def _read(context: str) -> SpanContext:
    """What `consumers.telemetry.trace_context` has found to be of W3C's form."""
    _, trace, span, flags = context.split("-")
    return SpanContext(int(trace, 16), int(span, 16), True, TraceFlags(int(flags, 16)))
