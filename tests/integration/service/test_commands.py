"""Each command as a process, where no server is needed: help, settings, files, nothing answers."""

import json
from pathlib import Path

import pytest
from typer.main import get_group

from service.cli.app import build_app
from service.settings import PREFIX, Settings
from tests.integration.service.command_line import NOTHING_ANSWERS, claim_analytics

COMMANDS = {name: command.help or "" for name, command in get_group(build_app([])).commands.items()}


def test_without_a_command_it_lists_all_of_them(tmp_path: Path) -> None:
    listed = claim_analytics(tmp_path, "--help")
    assert listed.code == 0
    assert [name for name in COMMANDS if f" {name} " not in listed.output] == []


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_explains_itself(command: str, tmp_path: Path) -> None:
    explained = claim_analytics(tmp_path, command, "--help")
    summary = " ".join(COMMANDS[command].split("\n\n")[0].split())
    assert explained.code == 0
    assert summary
    assert summary in explained.words


def test_an_unknown_command_is_wrong_usage(tmp_path: Path) -> None:
    refused = claim_analytics(tmp_path, "rnu")
    assert refused.code == 2
    assert "rnu" in refused.errors


def test_each_setting_is_shown_with_where_it_came_from(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(f"{PREFIX}BRAKE_RUN=7\n{PREFIX}BATCH_MAX_EVENTS=8\n")
    shown = claim_analytics(
        tmp_path, "settings", "--json", environment={f"{PREFIX}BATCH_MAX_EVENTS": "9"}
    )
    found = json.loads(shown.output)
    assert set(found) == {PREFIX + name.upper() for name in Settings.model_fields}
    assert _value_and_source(found, "BATCH_MAX_EVENTS") == (9, "environment")
    assert _value_and_source(found, "BRAKE_RUN") == (7, ".env")
    assert _value_and_source(found, "GROUP_PREFIX") == ("claim-analytics", "default")


def _value_and_source(found: dict[str, dict[str, object]], name: str) -> tuple[object, object]:
    return found[PREFIX + name]["value"], found[PREFIX + name]["source"]


@pytest.mark.parametrize("form", [(), ("--json",)])
def test_secrets_among_the_settings_are_masked(form: tuple[str, ...], tmp_path: Path) -> None:
    secrets = {
        f"{PREFIX}DATABASE_URL": "postgresql://someone:hidden@host:5432/claims",
        f"{PREFIX}KAFKA_SASL_PASSWORD": "hidden",
    }
    shown = claim_analytics(tmp_path, "settings", *form, environment=secrets)
    assert shown.code == 0
    assert "postgresql://someone:********@host:5432/claims" in shown.output
    assert "hidden" not in shown.output + shown.errors


@pytest.mark.parametrize("command", ["settings", "run"])
def test_every_wrong_setting_is_named_and_no_value_is_shown(command: str, tmp_path: Path) -> None:
    wrong = {
        f"{PREFIX}DATABASE_URL": "postgresql://someone:hidden@host:port/claims",
        f"{PREFIX}KAFKA_BOOTSTRAP_SERVERS": "hidden:port",
        f"{PREFIX}BRAKE_RATIO": "hidden",
        f"{PREFIX}TOP_CODES_SECONDS": "6",
        f"{PREFIX}LOG_FORMAT": "hidden",
    }
    refused = claim_analytics(tmp_path, command, environment=wrong)
    assert refused.code == 2
    assert {line.split()[0] for line in refused.errors.splitlines()} == set(wrong)
    assert "hidden" not in refused.output + refused.errors


def test_settings_that_need_one_another_are_named_together(tmp_path: Path) -> None:
    refused = claim_analytics(
        tmp_path, "settings", environment={f"{PREFIX}KAFKA_SECURITY_PROTOCOL": "SASL_SSL"}
    )
    assert refused.code == 2
    for name in ("SECURITY_PROTOCOL", "SASL_MECHANISM", "SASL_USERNAME", "SASL_PASSWORD"):
        assert f"{PREFIX}KAFKA_{name}" in refused.errors


@pytest.mark.parametrize("command", [("topics",), ("run", "--drain"), ("publish", "one.jsonl")])
def test_kafka_is_named_where_it_does_not_answer(command: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "one.jsonl").write_text('{"topic": "claim-paid", "value": "{}"}\n')
    failed = claim_analytics(tmp_path, *command, environment=NOTHING_ANSWERS)
    assert failed.code == 3
    assert f"{PREFIX}KAFKA_BOOTSTRAP_SERVERS" in failed.errors
    assert not failed.output


@pytest.mark.parametrize("command", ["migrate", "verify"])
def test_the_database_is_named_where_it_does_not_answer(command: str, tmp_path: Path) -> None:
    failed = claim_analytics(tmp_path, command, environment=NOTHING_ANSWERS)
    assert failed.code == 3
    assert f"{PREFIX}DATABASE_URL" in failed.errors
    assert "hidden" not in failed.errors


@pytest.mark.parametrize("line", [b"{", b"[1]", b"\xff", b'{"specversion": "1.0"}'])
def test_a_line_that_is_no_message_is_named_and_nothing_is_sent(
    line: bytes, tmp_path: Path
) -> None:
    (tmp_path / "events.jsonl").write_bytes(
        b'{"topic": "claim-paid", "value": "{}"}\n\n' + line + b"\n"
    )
    refused = claim_analytics(tmp_path, "publish", "events.jsonl", environment=NOTHING_ANSWERS)
    assert refused.code == 2
    assert refused.errors.startswith("events.jsonl, line 3: ")


def test_a_file_that_is_not_there_is_wrong_usage(tmp_path: Path) -> None:
    refused = claim_analytics(tmp_path, "publish", "events.jsonl")
    assert refused.code == 2
    assert "events.jsonl" in refused.errors
