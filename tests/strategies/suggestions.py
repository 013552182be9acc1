"""Sets of the AI coach's events, each with an id of its own, on few rules and close moments."""

from typing import Any, Final
from uuid import uuid5

from hypothesis import strategies as st

from repositories.vocabulary import SuggestionEvent
from tests.strategies.contents import CREATED, MONEY, NAMESPACE, PROVIDERS
from tests.strategies.specs import SUGGESTION, EventSpec

# More than the five that are listed.
RULES: Final = tuple(str(uuid5(NAMESPACE, f"rule {n}")) for n in range(7))
# Five of one month in Alberta, two of them one moment, so that the ids decide; two of other months.
MOMENTS: Final = (
    "2024-03-01T07:00:00Z", "2024-03-10T08:59:59.999999Z", "2024-03-10T09:00:00Z",
    "2024-03-10T03:00:00-06:00", "2024-04-01T05:59:59.5Z",
    "2024-03-01T06:59:59Z", CREATED[0],
)  # fmt: skip

_CONTENTS: Final[st.SearchStrategy[dict[str, Any]]] = st.fixed_dictionaries(
    {
        "provider_id": st.sampled_from(PROVIDERS),
        "rule_id": st.sampled_from([None, *RULES, *RULES[:2]]),
        "rule_name": st.sampled_from([None, "Modifier missing", "Zeit fehlt: Ü"]),
        "category": st.sampled_from(["MODIFIER", "modifier", 'a "b" \\ c']),
        "tier": st.integers(1, 3),
        "event_type": st.sampled_from([word.value for word in SuggestionEvent]),
        "revenue_impact": st.sampled_from([None, *MONEY]),
        "created_at": st.sampled_from(MOMENTS),
    }
)


def suggestion_histories(max_events: int = 12) -> st.SearchStrategy[list[EventSpec]]:
    """Sets of events, or a month with more accepted rules than `ai_coach_top_accepted` lists."""
    mixed = st.lists(_CONTENTS, max_size=max_events)
    return st.one_of(mixed, mixed, mixed, _crowded_month()).map(_as_specs)


@st.composite
def _crowded_month(draw: st.DrawFn) -> list[dict[str, Any]]:
    month = {
        "provider_id": PROVIDERS[0],
        "event_type": "ACCEPTED",
        "created_at": MOMENTS[0],
    }
    rules = draw(st.permutations(RULES)) + draw(st.lists(st.sampled_from(RULES), max_size=3))
    return [draw(_CONTENTS) | month | {"rule_id": rule} for rule in rules]


def _as_specs(contents: list[dict[str, Any]]) -> list[EventSpec]:
    return [_as_spec(f"event {number}", content) for number, content in enumerate(contents)]


def _as_spec(event: str, content: dict[str, Any]) -> EventSpec:
    identity = {
        "event_id": str(uuid5(NAMESPACE, event)),
        "suggestion_id": str(uuid5(NAMESPACE, f"suggestion of {event}")),
        "claim_id": str(uuid5(NAMESPACE, f"claim of {event}")),
    }
    return EventSpec(SUGGESTION, identity | content, content["created_at"], event)
