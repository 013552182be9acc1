"""Any order, repetition and cut of any set of events gives the oracle's tables."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from repositories.suggestions.batch import AppliedSuggestions, RefusedSuggestion
from tests.integration.repositories.examples import TOPIC, expected
from tests.integration.repositories.laboratory import Laboratory, Steps
from tests.integration.repositories.ledger import Ledger, counts
from tests.strategies import (
    SUGGESTION,
    EventSpec,
    claims_histories,
    deliveries,
    suggestion_histories,
)
from tests.strategies.contents import PROVIDERS
from tests.strategies.histories import VERSIONS


def thorough(max_examples: int) -> settings:
    return settings(
        max_examples=max_examples,
        deadline=None,  # the machine is shared
        print_blob=True,
        suppress_health_check=[HealthCheck.too_slow],
    )


@pytest.fixture(scope="module")
def laboratory(migrated_url: str) -> Iterator[Laboratory]:
    with asyncio.Runner() as runner:
        laboratory = Laboratory(runner, migrated_url)
        yield laboratory
        laboratory.close()


@st.composite
def histories_that_break_the_contract(draw: st.DrawFn) -> list[EventSpec]:
    """Some events that bear another's content, under perhaps another version and provider."""
    events = draw(claims_histories(max_claims=4).filter(bool))
    event = st.sampled_from(events)
    impostors = draw(st.lists(st.tuples(event, event), min_size=1, max_size=6))
    return [*events, *(draw(_impostor(victim, model)) for victim, model in impostors)]


def _impostor(victim: EventSpec, model: EventSpec) -> st.SearchStrategy[EventSpec]:
    claim_id, version = victim.identity
    identity = st.fixed_dictionaries(
        {
            "claim_id": st.just(claim_id),
            "claim_version": st.sampled_from([version, version, *VERSIONS]),
            "provider_id": st.sampled_from([victim.data["provider_id"], *PROVIDERS]),
        }
    )
    return st.builds(
        EventSpec,
        st.just(model.event_type),
        identity.map(lambda fields: model.data | fields),
        st.just(model.ce_time),
        st.just("impostor"),
    )


orders = st.integers(0, 5)


@thorough(50)
@given(data=st.data(), flushed_at=st.frozensets(orders, max_size=3))
def test_any_delivery_of_a_set_of_events_gives_what_the_oracle_computes_from_the_set(
    laboratory: Laboratory, data: st.DataObject, flushed_at: frozenset[int]
) -> None:
    events = data.draw(claims_histories(), label="events")
    batches = data.draw(deliveries(events), label="batches")
    found = laboratory.deliver(batches, Steps(flushed_at))
    assert found.tables == expected(*events)
    assert found.verification.clean
    ledger = Ledger()
    assert list(map(counts, found.merged)) == [ledger.take(batch) for batch in batches]
    assert sum(merged.applied + merged.stale for merged in found.merged) == len(events)


@thorough(30)
@given(data=st.data())
def test_where_the_contract_is_broken_the_first_stands_and_the_others_are_named(
    laboratory: Laboratory, data: st.DataObject
) -> None:
    events = data.draw(histories_that_break_the_contract(), label="events")
    batches = data.draw(deliveries(events), label="batches")
    found = laboratory.deliver(batches)
    ledger = Ledger()
    assert list(map(counts, found.merged)) == [ledger.take(batch) for batch in batches]
    assert found.tables == expected(*ledger.accepted)
    assert found.verification.clean


@thorough(30)
@given(data=st.data(), flushed_at=st.frozensets(orders, max_size=3))
def test_any_delivery_of_the_coachs_events_between_claims_gives_what_the_oracle_computes(
    laboratory: Laboratory, data: st.DataObject, flushed_at: frozenset[int]
) -> None:
    events = data.draw(claims_histories(max_claims=2), label="events of claims")
    events += data.draw(suggestion_histories(), label="events of the coach")
    batches = data.draw(deliveries(events), label="batches")
    found = laboratory.deliver(batches, Steps(flushed_at))
    assert found.tables == expected(*events)
    assert found.verification.clean
    applied = sum(batch.applied for batch in found.suggested)
    delivered = [event for batch in batches for event in batch if event.event_type == SUGGESTION]
    assert applied == len(found.tables.ai_suggestions)
    assert sum(batch.duplicate for batch in found.suggested) == len(delivered) - applied


@thorough(15)
@given(
    data=st.data(),
    aged_at=orders,
    batches_behind=st.integers(0, 3),
    horizon=st.sampled_from([None, date(2023, 12, 1), date(2024, 2, 1), date(2024, 3, 1)]),
)
def test_whatever_the_horizon_and_whenever_new_keys_are_filled_the_figures_are_those_of_all_events(
    laboratory: Laboratory,
    data: st.DataObject,
    aged_at: int,
    batches_behind: int,
    horizon: date | None,
) -> None:
    events = data.draw(claims_histories(max_claims=4), label="events of claims")
    events += data.draw(suggestion_histories(max_events=6), label="events of the coach")
    batches = data.draw(deliveries(events), label="batches")
    steps = Steps(aged_at=aged_at, filled_at=aged_at + batches_behind, horizon=horizon)
    found = laboratory.deliver(batches, steps)
    assert found.tables == expected(*events, first_month=horizon)
    assert found.verification.clean
    assert found.verification.not_filled == 0


@thorough(20)
@given(data=st.data())
def test_of_two_contents_of_one_of_the_coachs_events_the_first_stands_and_the_other_is_named(
    laboratory: Laboratory, data: st.DataObject
) -> None:
    events = data.draw(suggestion_histories(max_events=6).filter(bool), label="events")
    event = st.sampled_from(events)
    pairs = data.draw(st.lists(st.tuples(event, event), min_size=1, max_size=4), label="impostors")
    impostors = [
        replace(model, data=model.data | {"event_id": victim.data["event_id"]})
        for victim, model in pairs
    ]
    batches = data.draw(deliveries([*events, *impostors]), label="batches")
    found = laboratory.deliver(batches)
    first: dict[tuple[str, int], EventSpec] = {}
    outcomes = [_outcome(first, batch) for batch in batches]
    assert [replace(batch, changed_rows=0) for batch in found.suggested] == outcomes
    assert found.tables == expected(*first.values())
    assert found.verification.clean


def _outcome(
    first: dict[tuple[str, int], EventSpec], batch: Sequence[EventSpec]
) -> AppliedSuggestions:
    """What becomes of a batch, and the first content of each event so far."""
    known = len(first)
    refused = [
        RefusedSuggestion(TOPIC, 0, offset)
        for offset, event in enumerate(batch)
        if first.setdefault(event.identity, event).data != event.data
    ]
    new = len(first) - known
    return AppliedSuggestions(new, len(batch) - new - len(refused), tuple(refused))
