"""What `claim-analytics stack` prints where, and how it ends; with a stack that starts nothing."""

from pathlib import Path
from types import SimpleNamespace
from typing import Self

import pytest
import typer
from typer.testing import CliRunner, Result

from service.cli.stack import stack
from service.local.stack import StackError
from service.local.stack.server import Progress

SETTINGS = {
    "CLAIM_ANALYTICS_DATABASE_URL": "postgresql://postgres:secret@127.0.0.1:1/claim_analytics",
    "CLAIM_ANALYTICS_KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:2",
}


class FakeStack:
    """Runs until it is checked, then does what `end` says."""

    end: BaseException = KeyboardInterrupt()
    start_error: StackError | None = None
    folder = Path("/somewhere")
    kafka = SimpleNamespace(name="Kafka 4")
    postgres = SimpleNamespace(name="PostgreSQL 18")

    def __init__(self, progress: Progress) -> None:
        progress("Starting …")

    def __enter__(self) -> Self:
        if self.start_error:
            raise self.start_error
        return self

    def __exit__(self, *_: object) -> None: ...

    def environment(self) -> dict[str, str]:
        return SETTINGS

    def check(self) -> None:
        raise self.end


@pytest.fixture(autouse=True)
def fake(monkeypatch: pytest.MonkeyPatch) -> type[FakeStack]:
    class Fake(FakeStack): ...

    monkeypatch.setattr("service.cli.stack.Stack", Fake)
    return Fake


def run_stack(*arguments: str) -> Result:
    app = typer.Typer()
    app.command()(stack)
    return CliRunner().invoke(app, arguments)


def test_print_env_has_the_two_settings_alone_on_standard_output() -> None:
    result = run_stack("--print-env")
    assert result.stdout == "".join(f"{name}={value}\n" for name, value in SETTINGS.items())
    assert "Starting" in result.stderr


def test_without_print_env_the_lines_can_be_pasted_into_a_shell() -> None:
    result = run_stack()
    for name, value in SETTINGS.items():
        assert f"  export {name}='{value}'\n" in result.stdout


def test_an_interrupt_ends_it_with_exit_code_0() -> None:
    assert run_stack().exit_code == 0


def test_what_is_missing_is_said_on_standard_error_with_exit_code_1(fake: type[FakeStack]) -> None:
    fake.start_error = StackError("Kafka needs Java: install it.")
    result = run_stack("--print-env")
    assert result.exit_code == 1
    assert result.stderr.endswith("Kafka needs Java: install it.\n")
    assert result.stdout == ""


def test_a_server_that_ends_by_itself_ends_the_command_with_exit_code_1(
    fake: type[FakeStack],
) -> None:
    fake.end = StackError("PostgreSQL 18 ended unexpectedly.")
    result = run_stack()
    assert result.exit_code == 1
    assert "PostgreSQL 18 ended unexpectedly." in result.stderr


def test_help_says_what_starts_and_how_to_use_it() -> None:
    result = run_stack("--help")
    assert "Java 17" in result.stdout
    assert "claim-analytics migrate" in result.stdout
