"""Events that happen now, after a history or without one."""

from datetime import timedelta
from itertools import islice

import pytest

from service.local.simulator import USUAL
from tests.oracle import broken_rules, tables
from tests.unit.service.local.simulator.reading import NOW, events_of, read, reason, simulator


def test_time_goes_on_from_now_a_little_with_each_event() -> None:
    times = [read(message).at for message in islice(simulator().live(per_second=10), 1_000)]
    assert times == sorted(times)
    assert times[0] >= NOW
    assert timedelta(seconds=80) < times[-1] - NOW < timedelta(seconds=125)


def test_live_events_keep_the_rules() -> None:
    for event in map(read, islice(simulator().live(), 1_000)):
        assert broken_rules(event.ce_type, event.data, event.at) == []


def test_live_events_pay_what_the_history_left_open() -> None:
    source = simulator()
    history = {read(message).data["claim_id"] for message in source.history(1_000)}
    live = [event for event in map(read, islice(source.live(), 60)) if event.of_a_claim]
    known = [event for event in live if event.data["claim_id"] in history]
    assert len(known) > 15
    assert all(event.data["claim_version"] > 1 for event in known)


def test_live_events_keep_the_contract_of_the_history_before_them() -> None:
    source = simulator(imperfections=USUAL)
    messages = [*source.history(1_000), *islice(source.live(), 3_000)]
    seen = tables(event.plain() for event in events_of(messages))
    assert source.tally.events == len(seen.claim_events)
    assert source.tally.claims == len(seen.claims)
    assert source.tally.garbage.total() == sum(reason(message) is not None for message in messages)


def test_a_second_live_stream_does_not_contradict_the_first() -> None:
    source = simulator(imperfections=USUAL)
    messages = list(source.history(500))
    messages += [*islice(source.live(), 500), *islice(source.live(), 500)]
    seen = tables(event.plain() for event in events_of(messages))
    assert source.tally.events == len(seen.claim_events)


def test_live_events_need_no_history() -> None:
    topics = [message.topic_key for message in islice(simulator().live(), 500)]
    assert topics[0] == "claim-submitted"
    assert 150 < topics.count("claim-paid") < 300


def test_live_events_are_of_the_last_days_or_of_open_claims() -> None:
    new = [
        event
        for event in map(read, islice(simulator().live(), 300))
        if event.data.get("claim_version") == 1
    ]
    ages = [(NOW.date() - event.served).days for event in new]
    assert min(ages) >= 0
    assert sum(age <= 7 for age in ages) > len(ages) * 0.8


def test_a_rate_of_nothing_is_refused_at_once() -> None:
    with pytest.raises(ValueError, match="above 0 a second"):
        simulator().live(per_second=0)
