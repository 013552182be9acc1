"""Sets of claim events that keep the publisher's contract, and ways to deliver them.

The values are few and chosen to collide: the same provider, month, location and code again and
again, months' edges, nulls, the smallest and largest amounts, versions with gaps.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise
from typing import Any, Final, NamedTuple
from uuid import UUID, uuid5

from hypothesis import strategies as st

from repositories.vocabulary import FormId, TimingTier
from tests.strategies.specs import PAID, SUBMITTED, EventSpec

NAMESPACE: Final = UUID("6d1f0c0e-0a52-4d39-9d0e-5d8a5f3f0b11")
PROVIDERS: Final = tuple(str(uuid5(NAMESPACE, f"provider {n}")) for n in range(2))
LOCATIONS: Final = tuple(str(uuid5(NAMESPACE, f"location {n}")) for n in range(2))
BA_NUMBERS: Final = ("1234567", "ÅB 7654321")
# More than the ten that are listed; their order by bytes differs from that of most collations,
# and the last two from that by UTF-16.
CODES: Final = (
    "03.04A", "03.04 A", "03.04a", "03,04A", "3.04A", "_", "z", "Z", "É", "é1",
    "13.99BA", "\ufb01", "\U0001f600",
)  # fmt: skip
# Where a day more or less is another month, a leap day, or the first day that is allowed.
DATES: Final = tuple(
    date.fromisoformat(day)
    for day in (
        "2024-02-29", "2024-02-01", "2024-02-28", "2024-01-31", "2024-03-01",
        "2023-12-31", "2024-01-01", "2000-01-01",
    )
)  # fmt: skip
MONEY: Final = ("0", "0.00", "0.01", "0.05", "33.33", "100", "100.5", "99999999.99")
PREMIUMS: Final = ("0", "0.00", "0.01", "12.50", "99999999.99")
VERSIONS: Final = (1, 2, 3, 5, 8, 1000, 2**63 - 2, 2**63 - 1)


def claims_histories(max_claims: int = 8) -> st.SearchStrategy[list[EventSpec]]:
    """Sets of events: some claims with their versions, or a month with more than ten codes."""
    mixed = st.lists(_lives(), max_size=max_claims).map(_as_specs)
    return st.one_of(mixed, mixed, mixed, crowded_months())


@st.composite
def crowded_months(draw: st.DrawFn) -> list[EventSpec]:
    """One provider's month of paid claims with more codes than `top_hsc_codes` lists."""
    size = draw(st.integers(11, len(CODES)))
    codes = draw(st.permutations(CODES))[:size]
    codes += draw(st.lists(st.sampled_from(codes), max_size=4))
    provider = draw(st.sampled_from(PROVIDERS))
    contents = [
        draw(_AHCIP) | {"hsc_code": code, "date_of_service": "2024-02-29"} for code in codes
    ]
    return _as_specs([_Life(provider, {1: draw(_paid(content))}) for content in contents])


@st.composite
def deliveries(
    draw: st.DrawFn, events: Sequence[EventSpec], max_repeats: int = 8
) -> list[list[EventSpec]]:
    """The events in any order, some of them again and perhaps with another id, in any batches."""
    repeats = draw(st.lists(st.sampled_from(events), max_size=max_repeats)) if events else []
    copies = [
        replace(spec, ce_id=str(uuid5(NAMESPACE, f"copy {n}"))) if draw(st.booleans()) else spec
        for n, spec in enumerate(repeats)
    ]
    order = draw(st.permutations([*events, *copies]))
    cuts = sorted(draw(st.sets(st.integers(0, len(order)), max_size=5)))
    batches = [order[start:end] for start, end in pairwise([0, *cuts, len(order)])]
    return [batch for batch in batches if batch]


class _Event(NamedTuple):
    """An event less its identity: type, the claim's content, time."""

    event_type: str
    content: dict[str, Any]
    ce_time: str


class _Life(NamedTuple):
    """A claim's provider, and its event at each version."""

    provider_id: str
    events: dict[int, _Event]


@st.composite
def _lives(draw: st.DrawFn) -> _Life:
    """A claim that goes back and forth: each version keeps the content before or draws anew."""
    versions = draw(st.lists(st.sampled_from(VERSIONS), min_size=1, max_size=4, unique=True))
    contents = st.one_of(_AHCIP, _WCB)
    content, events = draw(contents), {}
    for version in sorted(versions):
        content = draw(st.one_of(st.just(content), contents))
        events[version] = draw(st.one_of(_submitted(content), _paid(content)))
    return _Life(draw(st.sampled_from(PROVIDERS)), events)


_EITHER: Final[dict[str, st.SearchStrategy[Any]]] = {
    "date_of_service": st.sampled_from(DATES).map(date.isoformat),
    "patient_phn": st.sampled_from([None, "000000000", "123456789"]),
    "location_id": st.sampled_from([None, *LOCATIONS]),
    "submitted_fee": st.sampled_from(MONEY),
}
_MODIFIERS: Final = {"modifiers": st.sampled_from([[], ["TEV"], ["CMGP01", "AGE", "é"]])}
_AHCIP: Final[st.SearchStrategy[dict[str, Any]]] = st.fixed_dictionaries(
    {
        **_EITHER,
        "claim_type": st.just("AHCIP"),
        "ba_number": st.sampled_from(BA_NUMBERS),
        "hsc_code": st.sampled_from(CODES),
        "form_id": st.none(),
        "timing_tier": st.none(),
    },
    optional=_MODIFIERS,
)
_WCB: Final[st.SearchStrategy[dict[str, Any]]] = st.fixed_dictionaries(
    {
        **_EITHER,
        "claim_type": st.just("WCB"),
        "ba_number": st.sampled_from([None, *BA_NUMBERS]),
        "hsc_code": st.sampled_from([None, *CODES]),
        "form_id": st.sampled_from([form.value for form in FormId]),
        "timing_tier": st.sampled_from([None, *(tier.value for tier in TimingTier)]),
    },
    optional=_MODIFIERS,
)


@st.composite
def _submitted(draw: st.DrawFn, content: Mapping[str, Any]) -> _Event:
    served = date.fromisoformat(content["date_of_service"])
    added = {
        "submitted_at": draw(_times(served)),
        "submission_deadline": draw(
            st.sampled_from([None, (served + timedelta(days=90)).isoformat()])
        ),
    }
    return _Event(SUBMITTED, {**content, **added}, draw(_times(served)))


@st.composite
def _paid(draw: st.DrawFn, content: Mapping[str, Any]) -> _Event:
    served = date.fromisoformat(content["date_of_service"])
    days = draw(st.sampled_from([0, 1, 2, 31, 366]))
    added = {
        "assessed_fee": draw(st.sampled_from(MONEY)),
        "payment_date": (served + timedelta(days=days)).isoformat(),
        **draw(st.fixed_dictionaries({}, optional={"rrnp_premium": st.sampled_from(PREMIUMS)})),
    }
    return _Event(PAID, {**content, **added}, draw(_times(served)))


def _times(served: date) -> st.SearchStrategy[str]:
    """Times that a service on that day allows: from the last moment of the day before."""
    moments = [
        (0, "T00:00:00Z"),
        (0, "T23:30:00-07:00"),
        (1, "T00:30:00+02:00"),
        (45, "T12:00:00.5+00:00"),
    ]
    if served > date(2000, 1, 1):  # no event is older than the year 2000
        moments.append((-1, "T23:59:59.999999Z"))
    return st.sampled_from(
        [(served + timedelta(days=days)).isoformat() + clock for days, clock in moments]
    )


def _as_specs(lives: Sequence[_Life]) -> list[EventSpec]:
    return [
        _as_spec(f"claim {number}", version, life.provider_id, event)
        for number, life in enumerate(lives)
        for version, event in life.events.items()
    ]


def _as_spec(claim: str, version: int, provider_id: str, event: _Event) -> EventSpec:
    identity = {
        "claim_id": str(uuid5(NAMESPACE, claim)),
        "claim_version": version,
        "provider_id": provider_id,
    }
    ce_id = str(uuid5(NAMESPACE, f"{claim} version {version}"))
    return EventSpec(event.event_type, identity | event.content, event.ce_time, ce_id)
