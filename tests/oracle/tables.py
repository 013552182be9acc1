"""All four tables at once."""

from collections.abc import Iterable
from datetime import date
from typing import NamedTuple
from uuid import UUID

from tests.oracle.cache import CacheKey, Value
from tests.oracle.claims import Claim, PlainEvent, Version, accepted_versions, current_claims
from tests.oracle.metrics import cache_rows
from tests.oracle.suggestions import SUGGESTION_TYPE, Suggestion, suggestions


class Tables(NamedTuple):
    """What the tables hold once a set of events has arrived."""

    claim_events: set[Version]
    claims: dict[UUID, Claim]
    ai_suggestions: dict[UUID, Suggestion]
    analytics_cache: dict[CacheKey, Value]


def tables(events: Iterable[PlainEvent], first_month: date | None = None) -> Tables:
    """The tables after a set of accepted events, in whatever order and however often delivered.

    `first_month` is the cache's horizon.
    """
    of_claims: list[PlainEvent] = []
    of_the_coach: list[PlainEvent] = []
    for event in events:
        (of_the_coach if event["type"] == SUGGESTION_TYPE else of_claims).append(event)
    claims, said = current_claims(of_claims), suggestions(of_the_coach)
    cache = cache_rows(claims.values(), said.values(), first_month)
    return Tables(accepted_versions(of_claims), claims, said, cache)
