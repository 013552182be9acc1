"""The trace context that a publisher sends with an event: W3C's `traceparent`.

As the header of that name, as the attribute of CloudEvents' distributed tracing extension in binary
mode (`ce_traceparent`), or in structured mode as a member of the event. What has another form than
W3C's is passed over: nothing else may go on from here, into spans and to other services.
"""

import re
from collections.abc import Sequence
from typing import Protocol

from consumers.telemetry.spans import tracing

LINKED = 8  # records of a chunk
HEADERS = ("traceparent", "ce_traceparent")
_FORM = re.compile(rb"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
_MEMBER = re.compile(rb'"traceparent"\s*:\s*"(' + _FORM.pattern + rb')"')


class Carrier(Protocol):
    """What is needed of a record."""

    @property
    def value(self) -> bytes | None: ...
    @property
    def headers(self) -> Sequence[tuple[str, bytes]]: ...


def context_of(record: Carrier) -> str | None:
    """The context that came with the record, if one of the right form did."""
    binary = False
    for name, value in record.headers:
        if name in HEADERS and value and _FORM.fullmatch(value):
            return value.decode()
        binary = binary or name == "ce_specversion"
    if binary or not record.value:
        return None
    member = _MEMBER.search(record.value)
    return member[1].decode() if member else None


def linked_contexts(chunk: Sequence[Carrier]) -> Sequence[str]:
    """Those that a batch's span links to, of a chunk of records: of the first few, so that a
    backlog pays next to nothing; none where no spans are made."""
    if not tracing():
        return ()
    found = (context_of(record) for record in chunk[:LINKED])
    return [context for context in found if context]
