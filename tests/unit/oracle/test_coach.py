"""The metric keys of the AI coach, by hand-made figures."""

from datetime import date
from typing import Any
from uuid import UUID

import pytest

from tests.oracle import suggestions, tables
from tests.unit.oracle.events import rows, suggestion

A, B, C = (str(UUID(int=n)) for n in (10, 11, 12))


def rule_ids(found: dict[str | None, Any]) -> list[str]:
    return [entry["rule_id"] for entry in found[None]["rules"]] if found else []


def test_the_acceptance_rate_is_over_what_was_answered() -> None:
    found = rows(
        *(suggestion(n, "GENERATED") for n in range(5)),
        suggestion(5, "ACCEPTED", rule_id=None), suggestion(6, "DISMISSED"),
        suggestion(7, "DISMISSED"), suggestion(8, "SUPPRESSED"), suggestion(9, "UNSUPPRESSED"),
        suggestion(10, "REJECTION_FEEDBACK"),
        metric="ai_coach_acceptance_rate",
    )  # fmt: skip
    assert found == {None: {"generated": 5, "accepted": 1, "dismissed": 2, "rate": "33.33"}}


def test_an_acceptance_rate_over_nothing_is_nothing() -> None:
    found = rows(suggestion(1, "GENERATED"), metric="ai_coach_acceptance_rate")
    assert found == {None: {"generated": 1, "accepted": 0, "dismissed": 0, "rate": "0.00"}}
    assert rows(suggestion(1, "SUPPRESSED"), metric="ai_coach_acceptance_rate") == {}


def test_an_event_counts_once_however_often_it_comes() -> None:
    found = rows(suggestion(1), suggestion(1), suggestion(2), metric="ai_coach_revenue_recovered")
    assert found == {None: {"count": 2, "amount": "20.00"}}


def test_revenue_recovered_is_that_of_accepted_suggestions() -> None:
    found = rows(
        suggestion(1, revenue_impact="12.30", rule_id=None),
        suggestion(2, revenue_impact=None),
        suggestion(3, "GENERATED"), suggestion(4, "DISMISSED"),
        metric="ai_coach_revenue_recovered",
    )  # fmt: skip
    assert found == {None: {"count": 2, "amount": "12.30"}}


def test_each_category_has_its_row() -> None:
    found = rows(
        suggestion(1, "GENERATED"), suggestion(2, revenue_impact="1.50"),
        suggestion(3, "DISMISSED", category="modifier"), suggestion(4, "SUPPRESSED", category="X"),
        metric="ai_coach_by_category",
    )  # fmt: skip
    assert found == {
        "MODIFIER": {"generated": 1, "accepted": 1, "dismissed": 0, "amount": "1.50"},
        "modifier": {"generated": 0, "accepted": 0, "dismissed": 1, "amount": "0.00"},
    }


def test_the_top_rules_go_by_amount_then_count_then_id() -> None:
    found = rows(
        suggestion(1, rule_id=C, revenue_impact="4.00"),
        suggestion(2, rule_id=B, revenue_impact="2.00"),
        suggestion(3, rule_id=B, revenue_impact="2.00"),
        suggestion(4, rule_id=A, revenue_impact="4.00"),
        suggestion(5, rule_id=None, revenue_impact="99.00"),
        suggestion(6, "GENERATED", rule_id=str(UUID(int=13)), revenue_impact="99.00"),
        metric="ai_coach_top_accepted",
    )
    entries = found[None]["rules"]
    assert [(e["rule_id"], e["count"], e["amount"]) for e in entries] == [
        (B, 2, "4.00"), (A, 1, "4.00"), (C, 1, "4.00"),
    ]  # fmt: skip
    assert {tuple(entry) for entry in entries} == {("rule_id", "rule_name", "count", "amount")}


def test_five_rules_are_listed_at_most() -> None:
    events = [suggestion(n, rule_id=str(UUID(int=n)), revenue_impact=str(n)) for n in range(1, 8)]
    found = rows(*events, metric="ai_coach_top_accepted")
    assert rule_ids(found) == [str(UUID(int=n)) for n in (7, 6, 5, 4, 3)]


def test_a_rule_accepted_for_nothing_is_listed() -> None:
    found = rows(suggestion(1, revenue_impact=None), metric="ai_coach_top_accepted")
    assert found[None]["rules"][0]["amount"] == "0.00"


def test_rules_of_which_none_was_accepted_are_no_row() -> None:
    assert rows(suggestion(1, "GENERATED"), metric="ai_coach_top_accepted") == {}


@pytest.mark.parametrize("metric", ["ai_coach_top_accepted", "ai_coach_suppressed"])
def test_a_rule_bears_its_latest_name_of_the_month_whoever_said_it(metric: str) -> None:
    kind = "ACCEPTED" if metric == "ai_coach_top_accepted" else "SUPPRESSED"
    found = rows(
        suggestion(1, "GENERATED", rule_name="first"),
        suggestion(2, "DISMISSED", rule_name="last", created_at="2025-10-16T18:00:00Z"),
        suggestion(3, kind, rule_name=None, created_at="2025-10-17T18:00:00Z"),
        suggestion(4, "GENERATED", rule_name="of another rule", rule_id=A),
        metric=metric,
    )
    assert found[None]["rules"][0]["rule_name"] == "last"
    nameless = rows(suggestion(1, kind, rule_name=None), metric=metric)
    assert nameless[None]["rules"][0]["rule_name"] is None


def test_of_two_names_at_one_moment_that_with_the_higher_event_id_is_latest() -> None:
    events = suggestion(2, rule_name="two"), suggestion(1, rule_name="one")
    found = rows(*events, metric="ai_coach_top_accepted")
    assert found[None]["rules"][0]["rule_name"] == "two"


def test_a_name_of_another_month_is_not_this_months() -> None:
    events = suggestion(1), suggestion(2, rule_name="new", created_at="2025-11-01T06:00:00Z")
    cache = tables(events).analytics_cache
    names = {
        key.period_start: value["rules"][0]["rule_name"]
        for key, value in cache.items()
        if key.metric_key == "ai_coach_top_accepted"
    }
    assert names == {date(2025, 10, 1): "Modifier missing", date(2025, 11, 1): "new"}


def test_a_suppressed_rule_says_since_when() -> None:
    found = rows(
        suggestion(1, "SUPPRESSED", created_at="2025-10-16T12:00:00.5-06:00"),
        metric="ai_coach_suppressed",
    )
    assert found == {
        None: {
            "rules": [
                {
                    "rule_id": str(UUID(int=3)),
                    "rule_name": "Modifier missing",
                    "since": "2025-10-16T18:00:00.500000Z",
                }
            ]
        }
    }


def test_the_latest_learning_event_decides_and_no_other_kind_does() -> None:
    def learned(number: int, word: str, hour: int, rule: str) -> Any:
        return suggestion(number, word, created_at=f"2025-10-16T{hour:02}:00:00Z", rule_id=rule)

    found = rows(
        learned(1, "SUPPRESSED", 10, A), learned(2, "UNSUPPRESSED", 11, A),
        learned(3, "UNSUPPRESSED", 10, B), learned(4, "SUPPRESSED", 11, B),
        learned(5, "ACCEPTED", 12, B),
        learned(6, "SUPPRESSED", 10, C), learned(7, "SUPPRESSED", 9, C),
        suggestion(8, "SUPPRESSED", rule_id=None),
        metric="ai_coach_suppressed",
    )  # fmt: skip
    since = [(entry["rule_id"], entry["since"][11:13]) for entry in found[None]["rules"]]
    assert since == [(C, "10"), (B, "11")]


def test_of_two_learning_events_at_one_moment_the_higher_event_id_is_latest() -> None:
    suppressed_last = suggestion(1, "UNSUPPRESSED"), suggestion(2, "SUPPRESSED")
    freed_last = suggestion(1, "SUPPRESSED"), suggestion(2, "UNSUPPRESSED")
    assert len(rule_ids(rows(*suppressed_last, metric="ai_coach_suppressed"))) == 1
    assert rows(*freed_last, metric="ai_coach_suppressed") == {}


def test_a_rule_that_is_freed_in_the_next_month_stays_suppressed_in_this() -> None:
    events = (
        suggestion(1, "SUPPRESSED"),
        suggestion(2, "UNSUPPRESSED", created_at="2025-11-03T12:00:00Z"),
    )
    assert len(rule_ids(rows(*events, metric="ai_coach_suppressed"))) == 1


def test_a_month_is_one_in_alberta() -> None:
    october = suggestion(1, created_at="2025-11-01T05:59:59.999999Z")
    november = suggestion(2, created_at="2025-11-01T06:00:00Z")
    keys = tables([october, november]).analytics_cache
    months = {key.period_start for key in keys if key.metric_key == "ai_coach_revenue_recovered"}
    assert months == {date(2025, 10, 1), date(2025, 11, 1)}
    from_november = tables([october, november], first_month=date(2025, 11, 1)).analytics_cache
    assert {key.period_start for key in from_november} == {date(2025, 11, 1)}


def test_two_contents_of_one_event_break_the_contract() -> None:
    with pytest.raises(ValueError, match="two contents"):
        suggestions([suggestion(1), suggestion(1, tier=2)])


def test_all_columns_are_there_and_an_absent_one_is_null() -> None:
    event = suggestion(1)
    data = {name: value for name, value in event["data"].items() if name != "rule_name"}
    (row,) = tables([{"type": event["type"], "data": data}]).ai_suggestions.values()
    assert row["rule_name"] is None
    assert row["created_day"] == date(2025, 10, 15)
    assert len(row) == 12
