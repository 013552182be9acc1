"""What must hold of any record, whatever it is."""

import json
import logging
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any
from uuid import UUID

from consumers.contracts.letters import ids_in, letter_of
from consumers.contracts.refusal import DeadLetter, DeadLetterReason
from consumers.contracts.registry import CONTRACT_BY_TOPIC, ClaimContract
from consumers.engine.dead_letters import dead_letter_headers
from consumers.telemetry.trace_context import context_of
from repositories.reports.requests import ReportRequest
from repositories.vocabulary import ReportFormat, ReportType
from tests.reliability.fuzz.mutations import Input, mutated
from tests.unit.consumers.both_ways import agree
from tests.unit.consumers.example_files import DECODERS

# All that is ever said beside the sentences of fields. None has a place for a value.
SENTENCES = {
    "headers: must have ce_specversion, or a content-type of application/cloudevents+json",
    "content-type: must be a JSON media type",
    "datacontenttype: must be a JSON media type",
    "data: must be there, as JSON",
    "data: must be a JSON object",
    "value: must be a JSON object",
    "value: must not be empty",
    "value: must be UTF-8",
    "value: must be JSON",
    "value: must be one JSON value",
    "value: must be JSON: NaN and Infinity are no numbers",
    "value: must not name a member twice in one object",
    "value: must not be nested deeper than 500 levels",
    "CloudEvents attribute specversion: must be 1.0",
    "CloudEvents attribute time: must lie in the years 2000 to 2100 (UTC)",
    "CloudEvents attribute time: must be an RFC 3339 time with offset, no leap second",
    *(
        f"CloudEvents attribute {name}: must be text (UTF-8) that is not empty"
        for name in ("id", "source", "type")
    ),
    *(
        f"CloudEvents attribute type: must be {contract.event.name}"
        for contract in CONTRACT_BY_TOPIC.values()
    ),
}
_WORDS = "|".join([*ReportType, *ReportFormat])
PROBLEM = re.compile(
    rf"(?:(?:{_WORDS}) reports come as (?:{_WORDS}| or )+, not as (?:{_WORDS})\."
    r"|The field scheduled must be true or false\."
    r"|The period must have a first and a last day \(period_start and period_end\)\."
    r"|The period must lie in the years 2000 to 2100\."
    r"|The period must not end before it starts\.|The period must not be longer than \d+ days\."
    r"|Only a ZIP file can have a password \(archive_password\)\."
    r"|The archive_password must be a compact JWE to the service's public key\.| )+"
)
FROM_THE_DATABASE = {DeadLetterReason.PROVIDER_MISMATCH, DeadLetterReason.VERSION_CONFLICT}


def check(given: Input) -> str:
    """What became of the input, in a word; AssertionError, or whatever was raised, if it is not as
    it must be."""
    topic, record = given
    contract, was_fast = CONTRACT_BY_TOPIC[topic], False
    if isinstance(contract, ClaimContract):
        was_fast = agree(record, contract)
    outcome = DECODERS[topic](record)
    context_of(record)
    if not isinstance(outcome, DeadLetter):
        assert outcome == DECODERS[topic](record), "another outcome the second time"
        if isinstance(outcome, bytes):
            assert b"\0" not in outcome, "PostgreSQL takes no U+0000"
        else:
            _assert_storable(outcome)
        if isinstance(outcome, ReportRequest) and outcome.problem:
            assert PROBLEM.fullmatch(outcome.problem), "a problem that is not ours"
            return "impossible request"
        return "event, the fast way" if was_fast else "event"
    assert outcome.reason not in FROM_THE_DATABASE
    _assert_private(outcome.detail, topic)
    added = dead_letter_headers(outcome, "group")[len(record.headers) :]
    assert all(value.isascii() for name, value in added if name != "dlq-topic")
    letter = letter_of(outcome, "group")
    _assert_private(letter.detail, topic)
    _ = letter.letter_id.moment  # which a row must be able to hold
    assert all(value is None or isinstance(value, UUID) for value in ids_in(record.value).values())
    return outcome.reason.value


def _assert_private(detail: str, topic: str) -> None:
    """Every sentence is one of ours, so none has anything of the message."""
    if detail in SENTENCES:
        return
    left = detail.partition("; and ")[0]
    for sentence in sorted(_of_fields(topic), key=len, reverse=True):
        left = left.replace(sentence, "")
    assert not left.strip("; "), "a detail that is not ours"


@cache
def _of_fields(topic: str) -> frozenset[str]:
    fields = CONTRACT_BY_TOPIC[topic].data.model_fields
    return frozenset(f"{name}: must be {field.description}" for name, field in fields.items())


def _assert_storable(row: Any) -> None:
    text = json.dumps(row, default=str, ensure_ascii=False)
    text.encode()  # no lone surrogate
    assert "\\u0000" not in text, "PostgreSQL takes no U+0000"


@contextmanager
def silent() -> Iterator[None]:
    """Decoding says nothing: whoever logs within fails."""

    class Refuse(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            raise AssertionError(f"decoding has logged, from {record.name}")

    root, handler = logging.getLogger(), Refuse()
    root.addHandler(handler)
    try:
        yield
    finally:
        root.removeHandler(handler)


class Finding(AssertionError):
    """An input that is not treated as it must be."""


def run(seed: int, numbers: range) -> Counter[str]:
    """How many inputs became what. Raises Finding for the first that fails."""
    found: Counter[str] = Counter()
    with silent():
        for number in numbers:
            try:
                found[check(mutated(seed, number))] += 1
            except Exception as error:  # whatever it is, it is what was looked for
                again = f"python -m tests.reliability.fuzz --seed {seed} --only {number}"
                raise Finding(f"{type(error).__name__}: {error}; again: {again}") from error
    return found
