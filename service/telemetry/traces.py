"""Spans for an OpenTelemetry collector, if the settings ask for them: an extra.

OpenTelemetry itself is imported by `service.telemetry.otlp` alone, which is loaded here
and nowhere else: without the extra it is not there, and without traces nobody waits for it.
"""

import asyncio
import logging
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from consumers.telemetry import spans
from service.settings import Settings

log = logging.getLogger(__name__)

GOODBYE_SECONDS = 3.0  # for the last spans to be taken


class TracesNotInstalled(Exception):
    """Traces are asked for, and the extra is not installed; the text says what to do."""


@asynccontextmanager
async def traced(settings: Settings) -> AsyncIterator[None]:
    """Spans are made in the block, if the settings ask for them. Raises TracesNotInstalled."""
    if not settings.traces:
        yield
        return
    try:
        from service.telemetry.otlp import begin  # noqa: PLC0415  # see above
    except ImportError:
        raise TracesNotInstalled(
            "CLAIM_ANALYTICS_TRACES is on, and OpenTelemetry is not installed: install"
            " claim-analytics[traces], or set it to false"
        ) from None
    tracer, end = begin()
    spans.use(tracer)
    log.info("spans are sent to an OpenTelemetry collector")
    try:
        yield
    finally:
        spans.use(None)
        # In a thread of its own, which the process does not wait for: the collector may be away.
        ending = threading.Thread(target=end, name="traces", daemon=True)
        ending.start()
        await asyncio.to_thread(ending.join, GOODBYE_SECONDS)
