"""Messages that can never succeed: why, and with which headers they go to `<topic>.dlq`."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

MAX_DETAIL = 1000  # characters; DLQ topics leave room for these headers


class DeadLetterReason(StrEnum):
    """Why a message can never succeed; the list is closed."""

    NOT_CLOUDEVENT = "not-cloudevent"  # no CloudEvent 1.0, or a required attribute is malformed
    NOT_JSON = "not-json"  # no data, or data that is not JSON
    INVALID_FIELD = "invalid-field"  # a field is missing or breaks its rule
    UNKNOWN_TYPE = "unknown-type"  # an event type that this topic does not carry
    UNSUPPORTED_VERSION = "unsupported-version"  # this topic's event in another major version
    PROVIDER_MISMATCH = "provider-mismatch"  # the claim belongs to another provider already
    VERSION_CONFLICT = "version-conflict"  # this claim version was taken with other content


class Record(Protocol):
    """What this package needs of a Kafka record; aiokafka's `ConsumerRecord` has it."""

    @property
    def topic(self) -> str: ...
    @property
    def partition(self) -> int: ...
    @property
    def offset(self) -> int: ...
    @property
    def timestamp(self) -> int:
        """In milliseconds since 1970."""

    @property
    def key(self) -> bytes | None: ...
    @property
    def value(self) -> bytes | None: ...
    @property
    def headers(self) -> Sequence[tuple[str, bytes]]: ...


class RefusedError(Exception):
    """A record that can never succeed. `detail` names field and rule, never a value."""

    def __init__(self, reason: DeadLetterReason, detail: str) -> None:
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A record on its way to the dead letter topic.

    `detail` says which field and which rule, and never quotes the message: it goes where people
    look who may not see a patient's data.
    """

    reason: DeadLetterReason
    detail: str
    record: Record


def dead_letter_headers(letter: DeadLetter, group: str) -> list[tuple[str, bytes]]:
    """The record's own headers unchanged, then the `dlq-` ones, as UTF-8 text.

    `dlq-topic`, `dlq-partition` and `dlq-offset` are the dead letter's identity. Headers of an
    earlier trip stay; the last of a name counts.
    """
    record = letter.record
    added = {
        "dlq-reason": letter.reason.value,
        "dlq-detail": letter.detail[:MAX_DETAIL],
        "dlq-topic": record.topic,
        "dlq-partition": str(record.partition),
        "dlq-offset": str(record.offset),
        "dlq-timestamp": str(record.timestamp),
        "dlq-group": group,
        "dlq-attempts": str(_attempts_before(record.headers) + 1),
    }
    return [*record.headers, *((name, text.encode()) for name, text in added.items())]


def _attempts_before(headers: Sequence[tuple[str, bytes]]) -> int:
    """What the last `dlq-attempts` header says; 0 where there is none that makes sense."""
    said = dict(headers).get("dlq-attempts") or b""
    return int(said) if said.isdigit() and len(said) <= _ATTEMPTS_DIGITS else 0


_ATTEMPTS_DIGITS = 9
