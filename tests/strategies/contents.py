"""What claims and their events may hold.

The values are few and chosen to collide: the same provider, month, location and code again and
again, months' edges, nulls, the smallest and largest amounts, moments at the edge of a day in
Alberta.
"""

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any, Final, NamedTuple
from uuid import UUID, uuid5

from hypothesis import strategies as st

from repositories.vocabulary import UNSENT_STATES, FormId, TimingTier
from tests.strategies.specs import (
    ADJUSTED,
    ASSESSED,
    EXPIRED,
    PAID,
    REJECTED,
    SAVED,
    SUBMITTED,
    WITHDRAWN,
    WRITTEN_OFF,
)

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
DEADLINES: Final = (None, "2024-02-29", "2024-05-29", "2024-05-30")
# Around midnight in Alberta, in winter, after a leap day and in summer; in the hour that comes
# twice, before and after the one that never comes; and where the year in UTC is another.
CREATED: Final = (
    "2024-02-01T06:59:59.999999Z", "2024-02-01T07:00:00Z",
    "2024-03-01T06:59:59.999Z", "2024-02-29T23:59:59-07:00", "2024-03-01T00:00:00-07:00",
    "2024-07-01T05:59:59Z", "2024-07-01T06:00:00Z",
    "2023-11-05T01:30:00-06:00", "2023-11-05T01:30:00-07:00", "2023-11-06T06:30:00Z",
    "2024-03-10T08:59:59Z", "2024-03-10T09:00:00Z", "2024-01-01T03:00:00Z",
)  # fmt: skip
MONEY: Final = ("0", "0.00", "0.01", "0.05", "33.33", "100", "100.5", "99999999.99")
PREMIUMS: Final = ("0", "0.00", "0.01", "12.50", "99999999.99")
# Equal ones, the same but for case, and what a list of texts must be quoted for; as many as may be.
EXPLANATORY_CODES: Final[tuple[list[str], ...]] = (
    [], ["05BA"], ["05BA", "05BA"], ["63", "05ba", "05BA"], ["É", "63", "É"],
    ['"\\', "{,}", "NULL"], [f"{n % 48:02}" for n in range(50)],
)  # fmt: skip


class Event(NamedTuple):
    """An event less its identity: type, the claim's content, time."""

    event_type: str
    content: dict[str, Any]
    ce_time: str


_EITHER: Final[dict[str, st.SearchStrategy[Any]]] = {
    "date_of_service": st.sampled_from(DATES).map(date.isoformat),
    "patient_phn": st.sampled_from([None, "000000000", "123456789"]),
    "location_id": st.sampled_from([None, *LOCATIONS]),
    "submitted_fee": st.sampled_from(MONEY),
}
_MODIFIERS: Final = {"modifiers": st.sampled_from([[], ["TEV"], ["CMGP01", "AGE", "é"]])}
AHCIP: Final[st.SearchStrategy[dict[str, Any]]] = st.fixed_dictionaries(
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
CONTENTS: Final = st.one_of(AHCIP, _WCB)  # of finished claims

_DEADLINE: Final = {"submission_deadline": st.sampled_from(DEADLINES)}
_CODES: Final = {"explanatory_codes": st.sampled_from(EXPLANATORY_CODES)}
_UNFINISHED: Final = st.one_of(
    st.just({}),
    st.lists(
        st.sampled_from(["submitted_fee", "ba_number", "hsc_code", "form_id"]), min_size=1
    ).map(dict.fromkeys),
)
# What each type adds to the claim; an unfinished one may lack what a finished one must have.
_SAVED: Final = st.fixed_dictionaries(
    {
        "stage": st.sampled_from([state.value for state in UNSENT_STATES]),
        "created_at": st.sampled_from(CREATED),
        **_DEADLINE,
    }
)
_ASSESSED: Final = st.fixed_dictionaries({"assessed_fee": st.sampled_from(MONEY)}, optional=_CODES)
_REJECTED: Final = st.fixed_dictionaries(_DEADLINE, optional=_CODES)


@st.composite
def events(draw: st.DrawFn, content: Mapping[str, Any]) -> Event:
    """Any event of a claim with this content."""
    event_type = draw(st.sampled_from([*_ADDED]))
    return draw(event_of(event_type, content))


@st.composite
def event_of(draw: st.DrawFn, event_type: str, content: Mapping[str, Any]) -> Event:
    """An event of this type."""
    served = date.fromisoformat(content["date_of_service"])
    added = draw(_ADDED[event_type](served))
    if event_type in (SAVED, WRITTEN_OFF, EXPIRED, WITHDRAWN):
        added = added | draw(_UNFINISHED)
    return Event(event_type, {**content, **added}, draw(_times(served)))


@st.composite
def _submitted(draw: st.DrawFn, served: date) -> dict[str, Any]:
    deadline = st.sampled_from([None, (served + timedelta(days=90)).isoformat()])
    return {"submitted_at": draw(_times(served)), "submission_deadline": draw(deadline)}


@st.composite
def _paid(draw: st.DrawFn, served: date) -> dict[str, Any]:
    days = draw(st.sampled_from([0, 1, 2, 31, 366]))
    return {
        "assessed_fee": draw(st.sampled_from(MONEY)),
        "payment_date": (served + timedelta(days=days)).isoformat(),
        **draw(st.fixed_dictionaries({}, optional={"rrnp_premium": st.sampled_from(PREMIUMS)})),
    }


@st.composite
def _adjusted(draw: st.DrawFn, served: date) -> dict[str, Any]:
    return draw(_paid(served)) | draw(st.fixed_dictionaries({}, optional=_CODES))


_ADDED: Final[dict[str, Callable[[date], st.SearchStrategy[dict[str, Any]]]]] = {
    SAVED: lambda _: _SAVED,
    SUBMITTED: _submitted,
    ASSESSED: lambda _: _ASSESSED,
    PAID: _paid,
    REJECTED: lambda _: _REJECTED,
    ADJUSTED: _adjusted,
    WRITTEN_OFF: lambda _: st.just({}),
    EXPIRED: lambda _: st.just({}),
    WITHDRAWN: lambda _: st.just({}),
}


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
