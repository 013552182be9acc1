"""Why an event cannot be used: the refusal, and the dead letter that becomes of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


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
