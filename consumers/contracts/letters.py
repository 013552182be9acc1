"""Which dead letter a message belongs to, and the ids that it can be found by."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import msgspec

from consumers.contracts.refusal import DeadLetter, Record
from repositories.operations.letters import Letter, LetterId

REDRIVE_OF = "dlq-redrive-of"  # the last header of a copy that a redrive has sent
COPY_PATTERN = "^([A-Za-z0-9._-]+):([0-9]{1,9}):([0-9]{1,18}):(-?[0-9]{1,18})$"
MAX_DETAIL = 1000  # characters; DLQ topics leave room for these headers
ADDED = (  # to a message on the dead letter topic, in this order
    "dlq-reason",
    "dlq-detail",
    "dlq-topic",
    "dlq-partition",
    "dlq-offset",
    "dlq-timestamp",
    "dlq-group",
    "dlq-attempts",
)
_OURS = {*ADDED, REDRIVE_OF}
_PLACE = ("dlq-topic", "dlq-partition", "dlq-offset", "dlq-timestamp")


@dataclass(frozen=True)
class Original:
    """The message of a dead letter as it was published: a `Record`, wherever it was found."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]]


class _Named(msgspec.Struct):
    """The ids that events name, wherever they stand; nothing else of a message is looked at."""

    provider_id: Any = None
    claim_id: Any = None
    report_id: Any = None


class _Message(_Named):
    data: Any = None  # of a structured event


_COPY_OF = re.compile(COPY_PATTERN)
_decode = msgspec.json.Decoder(_Message).decode
_UUID_LENGTH = 36


def redrive_header(letter_id: LetterId) -> tuple[str, bytes]:
    """What makes a message a copy of a dead letter's message."""
    return REDRIVE_OF, ":".join(map(str, letter_id)).encode()


def redrive_of(record: Record) -> LetterId | None:
    """The letter whose message this is a copy of; None for any other message.

    A redrive puts its header last, so this costs an ordinary message one comparison. A copy stays
    in its letter's topic.
    """
    headers = record.headers
    if not headers or headers[-1][0] != REDRIVE_OF:
        return None
    named = _named_by((headers[-1][1] or b"").decode("ascii", "replace"))
    return named if named and named.topic == record.topic else None


def _named_by(text: str) -> LetterId | None:
    """As `redrive_header` writes it."""
    match = _COPY_OF.fullmatch(text)
    return LetterId.of(match[1], int(match[2]), int(match[3]), int(match[4])) if match else None


def letter_id_of(record: Record) -> LetterId:
    """Of a copy the letter that it names, of any other message its own place."""
    return redrive_of(record) or _own_id(record)


def _own_id(record: Record) -> LetterId:
    return LetterId.of(record.topic, record.partition, record.offset, record.timestamp)


def letter_of(dead: DeadLetter, group: str) -> Letter:
    """The row of a message that could not be decoded."""
    record = dead.record
    return Letter(
        letter_id_of(record),
        dead.reason.value,
        dead.detail[:MAX_DETAIL],
        group,
        **ids_in(record.value),
        is_copy=redrive_of(record) is not None,
    )


def ids_in(value: bytes | None) -> dict[str, UUID | None]:
    """What the message says its ids are, where each is a UUID; for a message that may be anything,
    so it promises nothing."""
    try:
        message = _decode(value or b"")
        data = msgspec.convert(message.data, _Named) if message.data else message
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}
    return {name: _uuid(getattr(data, name)) for name in _Named.__struct_fields__}


def _uuid(value: object) -> UUID | None:
    try:
        return UUID(value) if isinstance(value, str) and len(value) == _UUID_LENGTH else None
    except ValueError:
        return None


def original_of(record: Record, letter_id: LetterId) -> Original | None:
    """The letter's message, out of the dead letter topic or where it was read first; None if the
    record is another, as when a topic was created anew."""
    headers = list(record.headers)
    if record.topic == letter_id.topic:
        own: LetterId | None = _own_id(record)
    else:
        named = dict(headers)  # the last of a name counts
        place = b":".join(named.get(name) or b"" for name in _PLACE)
        own = _named_by(place.decode("ascii", "replace"))
        while headers and headers[-1][0] in _OURS:
            headers.pop()
    return Original(*letter_id, record.key, record.value, headers) if own == letter_id else None


def copy_headers(original: Original, redrives: int) -> list[tuple[str, bytes]]:
    """Of the copy that a redrive sends, the letter's so many-th."""
    letter_id = LetterId(original.topic, original.partition, original.offset, original.timestamp)
    attempts = ("dlq-attempts", str(redrives).encode())
    return [*original.headers, attempts, redrive_header(letter_id)]
