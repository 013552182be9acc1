"""Sets of claim events that keep the publisher's contract, and ways to deliver them."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Final, NamedTuple
from uuid import uuid5

from hypothesis import strategies as st

from tests.strategies.contents import (
    AHCIP,
    CODES,
    CONTENTS,
    NAMESPACE,
    PROVIDERS,
    Event,
    event_of,
    events,
)
from tests.strategies.specs import PAID, EventSpec

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
    contents = [draw(AHCIP) | {"hsc_code": code, "date_of_service": "2024-02-29"} for code in codes]
    return _as_specs([_Life(provider, {1: draw(event_of(PAID, content))}) for content in contents])


@st.composite
def deliveries(
    draw: st.DrawFn, specs: Sequence[EventSpec], max_repeats: int = 8
) -> list[list[EventSpec]]:
    """The events in any order, some of them again and perhaps with another id, in any batches."""
    repeats = draw(st.lists(st.sampled_from(specs), max_size=max_repeats)) if specs else []
    copies = [
        replace(spec, ce_id=str(uuid5(NAMESPACE, f"copy {n}"))) if draw(st.booleans()) else spec
        for n, spec in enumerate(repeats)
    ]
    order = draw(st.permutations([*specs, *copies]))
    cuts = sorted(draw(st.sets(st.integers(0, len(order)), max_size=5)))
    batches = [order[start:end] for start, end in pairwise([0, *cuts, len(order)])]
    return [batch for batch in batches if batch]


class _Life(NamedTuple):
    """A claim's provider, and its event at each version."""

    provider_id: str
    events: dict[int, Event]


@st.composite
def _lives(draw: st.DrawFn) -> _Life:
    """A claim that goes back and forth: each version keeps the content before or draws anew."""
    versions = draw(st.lists(st.sampled_from(VERSIONS), min_size=1, max_size=5, unique=True))
    content, of_version = draw(CONTENTS), {}
    for version in sorted(versions):
        content = draw(st.one_of(st.just(content), CONTENTS))
        of_version[version] = draw(events(content))
    return _Life(draw(st.sampled_from(PROVIDERS)), of_version)


def _as_specs(lives: Sequence[_Life]) -> list[EventSpec]:
    return [
        _as_spec(f"claim {number}", version, life.provider_id, event)
        for number, life in enumerate(lives)
        for version, event in life.events.items()
    ]


def _as_spec(claim: str, version: int, provider_id: str, event: Event) -> EventSpec:
    identity = {
        "claim_id": str(uuid5(NAMESPACE, claim)),
        "claim_version": version,
        "provider_id": provider_id,
    }
    ce_id = str(uuid5(NAMESPACE, f"{claim} version {version}"))
    return EventSpec(event.event_type, identity | event.content, event.ce_time, ce_id)
