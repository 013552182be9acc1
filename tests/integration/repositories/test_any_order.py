"""Any order, repetition and cut of any set of events gives the oracle's tables."""

import asyncio
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from repositories.claim_batches import Merged, apply_claim_batch
from repositories.database import Database
from repositories.top_code_flush import flush_top_codes
from repositories.verification import Verification, verify
from tests.integration.repositories.database_state import clear, read_tables
from tests.integration.repositories.examples import expected, rows
from tests.integration.repositories.ledger import Ledger, counts
from tests.oracle import Tables
from tests.strategies import EventSpec, claims_histories, deliveries
from tests.strategies.histories import PROVIDERS, VERSIONS

thorough = settings(
    max_examples=80,
    deadline=None,  # the machine is shared
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
Batches = Sequence[Sequence[EventSpec]]


class Found(NamedTuple):
    """What came of a delivery."""

    merged: list[Merged]
    tables: Tables
    verification: Verification


class Laboratory:
    """One loop and one pool for all examples: opening them takes longer than an example."""

    def __init__(self, runner: asyncio.Runner, url: str) -> None:
        self._runner = runner
        self._database = Database(url)
        self._observer: asyncpg.Connection = runner.run(asyncpg.connect(url))

    def deliver(self, batches: Batches, flush_after: frozenset[int] = frozenset()) -> Found:
        """Apply the batches over empty tables; flush after those with these positions, and last."""
        return self._runner.run(self._deliver(batches, flush_after))

    def close(self) -> None:
        self._runner.run(self._observer.close())
        self._runner.run(self._database.close())

    async def _deliver(self, batches: Batches, flush_after: frozenset[int]) -> Found:
        await clear(self._observer)
        merged = []
        for position, batch in enumerate(batches):
            merged.append(await apply_claim_batch(self._database, rows(batch), []))
            if position in flush_after:
                await flush_top_codes(self._database)
        await flush_top_codes(self._database)
        return Found(merged, await read_tables(self._observer), await verify(self._database))


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


@thorough
@given(data=st.data(), flush_after=st.frozensets(orders, max_size=3))
def test_any_delivery_of_a_set_of_events_gives_what_the_oracle_computes_from_the_set(
    laboratory: Laboratory, data: st.DataObject, flush_after: frozenset[int]
) -> None:
    events = data.draw(claims_histories(), label="events")
    batches = data.draw(deliveries(events), label="batches")
    found = laboratory.deliver(batches, flush_after)
    assert found.tables == expected(*events)
    assert found.verification.clean
    ledger = Ledger()
    assert list(map(counts, found.merged)) == [ledger.take(batch) for batch in batches]
    assert sum(merged.applied + merged.stale for merged in found.merged) == len(events)


@thorough
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
