"""The shape in which a decoded claim event crosses from `consumers` into `repositories`."""

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from repositories.vocabulary import ClaimState, ClaimType, FormId, TimingTier


class ClaimEventRow(NamedTuple):
    """One claim event, fields in the column order of `claim_events`.

    Money is in dollars with at most two decimals; times are aware. `occurred_at` is the event's
    own time (`ce_time`); `source_*` say where it was read from.
    """

    claim_id: UUID
    claim_version: int
    provider_id: UUID
    state: ClaimState
    claim_type: ClaimType
    date_of_service: date
    patient_phn: str | None
    ba_number: str | None
    location_id: UUID | None
    hsc_code: str | None
    modifiers: list[str]
    form_id: FormId | None
    timing_tier: TimingTier | None
    submitted_fee: Decimal | None
    submitted_at: datetime | None
    submission_deadline: date | None
    assessed_fee: Decimal | None
    payment_date: date | None
    rrnp_premium: Decimal | None
    explanatory_codes: list[str]
    created_at: datetime | None
    created_day: date | None
    occurred_at: datetime
    source_topic: str
    source_partition: int
    source_offset: int


def copy_line(row: ClaimEventRow) -> bytes:
    """The row in PostgreSQL's COPY text format, in UTF-8, without the newline at its end."""
    return "\t".join([_WRITERS[type(value)](value) for value in row]).encode()


def copy_text(text: str) -> str:
    """Text as a value in a line of COPY."""
    return text if text.isalnum() else text.translate(_COPY_ESCAPES)


def _array(texts: list[str]) -> str:
    quoted = (f'"{text.translate(_ARRAY_ESCAPES)}"' for text in texts)
    return copy_text(f"{{{','.join(quoted)}}}")


_COPY_ESCAPES = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})
_ARRAY_ESCAPES = str.maketrans({"\\": r"\\", '"': r"\""})
_WRITERS: dict[type, Callable[[Any], str]] = {
    str: copy_text,
    list: _array,
    datetime: datetime.isoformat,
    type(None): lambda _: r"\N",
    **dict.fromkeys((UUID, int, Decimal, date), str),
    **dict.fromkeys((ClaimState, ClaimType, FormId, TimingTier), str.__str__),
}
