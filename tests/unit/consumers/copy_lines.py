"""Reads a line of PostgreSQL's COPY text format back into the row, as PostgreSQL would."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from repositories.claims.rows import ClaimEventRow
from repositories.vocabulary import ClaimState, ClaimType, FormId, TimingTier

_ESCAPED = {r"\\": "\\", r"\t": "\t", r"\n": "\n", r"\r": "\r"}
_ELEMENT = re.compile(r'\s*(?:"((?:[^"\\]|\\.)*)"|([A-Za-z0-9]+))\s*(,|$)', re.DOTALL)
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-](0\d|1[0-5]):\d\d)", re.ASCII)


def row_of(line: bytes) -> ClaimEventRow:
    """The row that PostgreSQL makes of it; a line that it would refuse fails the test."""
    assert b"\n" not in line
    assert b"\r" not in line
    values = line.decode().split("\t")
    assert len(values) == len(ClaimEventRow._fields)
    columns = dict(zip(ClaimEventRow._fields, values, strict=True))
    return ClaimEventRow(**{name: _value(name, text) for name, text in columns.items()})


def _value(name: str, text: str) -> Any:
    if text == r"\N":
        return None
    return _READERS.get(name, str)(re.sub(r"\\.", lambda escape: _ESCAPED[escape[0]], text))


def _array(text: str) -> list[str]:
    assert (text[0], text[-1]) == ("{", "}")
    inner, elements, place = text[1:-1], [], 0
    while place < len(inner):
        element = _ELEMENT.match(inner, place)
        assert element, text
        quoted, bare, _ = element.groups()
        assert (bare or "").upper() != "NULL"
        elements.append(bare or re.sub(r"\\(.)", r"\1", quoted, flags=re.DOTALL))
        place = element.end()
    return elements


def _time(text: str) -> datetime:
    assert _TIME.fullmatch(text), text
    return datetime.fromisoformat(text).astimezone(UTC)


_DATES = ("date_of_service", "submission_deadline", "payment_date", "created_day")
_READERS: dict[str, Callable[[str], Any]] = {
    **dict.fromkeys(("claim_id", "provider_id", "location_id"), UUID),
    **dict.fromkeys(("claim_version", "source_partition", "source_offset"), int),
    **dict.fromkeys(_DATES, date.fromisoformat),
    **dict.fromkeys(("submitted_fee", "assessed_fee", "rrnp_premium"), Decimal),
    **dict.fromkeys(("submitted_at", "occurred_at", "created_at"), _time),
    **dict.fromkeys(("modifiers", "explanatory_codes"), _array),
    "state": ClaimState,
    "claim_type": ClaimType,
    "form_id": FormId,
    "timing_tier": TimingTier,
}
