"""The metric keys of the AI coach: counts of its events, by month of `created_day`."""

from collections import defaultdict
from datetime import UTC
from typing import Final
from uuid import UUID

from tests.oracle.cache import (
    TOP,
    Metric,
    Value,
    count_and_amount,
    month_of,
    percent,
    total,
    two_decimals,
)
from tests.oracle.suggestions import Suggestion

Events = list[Suggestion]


def any_event(_event: Suggestion) -> bool:
    return True


def accepted(event: Suggestion) -> bool:
    return bool(event["event_type"] == "ACCEPTED")


def has_rule(event: Suggestion) -> bool:
    return event["rule_id"] is not None


def of_type(event_type: str, events: Events) -> Events:
    return [event for event in events if event["event_type"] == event_type]


def outcomes(events: Events) -> Value:
    words = {"generated": "GENERATED", "accepted": "ACCEPTED", "dismissed": "DISMISSED"}
    return {name: len(of_type(word, events)) for name, word in words.items()}


def acceptance(events: Events) -> Value:
    counts = outcomes(events)
    answered = counts["accepted"] + counts["dismissed"]
    return {**counts, "rate": percent(counts["accepted"], answered)}


def outcomes_and_amount(events: Events) -> Value:
    recovered = total(of_type("ACCEPTED", events), "revenue_impact")
    return {**outcomes(events), "amount": two_decimals(recovered)}


def by_rule(events: Events) -> dict[UUID, Events]:
    """Each rule's events from the earliest to the latest."""
    rules = defaultdict(list)
    for event in sorted(events, key=lambda event: (event["created_at"], event["event_id"].bytes)):
        rules[event["rule_id"]].append(event)
    return rules


def latest_name(events: Events) -> str | None:
    names = [event["rule_name"] for event in events if event["rule_name"] is not None]
    return names[-1] if names else None


count_and_impact = count_and_amount("revenue_impact")


def top_accepted(events: Events) -> Value:
    rules = by_rule(events)
    wins = {rule: won for rule in rules if (won := of_type("ACCEPTED", rules[rule]))}
    ranked = sorted(
        wins,
        key=lambda rule: (-total(wins[rule], "revenue_impact"), -len(wins[rule]), str(rule)),
    )
    return {
        "rules": [
            {
                "rule_id": str(rule),
                "rule_name": latest_name(rules[rule]),
                **count_and_impact(wins[rule]),
            }
            for rule in ranked[:5]
        ]
    }


def suppressed(events: Events) -> Value:
    """Those that the latest learning event of the month suppresses, by when, then by rule.

    The order stands nowhere in the specification; this one is that of the times, then of the ids.
    """
    entries = []
    for rule, its_events in by_rule(events).items():
        learned = [e for e in its_events if e["event_type"] in ("SUPPRESSED", "UNSUPPRESSED")]
        if learned and learned[-1]["event_type"] == "SUPPRESSED":
            entries.append(
                {
                    "rule_id": str(rule),
                    "rule_name": latest_name(its_events),
                    "since": f"{learned[-1]['created_at'].astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}",
                }
            )
    return {"rules": sorted(entries, key=lambda entry: (entry["since"], entry["rule_id"]))}


MONTH: Final = month_of("created_day")

COACH_METRICS: Final = (
    Metric("ai_coach_acceptance_rate", TOP, any_event, acceptance, MONTH),
    Metric("ai_coach_revenue_recovered", TOP, accepted, count_and_impact, MONTH),
    Metric("ai_coach_by_category", ("category",), any_event, outcomes_and_amount, MONTH),
    Metric("ai_coach_top_accepted", TOP, has_rule, top_accepted, MONTH),
    Metric("ai_coach_suppressed", TOP, has_rule, suppressed, MONTH),
)
