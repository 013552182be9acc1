"""Spans of what is being done. Nothing comes of them until a tracer is set.

This floor knows no tracing library: `service.telemetry.traces` sets a tracer if one is asked for.
Like the loggers, it is the process's.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

Attributes = Mapping[str, str | int]


class Kind(StrEnum):
    """The side of a message that a span is on."""

    INTERNAL = "internal"
    CONSUMER = "consumer"
    PRODUCER = "producer"


class Span(Protocol):
    """Something that is being done."""

    @property
    def context(self) -> str | None:
        """Its place in the trace, as W3C's `traceparent`."""

    def note(self, attributes: Attributes) -> None:
        """What is known of it by now. No field value of an event belongs here."""


class Tracer(Protocol):
    """What makes spans. `parent` and `links` are W3C's `traceparent`; without a parent a span
    belongs to the one that is open around it."""

    def span(
        self,
        name: str,
        kind: Kind,
        parent: str | None,
        links: Sequence[str],
        attributes: Attributes,
    ) -> AbstractContextManager[Span]: ...

    def ids(self) -> Mapping[str, str]:
        """`trace_id` and `span_id` of the span that is open here, for log lines; may be empty."""


@dataclass(frozen=True)
class NoSpan:
    """Hands on the context that came, so that a trace does not end with a service without spans."""

    context: str | None = None

    def note(self, attributes: Attributes) -> None:
        """Nobody asks."""


_tracer: Tracer | None = None
_NO_SPAN = nullcontext(NoSpan())


def use(tracer: Tracer | None) -> None:
    """From now on, for all of the process; None: no spans."""
    global _tracer  # noqa: PLW0603  # one of the process, as the root logger is
    _tracer = tracer


def tracing() -> bool:
    """Whether spans are made: what is only for them need not be looked for otherwise."""
    return _tracer is not None


def span(
    name: str,
    kind: Kind = Kind.INTERNAL,
    *,
    parent: str | None = None,
    links: Sequence[str] = (),
    attributes: Attributes | None = None,
) -> AbstractContextManager[Span]:
    """Around what is being done; an error that leaves the block marks it by its class alone."""
    if _tracer is None:
        return _NO_SPAN if parent is None else nullcontext(NoSpan(parent))
    return _tracer.span(name, kind, parent, links, attributes or {})


def ids() -> Mapping[str, str]:
    """As `Tracer.ids`."""
    return {} if _tracer is None else _tracer.ids()
