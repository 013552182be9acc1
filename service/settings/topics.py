"""The settings that name topics: they follow from the contracts, so a further event needs none."""

from collections import Counter
from collections.abc import Mapping
from difflib import get_close_matches

from pydantic import Field

from consumers.contracts.registry import READ_CONTRACTS, SENT_CONTRACTS

_CONTRACTS = (*READ_CONTRACTS, *SENT_CONTRACTS)
TOPICS = sorted({contract.topic for contract in _CONTRACTS})


def setting_of(topic: str) -> str:
    """The setting that names the topic of this default name, such as `claim-paid`.

    Raises ValueError for a name that is none of the defaults.
    """
    if topic not in TOPICS:
        near = [f"did you mean {each}? " for each in get_close_matches(topic, TOPICS, n=1)]
        raise ValueError(
            f"{topic} is no topic of the service: {''.join(near)}they are {', '.join(TOPICS)}"
        )
    return "topic_" + topic.replace("-", "_")


def topic_fields() -> dict[str, tuple[type[str], str]]:
    """Each of the settings as a field of a Pydantic model, in the order of the contracts."""
    events: dict[str, list[str]] = {}
    for contract in _CONTRACTS:
        events.setdefault(contract.topic, []).append(contract.event.name)
    return {
        setting_of(topic): (str, Field(topic, description=f"Topic of {', '.join(names)}"))
        for topic, names in events.items()
    }


def settings_of_one_topic(names: Mapping[str, str]) -> list[str]:
    """The settings that name a topic which another of them names too; `names` is by default name.

    What came on such a topic would be read as one of the events, and refused as the others.
    """
    uses = Counter(names.values())
    return [setting_of(topic) for topic, name in names.items() if uses[name] > 1]
