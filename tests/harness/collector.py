"""An OpenTelemetry collector: takes spans by OTLP over HTTP, and shows them."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


@dataclass(frozen=True)
class CollectedSpan:
    """A span; ids in hexadecimal, as W3C has them. `links` are trace ids."""

    name: str
    trace_id: str
    span_id: str
    parent_id: str
    links: list[str]
    attributes: dict[str, Any]


@dataclass
class SpanCollector:
    """`bodies` are the requests as they came."""

    bodies: list[bytes] = field(default_factory=list)
    url: str = ""

    def spans(self, name: str = "") -> list[CollectedSpan]:
        """All that came, or those of a name."""
        requests = [ExportTraceServiceRequest.FromString(body) for body in list(self.bodies)]
        return [
            CollectedSpan(
                span.name,
                span.trace_id.hex(),
                span.span_id.hex(),
                span.parent_span_id.hex(),
                [link.trace_id.hex() for link in span.links],
                {one.key: one.value.string_value or one.value.int_value for one in span.attributes},
            )
            for request in requests
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
            if name in {"", span.name}
        ]


@contextmanager
def span_collector() -> Iterator[SpanCollector]:
    """On a free port; `url` is for OTEL_EXPORTER_OTLP_ENDPOINT."""
    collector = SpanCollector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # as the base class spells it
            collector.bodies.append(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing, on standard error."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    collector.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield collector
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
