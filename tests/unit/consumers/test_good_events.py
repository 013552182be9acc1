"""Any event that keeps the rules becomes the row with the same content, in either mode."""

import json
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from consumers.contracts.claims import SentClaim
from consumers.contracts.registry import CLAIM_CONTRACTS, ClaimContract
from repositories.calendar import ALBERTA
from repositories.claims.rows import ClaimEventRow
from repositories.vocabulary import UNSENT_STATES, ClaimType, FormId, TimingTier
from tests.unit.consumers.records import KafkaRecord, accepted, binary

MOMENT = datetime(2026, 6, 30, 23, 30, tzinfo=UTC)
FIRST, LAST = date(2000, 1, 1), date(2100, 12, 31)

money = st.decimals(0, Decimal("99999999.99"), places=2)
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1)
offsets = st.integers(-23 * 60, 23 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
moments = st.builds(
    lambda after, offset: (datetime(2000, 1, 1, tzinfo=UTC) + after).astimezone(offset),
    st.timedeltas(timedelta(0), timedelta(days=36_889)),
    offsets,
)


def text_up_to(length: int) -> st.SearchStrategy[str]:
    return texts.map(lambda text: text[:length])


@st.composite
def claims(draw: st.DrawFn) -> dict[str, Any]:
    """Python values of a claim's fields, those of all events."""
    claim_type = draw(st.sampled_from(ClaimType))
    ahcip = claim_type is ClaimType.AHCIP
    code = text_up_to(10) if ahcip else st.none() | text_up_to(10)
    date_of_service = draw(st.dates(FIRST, date(2026, 7, 1)))
    return {
        "claim_id": draw(st.uuids()),
        "claim_version": draw(st.integers(1, 2**63 - 1)),
        "provider_id": draw(st.uuids()),
        "claim_type": claim_type,
        "date_of_service": date_of_service,
        "patient_phn": draw(st.none() | st.from_regex("[0-9]{9}", fullmatch=True)),
        "ba_number": draw(code),
        "location_id": draw(st.none() | st.uuids()),
        "hsc_code": draw(code),
        "modifiers": draw(st.lists(text_up_to(6), max_size=3)),
        "form_id": None if ahcip else draw(st.sampled_from(FormId)),
        "timing_tier": None if ahcip else draw(st.none() | st.sampled_from(TimingTier)),
        "submitted_fee": draw(money),
        "submitted_at": draw(moments),
        "submission_deadline": draw(st.none() | st.dates(FIRST, LAST)),
        "assessed_fee": draw(money),
        "payment_date": draw(st.dates(date_of_service, LAST)),
        "rrnp_premium": draw(money),
        "explanatory_codes": draw(st.lists(text_up_to(10), max_size=50)),
        "stage": draw(st.sampled_from(UNSENT_STATES)),
        "created_at": draw(moments),
    }


def _member(value: object, as_number: bool) -> str:
    if isinstance(value, Decimal):
        return str(value) if as_number else f'"{value}"'
    if isinstance(value, datetime):
        return f'"{value.isoformat()}"'
    return json.dumps(value, default=str)


def _json(data: dict[str, Any], as_number: bool) -> str:
    members = (f'"{name}": {_member(value, as_number)}' for name, value in data.items())
    return "{" + ", ".join(members) + "}"


def _structured(data: str, event_type: str) -> KafkaRecord:
    attributes = f'"specversion": "1.0", "id": "1", "source": "x", "type": "{event_type}"'
    event = f'{{{attributes}, "time": "{MOMENT.isoformat()}", "data": {data}}}'
    return KafkaRecord(event.encode(), [("content-type", b"application/cloudevents+json")])


UNFINISHED = ("ba_number", "hsc_code", "form_id", "submitted_fee")


@settings(max_examples=300, deadline=None)
@given(
    claim=claims(),
    contract=st.sampled_from(CLAIM_CONTRACTS),
    lacking=st.sets(st.sampled_from(UNFINISHED)),
    as_number=st.booleans(),
    order=st.randoms(),
)
def test_a_good_event_becomes_its_row(
    claim: dict[str, Any],
    contract: ClaimContract,
    lacking: set[str],
    as_number: bool,
    order: Random,
) -> None:
    names = list(contract.data.model_fields)
    order.shuffle(names)
    if not issubclass(contract.data, SentClaim):
        claim |= dict.fromkeys(lacking)
    text = _json({name: claim[name] for name in names}, as_number)
    row = accepted(binary(text.encode(), contract, time=MOMENT.isoformat()), contract)
    assert row == _row({name: claim[name] for name in names}, contract)
    assert accepted(_structured(text, contract.event.name), contract) == row


def _row(data: dict[str, Any], contract: ClaimContract) -> ClaimEventRow:
    begun = data.get("created_at")
    columns = {
        **dict.fromkeys(ClaimEventRow._fields),
        "explanatory_codes": [],
        **data,
        "state": contract.state or data["stage"],
        "created_day": begun and begun.astimezone(ALBERTA).date(),
        "occurred_at": MOMENT,
        "source_topic": "claims-in",
        "source_partition": 3,
        "source_offset": 42,
    }
    columns.pop("stage", None)
    return ClaimEventRow(**columns)
