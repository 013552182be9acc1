"""All three tables at once."""

from collections.abc import Iterable
from typing import NamedTuple
from uuid import UUID

from tests.oracle.claims import Claim, PlainEvent, Version, accepted_versions, current_claims
from tests.oracle.metrics import CacheKey, Value, cache_rows


class Tables(NamedTuple):
    """What the tables hold once a set of events has arrived."""

    claim_events: set[Version]
    claims: dict[UUID, Claim]
    analytics_cache: dict[CacheKey, Value]


def tables(events: Iterable[PlainEvent]) -> Tables:
    """The tables after a set of accepted events, in whatever order and however often delivered."""
    events = list(events)
    claims = current_claims(events)
    return Tables(accepted_versions(events), claims, cache_rows(claims.values()))
