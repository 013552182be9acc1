"""Claim events for tests that name each event; what a test does not say has a usual value."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from itertools import count
from typing import Any
from uuid import UUID, uuid5

import asyncpg

from repositories.claims.batch import Merged, RefusedEvent, apply_claim_batch
from repositories.claims.rows import copy_line
from repositories.claims.top_code_flush import flush_top_codes
from repositories.offsets import NextOffset
from repositories.postgres.database import Database
from tests.integration.repositories.database_state import read_tables
from tests.oracle import Tables, tables
from tests.strategies import (
    ADJUSTED,
    ASSESSED,
    EXPIRED,
    PAID,
    REJECTED,
    SAVED,
    SUBMITTED,
    WITHDRAWN,
    WRITTEN_OFF,
    EventSpec,
    to_plain,
    to_row,
)

NAMESPACE = UUID("0d0f5f7c-6d8e-4b8e-8a53-0c5f3b1f7a11")
TOPIC = "claims"
_partitions = count()


def uuid_of(name: str) -> UUID:
    """The id of a thing that a test calls by a name, such as "claim A"."""
    return uuid5(NAMESPACE, name)


def saved(
    claim: str = "A", version: int = 1, provider: str = "P", *, stage: str = "DRAFT", **data: Any
) -> EventSpec:
    added = {"stage": stage, "created_at": "2024-10-15T18:00:00Z", "submission_deadline": None}
    return _event(SAVED, claim, version, provider, added | data)


def submitted(claim: str = "A", version: int = 1, provider: str = "P", **data: Any) -> EventSpec:
    added = {"submitted_at": "2024-10-16T15:00:00Z", "submission_deadline": None}
    return _event(SUBMITTED, claim, version, provider, added | data)


def assessed(claim: str = "A", version: int = 2, provider: str = "P", **data: Any) -> EventSpec:
    added = {"assessed_fee": "40.00", "explanatory_codes": []}
    return _event(ASSESSED, claim, version, provider, added | data)


def paid(claim: str = "A", version: int = 2, provider: str = "P", **data: Any) -> EventSpec:
    added = {"assessed_fee": "40.00", "payment_date": "2024-11-01", "rrnp_premium": "0"}
    return _event(PAID, claim, version, provider, added | data)


def rejected(claim: str = "A", version: int = 2, provider: str = "P", **data: Any) -> EventSpec:
    added = {"explanatory_codes": ["05BA"], "submission_deadline": None}
    return _event(REJECTED, claim, version, provider, added | data)


def adjusted(claim: str = "A", version: int = 3, provider: str = "P", **data: Any) -> EventSpec:
    added = {"assessed_fee": "30.00", "payment_date": "2024-11-08", "rrnp_premium": "0"}
    return _event(ADJUSTED, claim, version, provider, added | {"explanatory_codes": []} | data)


def written_off(claim: str = "A", version: int = 3, provider: str = "P", **data: Any) -> EventSpec:
    return _event(WRITTEN_OFF, claim, version, provider, data)


def expired(claim: str = "A", version: int = 3, provider: str = "P", **data: Any) -> EventSpec:
    return _event(EXPIRED, claim, version, provider, data)


def withdrawn(claim: str = "A", version: int = 3, provider: str = "P", **data: Any) -> EventSpec:
    return _event(WITHDRAWN, claim, version, provider, data)


def _event(
    event_type: str, claim: str, version: int, provider: str, data: dict[str, Any]
) -> EventSpec:
    usual = {
        "claim_id": str(uuid_of(f"claim {claim}")),
        "claim_version": version,
        "provider_id": str(uuid_of(f"provider {provider}")),
        "claim_type": "AHCIP",
        "date_of_service": "2024-10-15",
        "patient_phn": "123456789",
        "ba_number": "1234567",
        "location_id": None,
        "hsc_code": "03.04A",
        "form_id": None,
        "timing_tier": None,
        "submitted_fee": "50.00",
    }
    return EventSpec(event_type, usual | data, "2024-11-02T15:00:00Z", f"{claim} {version}")


def next_offset(offset: int, partition: int = 0) -> NextOffset:
    return NextOffset("group", TOPIC, partition, offset)


def rows(events: Iterable[EventSpec]) -> list[bytes]:
    """As the decoder gives them; the offset of each is its place among them, in a partition of
    their own: no two calls are of the same records."""
    partition = next(_partitions)
    return [
        copy_line(to_row(event, TOPIC, partition, offset)) for offset, event in enumerate(events)
    ]


def refused(by_offset: Mapping[int, bool]) -> tuple[RefusedEvent, ...]:
    """Of `rows`, as `in_partition_0`, in order of their offsets; True: because of another
    provider."""
    return tuple(RefusedEvent(TOPIC, 0, offset, other) for offset, other in by_offset.items())


async def apply(
    database: Database, *events: EventSpec, offsets: Sequence[NextOffset] = ()
) -> Merged:
    """One batch."""
    return in_partition_0(await apply_claim_batch(database, rows(events), offsets))


def in_partition_0(merged: Merged) -> Merged:
    """Whichever partition `rows` was given."""
    return replace(merged, refused=tuple(replace(each, partition=0) for each in merged.refused))


async def settled(database: Database, observer: asyncpg.Connection) -> Tables:
    """The tables once `top_hsc_codes` is up to its months."""
    await flush_top_codes(database)
    return await read_tables(observer)


def expected(*events: EventSpec, first_month: date | None = None) -> Tables:
    """What the oracle makes of the events; `first_month` is the cache's horizon."""
    return tables(map(to_plain, events), first_month)
