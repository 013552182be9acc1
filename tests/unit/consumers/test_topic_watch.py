"""What counts as a change of a topic."""

import pytest

from consumers.kafka.faults import TopicCreatedAnew
from consumers.kafka.topics import TopicState, TopicWatch

OLD, NEW = TopicState(3, b"1" * 16), TopicState(3, b"2" * 16)
UNKNOWN = TopicState(3, None)


@pytest.mark.parametrize("seen", [[OLD, OLD], [UNKNOWN, OLD], [OLD, UNKNOWN, OLD]])
def test_a_broker_that_does_not_know_a_topics_id_says_nothing_of_it(seen: list[TopicState]) -> None:
    watch = TopicWatch({}, tells=True)
    for state in seen:
        watch.look_at({"topic": state})
    assert not watch.created_anew


def test_another_id_is_another_topic_also_if_it_was_away_meanwhile() -> None:
    watch = TopicWatch({}, tells=True)
    for present in ({"topic": OLD}, {}, {"topic": UNKNOWN}):
        watch.look_at(present)
    with pytest.raises(TopicCreatedAnew, match="the topic topic was deleted and created anew"):
        watch.look_at({"topic": NEW})
    assert watch.created_anew == {"topic"}
