"""How `claim-analytics demo` ends; with a stack that starts nothing and a play that is none."""

import asyncio
import logging
import signal
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Self

import pytest
from typer.testing import CliRunner, Result

from service.cli.app import build_app
from service.kafka import KafkaFailed
from service.local.demo.play import Plan
from service.local.demo.summary import Outcome
from service.local.stack import StackError
from service.local.stack.server import Progress
from tests.unit.service.local.demo.test_summary import CLEAN, outcome

Play = Callable[..., Awaitable[Outcome]]
STOPPED = "Kafka and PostgreSQL are stopped, their data is removed."


@pytest.fixture(autouse=True)
def stack(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Signals and logging are as before after the test."""

    class FakeStack:
        kafka = SimpleNamespace(name="Kafka 4")
        postgres = SimpleNamespace(name="PostgreSQL 18")
        folder = tmp_path

        def __init__(self, progress: Progress) -> None:
            progress("Starting …")

        def __enter__(self) -> Self:
            return self

        def __exit__(self, *_: object) -> None: ...

    monkeypatch.setattr("service.cli.demo.Stack", FakeStack)
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    handlers = {number: signal.getsignal(number) for number in numbers}
    level = logging.getLogger().level
    yield
    logging.getLogger().setLevel(level)
    for number, handler in handlers.items():
        signal.signal(number, handler)


def run_demo(monkeypatch: pytest.MonkeyPatch, play: Play, *arguments: str) -> Result:
    monkeypatch.setattr("service.cli.demo.play", play)
    return CliRunner().invoke(build_app([]), ["demo", *arguments])


async def right(*_: object) -> Outcome:
    return outcome()


def test_when_everything_is_right_it_ends_with_0_and_the_figures(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    result = run_demo(monkeypatch, right, "--once")
    assert result.exit_code == 0
    assert "Verify is clean and every count agrees." in result.stdout
    assert "$1,812.50" in result.stdout
    assert STOPPED in result.stdout


def test_when_a_figure_is_wrong_it_ends_with_1(monkeypatch: pytest.MonkeyPatch) -> None:
    async def wrong(*_: object) -> Outcome:
        return replace(outcome(), verification=replace(CLEAN, claims=19))

    result = run_demo(monkeypatch, wrong, "--once")
    assert result.exit_code == 1
    assert "DIFFERS" in result.stdout
    assert STOPPED in result.stdout


def test_an_interrupt_ends_it_with_0_and_without_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    async def interrupted(*_: object) -> Outcome:
        signal.raise_signal(signal.SIGINT)
        await asyncio.Event().wait()
        return outcome()

    result = run_demo(monkeypatch, interrupted)
    assert result.exit_code == 0
    assert "Verify" not in result.stdout
    assert STOPPED in result.stdout


@pytest.mark.parametrize("error", [StackError("Kafka 4 ended."), KafkaFailed("No answer.")])
def test_a_failure_is_said_on_standard_error_and_ends_it_with_1(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    async def fail(*_: object) -> Outcome:
        raise error

    result = run_demo(monkeypatch, fail)
    assert result.exit_code == 1
    assert result.stderr == f"{error}\n"


def test_options_become_the_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    plans: list[Plan] = []

    async def note(plan: Plan, *_: object) -> Outcome:
        plans.append(plan)
        return outcome()

    options = {"--events": "7", "--providers": "3", "--seed": "5", "--rate": "2.5"}
    run_demo(monkeypatch, note, "--once", *(text for pair in options.items() for text in pair))
    assert plans == [Plan(events=7, once=True, providers=3, seed=5, rate=2.5)]


def test_reports_are_kept_in_a_folder_that_is_made(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    plans: list[Plan] = []

    async def note(plan: Plan, *_: object) -> Outcome:
        plans.append(plan)
        return outcome()

    folder = tmp_path / "some" / "where"
    result = run_demo(monkeypatch, note, "--once", "--keep-reports", str(folder))
    assert [plan.keep_reports for plan in plans] == [folder]
    assert folder.is_dir()
    assert f"Reports are in {folder}." in result.stdout


def test_a_folder_that_cannot_be_made_ends_it_with_2_before_anything_starts(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    folder = tmp_path / "file" / "folder"
    result = run_demo(monkeypatch, right, "--keep-reports", str(folder))
    assert result.exit_code == 2
    assert "cannot be made" in result.stderr
    assert "Starting" not in result.stdout


def test_logs_go_to_a_file_of_the_stack(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    async def log(*_: object) -> Outcome:
        logging.getLogger("service.runner").warning("the broker is slow")
        logging.getLogger("service.runner").info("batch applied")
        logging.getLogger("sqlalchemy.pool").error("of no account")
        return outcome()

    result = run_demo(monkeypatch, log)
    written = (tmp_path / "service.log").read_text()
    assert "batch applied" in written
    assert "of no account" in written
    assert "the broker is slow" in result.stderr
    assert "batch applied" not in result.output
    assert "of no account" not in result.output
