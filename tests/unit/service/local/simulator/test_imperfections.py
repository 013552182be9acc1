"""What goes wrong on the way, as often as asked, and counted."""

from collections import Counter
from collections.abc import Iterable
from itertools import pairwise
from random import Random

import pytest

from service.local.simulator import Imperfections, OutgoingEvent, Platform, Tally
from service.local.simulator.messages import make_garbage
from service.local.simulator.providers import make_providers
from service.local.simulator.timeline import ClinicPicker, History
from tests.oracle import tables
from tests.unit.service.local.simulator.reading import (
    NOW,
    TYPES,
    ReadEvent,
    events_of,
    read,
    reason,
    simulator,
)

NOTHING = {"duplicates": 0.0, "another_id": 0.0, "late": 0.0, "shuffled": 0.0}
NONE = {**NOTHING, "paid_first": 0.0, "garbage": 0.0}
SIZE = 2_000


def spoiled(**rates: float) -> tuple[list[OutgoingEvent], Tally]:
    source = simulator(imperfections=Imperfections(**{**NONE, **rates}))
    return list(source.history(SIZE)), source.tally


def test_spoiled_events_of_every_topic_are_garbage_seldom_ones_too() -> None:
    rng, spoiled_topics = Random(1), set()
    clinics = ClinicPicker(rng, make_providers(1, 5))
    for change in History(rng, clinics, Platform(drafted=0.3, coached=0.3), NOW, 6, 3_000):
        expected, message = make_garbage(rng, change)
        assert reason(message) == expected
        spoiled_topics.add(message.topic_key)
    assert spoiled_topics == set(TYPES)


def backward_steps(events: Iterable[ReadEvent]) -> int:
    times = [event.at for event in events]
    return sum(later < earlier for earlier, later in pairwise(times))


def overtakings(events: Iterable[ReadEvent]) -> list[str]:
    """The claims whose payment came before their first event."""
    paid, overtaken = set(), []
    for event in events:
        claim_id, version = event.identity
        if event.topic_key == "claim-paid":
            paid.add(claim_id)
        elif version == 1 and claim_id in paid:
            overtaken.append(claim_id)
    return overtaken


def test_duplicates_repeat_an_event_word_for_word() -> None:
    messages, tally = spoiled(duplicates=0.1, another_id=0.5)
    said = Counter(message.value for message in messages)
    assert len(said) == SIZE - 200
    assert tally.duplicates == 200
    ids = {event.ce_id for event in map(read, messages)}
    assert SIZE - 200 + 70 < len(ids) < SIZE - 200 + 130


def test_duplicates_may_all_keep_their_id() -> None:
    messages, _ = spoiled(duplicates=0.1, another_id=0.0)
    assert len({read(message).ce_id for message in messages}) == SIZE - 200


def test_garbage_is_garbage_and_everything_else_is_good() -> None:
    messages, tally = spoiled(garbage=0.1)
    found = Counter(reason(message) for message in messages)
    assert found.pop(None) == SIZE - 200
    assert found == tally.garbage
    assert tally.garbage.total() == 200
    assert set(found) == {
        "not-json", "invalid-field", "unknown-type", "unsupported-version", "not-cloudevent",
    }  # fmt: skip


def test_late_events_come_long_after_their_turn() -> None:
    messages, tally = spoiled(late=0.05)
    assert 60 < tally.late < 140
    assert backward_steps(map(read, messages)) > tally.late / 2


def test_shuffled_events_stay_near_their_turn() -> None:
    messages, tally = spoiled(shuffled=0.3)
    assert SIZE * 0.25 < tally.shuffled < SIZE * 0.35
    events = [read(message) for message in messages]
    order = sorted(range(SIZE), key=lambda index: events[index].at)
    assert max(abs(place - index) for place, index in enumerate(order)) <= 21
    assert backward_steps(events) > 0


def test_payments_overtake_their_submission() -> None:
    messages, tally = spoiled(paid_first=0.1)
    overtaken = overtakings(map(read, messages))
    assert 45 < tally.paid_first < 120
    assert tally.paid_first * 0.6 < len(overtaken) <= tally.paid_first


def test_without_imperfections_nothing_is_out_of_order() -> None:
    messages, tally = spoiled()
    assert backward_steps(map(read, messages)) == 0
    assert overtakings(map(read, messages)) == []
    assert (tally.late, tally.shuffled, tally.paid_first, tally.duplicates) == (0, 0, 0, 0)


@pytest.mark.parametrize("share", [0.0, 0.25, 1.0])
def test_a_share_of_messages_is_in_structured_mode(share: float) -> None:
    messages = list(simulator(structured_share=share).history(1_000))
    modes = Counter(dict(message.headers)["content-type"] for message in messages)
    assert abs(modes[b"application/cloudevents+json"] / 1_000 - share) < 0.05
    assert all(reason(message) is None for message in messages)


def test_the_mode_changes_nothing_of_what_is_said() -> None:
    binary = [read(message).data for message in simulator().history(100)]
    structured = [read(m).data for m in simulator(structured_share=1.0).history(100)]
    assert binary == structured


def test_the_tally_foretells_the_tables() -> None:
    source = simulator(imperfections=Imperfections(0.2, 0.5, 0.1, 0.2, 0.1, 0.1))
    messages = list(source.history(SIZE))
    expected = tables(event.plain() for event in events_of(messages))
    assert source.tally.events == len(expected.claim_events)
    assert source.tally.claims == len(expected.claims)
    assert source.tally.messages == SIZE
    assert source.tally.suggestions == len(expected.ai_suggestions)
    topics = Counter(event.topic_key for event in set_of(events_of(messages)))
    assert topics == source.tally.by_topic


def set_of(events: Iterable[ReadEvent]) -> list[ReadEvent]:
    return list({event.identity: event for event in events}.values())


def test_the_tally_is_right_while_events_are_still_held_back() -> None:
    source = simulator(imperfections=Imperfections(0.1, 0.5, 0.2, 0.2, 0.3, 0.1))
    messages = []
    for message in source.history(SIZE):
        messages.append(message)
        if len(messages) == 1_000:
            break
    seen = tables(event.plain() for event in events_of(messages))
    assert source.tally.events == len(seen.claim_events)
    assert source.tally.claims == len(seen.claims)
