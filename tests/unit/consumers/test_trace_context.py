"""Which trace context came with a record: one of W3C's form, and nothing else."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from consumers.telemetry import spans
from consumers.telemetry.trace_context import LINKED, context_of, linked_contexts
from tests.unit.consumers.records import KafkaRecord

CONTEXT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
BINARY = ("ce_specversion", b"1.0")


def record(*headers: tuple[str, bytes], value: object = None) -> KafkaRecord:
    return KafkaRecord(value=json.dumps(value).encode(), headers=[*headers])


@pytest.mark.parametrize(
    "carrier",
    [
        record(BINARY, ("traceparent", CONTEXT.encode())),
        record(("ce_traceparent", CONTEXT.encode()), BINARY),
        record(("content-type", b"application/cloudevents+json"), value={"traceparent": CONTEXT}),
    ],
    ids=["header", "extension", "structured"],
)
def test_it_is_found_wherever_cloudevents_has_it(carrier: KafkaRecord) -> None:
    assert context_of(carrier) == CONTEXT


@pytest.mark.parametrize(
    "text",
    [
        "", "987654321", CONTEXT.upper(), CONTEXT + "-more", CONTEXT[:-1], "01" + CONTEXT[2:],
        CONTEXT + "\r\nx: y", "00-" + "0" * 32 + CONTEXT[35:], CONTEXT[:36] + "0" * 16 + "-01",
    ],
)  # fmt: skip
def test_what_has_another_form_is_passed_over(text: str) -> None:
    assert context_of(record(BINARY, ("traceparent", text.encode()))) is None
    assert context_of(record(value={"traceparent": text})) is None


def test_a_field_of_a_binary_event_is_none() -> None:
    assert context_of(record(BINARY, value={"traceparent": CONTEXT})) is None


class Tracer:
    """Makes nothing: that there is one is enough."""

    span: Any
    ids: Any


@pytest.fixture
def tracing() -> Iterator[None]:
    spans.use(Tracer())
    yield
    spans.use(None)


def test_of_a_chunk_the_first_few_are_looked_at_and_without_spans_none() -> None:
    chunk = [record(BINARY, ("traceparent", CONTEXT.encode()))] * 100
    assert linked_contexts(chunk) == ()


@pytest.mark.usefixtures("tracing")
def test_of_a_chunk_the_contexts_of_the_first_few_are_linked() -> None:
    chunk = [record(BINARY), *[record(BINARY, ("traceparent", CONTEXT.encode()))] * 100]
    assert linked_contexts(chunk) == [CONTEXT] * (LINKED - 1)


def test_without_spans_a_context_goes_on_as_it_came() -> None:
    with spans.span("report", parent=CONTEXT) as span:
        assert span.context == CONTEXT
    with spans.span("batch") as span:
        assert span.context is None
    assert spans.ids() == {}
