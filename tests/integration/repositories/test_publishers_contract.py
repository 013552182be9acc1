"""One content per version, one provider per claim: the first stands, the other is named."""

from dataclasses import replace
from typing import Any

import pytest
from asyncpg import Connection

from repositories.claims.batch import Merged, apply_claim_batch
from repositories.claims.rows import copy_line
from repositories.postgres.database import Database
from tests.integration.repositories.database_state import Row, dump
from tests.integration.repositories.examples import (
    apply,
    expected,
    paid,
    refused,
    settled,
    submitted,
    uuid_of,
)
from tests.integration.repositories.ledger import counts
from tests.strategies import EventSpec, to_row

CONFLICT, MISMATCH = False, True  # whether another provider is why it is refused
FIRST = paid(version=2)

OTHER_CONTENT: dict[str, Any] = {
    "claim_type": "WCB",
    "date_of_service": "2024-10-14",
    "patient_phn": None,
    "ba_number": "7654321",
    "location_id": str(uuid_of("location L")),
    "hsc_code": "03.04a",
    "modifiers": ["TEV"],
    "form_id": "C050E",
    "timing_tier": "LATE",
    "submitted_fee": "50.01",
    "assessed_fee": "40.01",
    "payment_date": "2024-11-02",
    "rrnp_premium": "0.01",
}


async def test_within_a_batch_the_first_content_of_a_version_stands(
    database: Database, observer: Connection
) -> None:
    other, next_claim = paid(version=2, assessed_fee="41.00"), submitted("B")
    merged = await apply(database, FIRST, other, next_claim)
    assert counts(merged) == Merged(applied=2, refused=refused({1: CONFLICT}))
    assert await settled(database, observer) == expected(FIRST, next_claim)


async def test_between_batches_the_first_content_stands_and_nothing_changes(
    database: Database, observer: Connection
) -> None:
    await apply(database, FIRST)
    before = await dump(observer)
    merged = await apply(database, paid(version=2, assessed_fee="41.00"))
    assert merged == Merged(refused=refused({0: CONFLICT}))
    assert await dump(observer) == before


@pytest.mark.parametrize("field", OTHER_CONTENT)
async def test_every_field_of_the_claim_is_content(
    database: Database, observer: Connection, field: str
) -> None:
    await apply(database, FIRST)
    other = paid(version=2, **{field: OTHER_CONTENT[field]})
    assert (await apply(database, FIRST, other)).refused == refused({1: CONFLICT})
    assert await settled(database, observer) == expected(FIRST)


@pytest.mark.parametrize(
    "changed", [{"submitted_at": "2024-10-16T15:00:01Z"}, {"submission_deadline": "2025-01-13"}]
)
async def test_what_only_a_submission_has_is_content_too(
    database: Database, changed: dict[str, Any]
) -> None:
    merged = await apply(database, submitted(), submitted(**changed))
    assert counts(merged) == Merged(applied=1, refused=refused({1: CONFLICT}))


@pytest.mark.parametrize("order", [[0, 1], [1, 0]])
async def test_submitted_and_paid_at_one_version_are_in_conflict(
    database: Database, observer: Connection, order: list[int]
) -> None:
    twins = (submitted(version=2), paid(version=2))
    first, second = (twins[n] for n in order)
    assert (await apply(database, first, second)).refused == refused({1: CONFLICT})
    assert (await apply(database, second)).refused == refused({0: CONFLICT})
    assert await settled(database, observer) == expected(first)


@pytest.mark.parametrize(
    ("one", "same"),
    [
        (paid(assessed_fee="40.00", submitted_fee="50"), paid(assessed_fee="40")),
        (paid(rrnp_premium="0"), paid(rrnp_premium="0.00")),
        (submitted(), submitted(submitted_at="2024-10-16T09:00:00.000-06:00")),
        (paid(), paid(claim_id=str(uuid_of("claim A")).upper(), modifiers=[])),
    ],
    ids=["fees", "premium", "moment", "spelling"],
)
async def test_content_is_compared_by_value_and_not_by_spelling(
    database: Database, one: EventSpec, same: EventSpec
) -> None:
    assert counts(await apply(database, one, same)) == Merged(applied=1, duplicate=1)
    assert await apply(database, same) == Merged(duplicate=1)


async def test_a_message_that_was_sent_again_is_a_duplicate_whatever_its_id_and_time(
    database: Database, observer: Connection
) -> None:
    await apply(database, FIRST)
    before = await dump(observer)
    again = replace(FIRST, ce_id="another", ce_time="2024-12-24T00:00:00Z")
    assert await apply(database, again) == Merged(duplicate=1)
    assert await dump(observer) == before


async def test_copies_of_a_conflicting_event_are_each_refused(
    database: Database, observer: Connection
) -> None:
    other = paid(version=2, assessed_fee="41.00")
    merged = await apply(database, FIRST, other, FIRST, other)
    assert counts(merged) == Merged(
        applied=1, duplicate=1, refused=refused({1: CONFLICT, 3: CONFLICT})
    )
    again = await apply(database, other, FIRST, other)
    assert again == Merged(duplicate=1, refused=refused({0: CONFLICT, 2: CONFLICT}))
    assert await settled(database, observer) == expected(FIRST)


async def test_within_a_batch_the_first_provider_of_a_claim_stands(
    database: Database, observer: Connection
) -> None:
    merged = await apply(database, submitted(), paid(provider="Q"), paid())
    assert counts(merged) == Merged(applied=2, refused=refused({1: MISMATCH}))
    assert await settled(database, observer) == expected(submitted(), paid())


@pytest.mark.parametrize("version", [1, 2, 3])
async def test_between_batches_the_first_provider_stands_whatever_the_version(
    database: Database, observer: Connection, version: int
) -> None:
    await apply(database, FIRST)
    merged = await apply(database, paid(version=version, provider="Q"), paid("B", provider="Q"))
    assert counts(merged) == Merged(applied=1, refused=refused({0: MISMATCH}))
    assert await settled(database, observer) == expected(FIRST, paid("B", provider="Q"))


async def test_another_providers_higher_version_makes_no_event_late(
    database: Database, observer: Connection
) -> None:
    merged = await apply(database, submitted(), paid(version=9, provider="Q"), paid(version=5))
    assert counts(merged) == Merged(applied=2, refused=refused({1: MISMATCH}))
    assert await settled(database, observer) == expected(submitted(), paid(version=5))


async def test_a_refused_version_is_still_free_for_the_claims_own_provider(
    database: Database, observer: Connection
) -> None:
    await apply(database, submitted(), paid(version=3, provider="Q"))
    assert counts(await apply(database, paid(version=3))) == Merged(applied=1)
    assert await settled(database, observer) == expected(submitted(), paid(version=3))


async def test_a_late_event_in_conflict_with_history_is_refused(
    database: Database, observer: Connection
) -> None:
    await apply(database, submitted(version=1), paid(version=4))
    merged = await apply(database, submitted(version=1, submitted_fee="51"), submitted(version=2))
    assert merged == Merged(stale=1, refused=refused({0: CONFLICT}))
    kept = (submitted(version=1), submitted(version=2), paid(version=4))
    assert await settled(database, observer) == expected(*kept)


async def test_the_history_says_where_the_first_copy_was_read(
    database: Database, observer: Connection
) -> None:
    await apply(database, submitted("B"), FIRST, FIRST)
    await apply(database, FIRST)
    statement = "SELECT source_partition, source_topic, source_offset FROM claim_events"
    first = await observer.fetchval(statement + " WHERE claim_version = 1")
    found = await observer.fetch(statement + " WHERE claim_version = 2")
    assert [tuple(row) for row in found] == [(first, "claims", 1)]


async def test_its_own_record_is_never_in_conflict_with_a_version(
    database: Database, observer: Connection
) -> None:
    """Whatever a decoder reads there now, be it another provider."""
    await apply_claim_batch(database, [line_of(FIRST, 0)], [])
    before = await dump(observer)
    now = [line_of(paid(version=2, assessed_fee="41.00"), 0), line_of(paid(provider="Q"), 0)]
    merged = await apply_claim_batch(database, [*now, line_of(paid(assessed_fee="41.00"), 1)], [])
    [conflict] = merged.refused
    assert (merged.decoded_differently, conflict.offset) == (2, 1)
    after = await dump(observer)
    # It is known now, and nothing more.
    of_q: dict[str, list[Row]] = {"providers": [], "provider_freshness": []}
    assert after | of_q == before | of_q


def line_of(event: EventSpec, offset: int) -> bytes:
    return copy_line(to_row(event, "one topic", 0, offset))
