"""What is tried again, and with which pauses."""

import logging

import pytest
from aiokafka import errors as kafka
from aiokafka.errors import KafkaError

from consumers.engine.retry import (
    RetryPolicy,
    describe,
    is_transient,
    remedy,
    tell_failure,
    until_it_succeeds,
)
from consumers.kafka.faults import KafkaUnreachable
from consumers.supervision import outage
from repositories.errors import (
    ConcurrentClaim,
    DatabaseBehind,
    DatabaseRefused,
    DatabaseUnavailable,
    NotAdmitted,
    SchemaMissing,
)

SECRET = "123456780"
TRANSIENT: list[Exception] = [
    DatabaseUnavailable(""),
    ConcurrentClaim(""),
    kafka.KafkaConnectionError(),
    kafka.NodeNotReadyError(),
    kafka.RequestTimedOutError(),
    kafka.KafkaTimeoutError(),
    kafka.GroupCoordinatorNotAvailableError(),
    kafka.GroupLoadInProgressError(),
    kafka.NotCoordinatorForGroupError(),
    kafka.NotLeaderForPartitionError(),
    kafka.LeaderNotAvailableError(),
    kafka.NotEnoughReplicasError(),
    kafka.RebalanceInProgressError(),
    kafka.UnknownTopicOrPartitionError(),
    kafka.OutOfOrderSequenceNumber(),
    kafka.UnknownError(),
]
FINAL: list[Exception] = [
    DatabaseBehind(""),
    DatabaseRefused(""),
    SchemaMissing(""),
    KafkaError(),
    kafka.TopicAuthorizationFailedError(),
    kafka.GroupAuthorizationFailedError(),
    kafka.MessageSizeTooLargeError(),
    kafka.OffsetOutOfRangeError(),
    kafka.CommitFailedError(),
    kafka.IllegalStateError(),
    ValueError(),
]


def name(error: Exception) -> str:
    return type(error).__name__


@pytest.mark.parametrize("error", TRANSIENT, ids=name)
def test_what_passes_is_tried_again(error: Exception) -> None:
    assert is_transient(error)


@pytest.mark.parametrize("error", FINAL, ids=name)
def test_what_stays_is_not(error: Exception) -> None:
    assert not is_transient(error)


class Work:
    """Fails with these errors, one after the other; then succeeds."""

    def __init__(self, *errors: Exception) -> None:
        self._errors = list(errors)

    async def __call__(self) -> str:
        if self._errors:
            raise self._errors.pop(0)
        return "done"


HASTY = RetryPolicy(first=0.0001, longest=0.001)


async def test_it_goes_on_until_it_succeeds() -> None:
    work = Work(DatabaseUnavailable("away"), kafka.NodeNotReadyError(), DatabaseUnavailable("away"))
    assert await until_it_succeeds(work, "working", HASTY) == "done"


async def test_a_final_error_is_raised_at_once() -> None:
    with pytest.raises(DatabaseRefused):
        await until_it_succeeds(Work(DatabaseRefused("no")), "working", HASTY)


async def test_an_error_of_another_kind_is_raised_at_once() -> None:
    with pytest.raises(ZeroDivisionError):
        await until_it_succeeds(Work(ZeroDivisionError()), "working", HASTY)


async def test_each_failure_is_a_line_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        work = Work(DatabaseUnavailable("away"), kafka.NodeNotReadyError(SECRET))
        await until_it_succeeds(work, "working", HASTY)
    assert caplog.messages == [
        "failed while working, trying again: away",
        "failed while working, trying again: Kafka, NodeNotReadyError",
        "recovered after 0.0 s: working",
    ]


async def test_what_is_tried_again_for_long_says_what_to_do(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outage, "LONG_SECONDS", 0.0)
    await until_it_succeeds(
        Work(DatabaseUnavailable("away"), kafka.NodeNotReadyError()), "working", HASTY
    )
    assert [record.levelname for record in caplog.records] == ["ERROR", "ERROR"]
    for message, setting in zip(caplog.messages, ("DATABASE_URL", "KAFKA_BOOTSTRAP"), strict=True):
        assert f"CLAIM_ANALYTICS_{setting}" in message


@pytest.mark.parametrize(
    ("error", "kept_out"),
    [
        (NotAdmitted("wrong password"), True),
        (KafkaUnreachable("refuses the password", permanent=True), True),
        (KafkaUnreachable("nothing listens there"), False),
        (DatabaseUnavailable("nothing listens there"), False),
        (KafkaError(), False),
    ],
)
def test_who_is_kept_out_is_told_apart_from_what_is_away(error: Exception, kept_out: bool) -> None:
    """The one has no remedy but what its text names; readiness asks for it."""
    trouble = outage.Outage("working")
    tell_failure(trouble, error)
    assert trouble.kept_out is kept_out
    assert (remedy(error) == "look at what the message names") is kept_out


def test_an_error_of_kafka_is_told_by_its_class_alone() -> None:
    assert SECRET not in describe(KafkaError(SECRET))


def test_pauses_grow_to_the_longest_and_no_further() -> None:
    policy = RetryPolicy(first=1.0, longest=10.0)
    longest = [1.0, 2.0, 4.0, 8.0, 10.0, 10.0]
    for attempt, most in enumerate(longest, start=1):
        assert 0.75 * most <= policy.pause(attempt) <= most
    assert policy.pause(10**6) <= 10.0


def test_pauses_differ_so_that_instances_do_not_come_back_all_at_once() -> None:
    assert len({RetryPolicy().pause(5) for _ in range(20)}) > 1
