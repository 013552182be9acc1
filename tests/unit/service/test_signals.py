"""Signals: the first begins the stop, the others change nothing."""

import asyncio
import signal
from collections.abc import Iterator

import pytest

from service.signals import Interruption

NUMBERS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@pytest.fixture(autouse=True)
def handlers() -> Iterator[dict[signal.Signals, object]]:
    """The handlers that the test starts with; after it, those of the test run are back."""
    before = {number: signal.getsignal(number) for number in NUMBERS}
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # the run itself may be under nohup
    yield {number: signal.getsignal(number) for number in NUMBERS}
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", NUMBERS)
def test_in_plain_code_the_first_raises_an_interrupt(number: signal.Signals) -> None:
    with pytest.raises(KeyboardInterrupt), Interruption():
        signal.raise_signal(number)


def test_in_plain_code_the_second_does_nothing() -> None:
    with Interruption():
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGTERM)


def test_after_one_came_they_are_ignored_until_the_process_ends() -> None:
    with pytest.raises(KeyboardInterrupt), Interruption():
        signal.raise_signal(signal.SIGINT)
    assert [signal.getsignal(number) for number in NUMBERS] == [signal.SIG_IGN] * 3


def test_if_none_came_everything_is_as_before(handlers: dict[signal.Signals, object]) -> None:
    with Interruption():
        pass
    assert {number: signal.getsignal(number) for number in NUMBERS} == handlers


def test_a_hangup_that_nohup_ignores_stays_ignored() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with Interruption():
        signal.raise_signal(signal.SIGHUP)


def test_work_that_is_not_interrupted_gives_its_result() -> None:
    async def work() -> int:
        return 7

    with Interruption() as interruption:
        assert interruption.run(work) == 7


def test_work_that_is_interrupted_is_cancelled_and_gives_nothing() -> None:
    ended = []

    async def work() -> None:
        signal.raise_signal(signal.SIGINT)
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(True)

    with Interruption() as interruption:
        assert interruption.run(work) is None
    assert ended == [True]


def test_a_second_signal_does_not_cut_the_end_of_the_work_short() -> None:
    ended = []

    async def work() -> None:
        signal.raise_signal(signal.SIGINT)
        try:
            await asyncio.Event().wait()
        finally:
            signal.raise_signal(signal.SIGINT)
            await asyncio.sleep(0.02)  # work that a second signal must not break off
            ended.append(True)

    with Interruption() as interruption:
        assert interruption.run(work) is None
    assert ended == [True]


def test_a_signal_after_the_work_does_nothing() -> None:
    async def work() -> str:
        return "done"

    with Interruption() as interruption:
        result = interruption.run(work)
        signal.raise_signal(signal.SIGINT)
    assert result == "done"
