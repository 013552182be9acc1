import dataclasses

import pytest

from consumers.contracts.letters import MAX_DETAIL
from consumers.contracts.refusal import DeadLetter, DeadLetterReason
from consumers.engine.dead_letters import dead_letter_headers
from tests.unit.consumers.records import KafkaRecord

ORIGINAL = [("ce_id", b"\xff\x00"), ("x", b""), ("x", b"again")]


def _letter(
    headers: list[tuple[str, bytes]], detail: str = "claim_id: must be a UUID"
) -> DeadLetter:
    record = KafkaRecord(b"{", headers, topic="claim-paid", partition=7, offset=2**40)
    return DeadLetter(DeadLetterReason.INVALID_FIELD, detail, record)


def _attempts(headers: list[tuple[str, bytes]]) -> bytes:
    return dead_letter_headers(_letter(headers), "claims")[-1][1]


def test_the_reasons_are_the_closed_list() -> None:
    assert {reason.value for reason in DeadLetterReason} == {
        "not-cloudevent",
        "not-json",
        "invalid-field",
        "unknown-type",
        "unsupported-version",
        "provider-mismatch",
        "version-conflict",
    }


def test_the_original_headers_come_first_and_unchanged() -> None:
    assert dead_letter_headers(_letter(ORIGINAL), "claims")[:3] == ORIGINAL


def test_the_added_headers_say_why_whence_and_who() -> None:
    assert dead_letter_headers(_letter(ORIGINAL), "claims-gruppe-ä")[3:] == [
        ("dlq-reason", b"invalid-field"),
        ("dlq-detail", b"claim_id: must be a UUID"),
        ("dlq-topic", b"claim-paid"),
        ("dlq-partition", b"7"),
        ("dlq-offset", b"1099511627776"),
        ("dlq-timestamp", b"1768581001250"),
        ("dlq-group", "claims-gruppe-ä".encode()),
        ("dlq-attempts", b"1"),
    ]


def test_a_dead_letter_that_dies_again_counts_on() -> None:
    once = dead_letter_headers(_letter([]), "claims")
    twice = dead_letter_headers(_letter(once), "claims")
    assert twice[: len(once)] == once
    assert _attempts(twice) == b"3"


def test_the_last_count_of_attempts_counts() -> None:
    assert _attempts([("dlq-attempts", b"5"), ("dlq-attempts", b"2")]) == b"3"


@pytest.mark.parametrize("said", [b"", b"-1", b"two", b"1.5", b"\xff", "٣".encode(), b"9" * 4000])
def test_a_count_that_makes_no_sense_starts_again(said: bytes) -> None:
    assert _attempts([("dlq-attempts", said)]) == b"1"


def test_the_detail_is_cut_to_a_bounded_length() -> None:
    headers = dict(dead_letter_headers(_letter([], "x" * 5000), "claims"))
    assert headers["dlq-detail"] == b"x" * MAX_DETAIL


def test_a_dead_letter_does_not_change() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        _letter([]).detail = "other"  # type: ignore[misc]  # that it is refused is the test
