"""What the AI coach says of a claim: made-up rules, of which each physician meets a few."""

from bisect import bisect
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from random import Random
from typing import Final, NamedTuple

from service.local.simulator.providers import uuid_text


class Rule(NamedTuple):
    """What makes the coach speak; tier 1 is the surest. Some are about money."""

    rule_id: str
    name: str
    category: str
    tier: int
    pays: bool


def _rule(name: str, category: str, tier: int, *, pays: bool = True) -> Rule:
    return Rule(uuid_text(Random(name)), name, category, tier, pays)  # noqa: S311 - always the same


_RULES: Final = (
    _rule("After-hours premium may apply", "MODIFIER", 1),
    _rule("Age modifier is missing", "MODIFIER", 1),
    _rule("Time modifier is below the time noted", "MODIFIER", 2),
    _rule("A complex visit may fit better", "FEE_CODE", 2),
    _rule("Counselling pays more than a visit", "FEE_CODE", 3),
    _rule("Location may earn the rural premium", "RURAL", 1),
    _rule("Referring practitioner is missing", "REJECTION_RISK", 1, pays=False),
    _rule("Two visits on one day need a text", "REJECTION_RISK", 2, pays=False),
    _rule("Annual visit twice in twelve months", "REJECTION_RISK", 2, pays=False),
)
_MET: Final = 4  # rules that a physician meets
_RULE_USE: Final = (0.45, 0.75, 0.92, 1.0)  # running total of their shares
_WITHOUT_RULE: Final = 0.05  # the coach found something by itself
_ITS_OWN: Final = ("OTHER", 3)  # the category and the tier of that


@dataclass(slots=True)
class Suggestion:
    """One suggestion; the impact is in dollars, None where it is not about money."""

    suggestion_id: str
    rule: Rule | None
    revenue_impact: Decimal | None
    dismissed: bool = False


def suggest(rng: Random, provider_id: str, fee: Decimal) -> Suggestion:
    """What the coach would say of a claim with this fee."""
    impact = (fee * rng.randint(5, 40) / 100).quantize(Decimal("0.01"))
    if rng.random() < _WITHOUT_RULE:
        return Suggestion(uuid_text(rng), None, impact)
    rule = rules_of(provider_id)[bisect(_RULE_USE, rng.random())]
    return Suggestion(uuid_text(rng), rule, impact if rule.pays else None)


@lru_cache(maxsize=10_000)
def rules_of(provider_id: str) -> tuple[Rule, ...]:
    """The rules that a physician meets, the most frequent first."""
    return tuple(Random(provider_id).sample(_RULES, _MET))  # noqa: S311 - always the same


def told(rng: Random, suggestion: Suggestion, event_type: str, at: datetime) -> dict[str, object]:
    """What an event says of a suggestion, but for the claim and the provider."""
    rule, impact = suggestion.rule, suggestion.revenue_impact
    category, tier = (rule.category, rule.tier) if rule else _ITS_OWN
    return {
        "event_id": uuid_text(rng),
        "suggestion_id": suggestion.suggestion_id,
        "rule_id": rule.rule_id if rule else None,
        "rule_name": rule.name if rule else None,
        "category": category,
        "tier": tier,
        "event_type": event_type,
        "revenue_impact": None if impact is None else str(impact),
        "created_at": at.isoformat(timespec="milliseconds"),
    }
