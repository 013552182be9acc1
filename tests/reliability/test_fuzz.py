"""Whatever is published, decoding makes of it an event or a dead letter, and tells nobody what is
in it. `python -m tests.reliability.fuzz` is the long form."""

from operator import itemgetter

import pytest

from consumers.contracts import envelope, fast, strict_json
from tests.reliability.fuzz.checks import Finding, run

INPUTS = 15_000


def test_every_input_is_an_event_or_a_dead_letter() -> None:
    found = run(seed=1, numbers=range(INPUTS))
    reasons = {"not-cloudevent", "not-json", "invalid-field", "unknown-type", "unsupported-version"}
    outcomes = {"event", "event, the fast way", "impossible request"}
    assert found.keys() == reasons | outcomes
    assert found.total() == INPUTS
    assert min(found.values()) > INPUTS / 500  # every way is taken, and none hardly ever


def test_a_fast_way_that_takes_too_much_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    without_id = itemgetter("ce_specversion", "ce_type", "ce_source", "ce_source", "ce_time")
    monkeypatch.setattr(fast, "_HEADERS", without_id)
    with pytest.raises(Finding, match="--only"):
        run(seed=1, numbers=range(INPUTS))


def test_a_detail_that_quotes_the_message_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def parse_json(raw: bytes) -> object:
        try:
            return strict_json.parse_json(raw)
        except strict_json.NotJsonError as error:
            raise strict_json.NotJsonError(f"{error}, not {raw[:5]!r}") from None

    monkeypatch.setattr(envelope, "parse_json", parse_json)
    with pytest.raises(Finding, match="a detail that is not ours"):
        run(seed=1, numbers=range(INPUTS))
