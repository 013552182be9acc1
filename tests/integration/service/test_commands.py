"""Each command as a process, where no server is needed: help, settings, files, nothing answers."""

import json
import re
from importlib.metadata import version
from pathlib import Path

import pytest
from typer.main import get_group

from service.cli.app import build_app
from service.cli.common import Exit
from service.parts import Part
from service.settings import PREFIX, Settings
from tests.integration.service.command_line import NOTHING_ANSWERS, claim_analytics
from tests.unit.project_files import project_files

VERSION = version("claim-analytics")
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


def test_the_version_is_that_of_the_package(tmp_path: Path) -> None:
    assert claim_analytics(tmp_path, "--version").output == f"claim-analytics {VERSION}\n"


@pytest.mark.parametrize("command", [(), ("report", "list")])
def test_the_help_has_a_short_name_everywhere(command: tuple[str, ...], tmp_path: Path) -> None:
    short, long = (claim_analytics(tmp_path, *command, option) for option in ("-h", "--help"))
    assert short == long
    assert short.code == 0


def test_the_help_of_run_says_what_runs_and_what_each_exit_code_means(tmp_path: Path) -> None:
    shown = claim_analytics(tmp_path, "run", "-h", environment={"COLUMNS": "80"})
    lines = shown.output.splitlines()
    assert [line for line in lines if len(line) > 80] == []
    assert {line.split()[0] for line in lines if line.startswith("    ")} >= {
        *Part,
        *("0", *(str(code.value) for code in Exit if code < Exit.NOT_FOUND)),
    }


def test_an_unknown_command_is_wrong_usage(tmp_path: Path) -> None:
    refused = claim_analytics(tmp_path, "rnu")
    assert refused.code == 2
    assert "rnu" in refused.errors


def test_each_setting_is_shown_with_where_it_came_from(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(f"{PREFIX}BRAKE_RUN=7\n{PREFIX}BATCH_MAX_EVENTS=8\n")
    given = {f"{PREFIX}BATCH_MAX_EVENTS": "9", f"{PREFIX}HEARTBEAT_FILE": "beat"}
    shown = claim_analytics(tmp_path, "settings", "--json", environment=given)
    found = json.loads(shown.output)
    assert set(found) == {PREFIX + name.upper() for name in Settings.model_fields}
    assert _value_and_source(found, "BATCH_MAX_EVENTS") == (9, "environment")
    assert _value_and_source(found, "HEARTBEAT_FILE") == ("beat", "environment")
    assert _value_and_source(found, "BRAKE_RUN") == (7, ".env")
    assert _value_and_source(found, "GROUP_PREFIX") == ("claim-analytics", "default")


def test_settings_fit_a_terminal_of_80_columns(tmp_path: Path) -> None:
    shown = claim_analytics(tmp_path, "settings", environment={"COLUMNS": "80"})
    assert [line for line in shown.output.splitlines() if len(line) > 80] == []


def test_a_misspelt_setting_is_named_with_the_nearest(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(f"{PREFIX}TOPIC_RETENTION_DAY=1\n")
    others = {f"{PREFIX}PORT": "tcp://10.0.0.1:80", f"{PREFIX}TEST_KAFKA": "kafka:9092"}
    typo = {f"{PREFIX}DATABSE_URL": "postgresql://someone:hidden@host/claims"}
    shown = claim_analytics(tmp_path, "settings", "--json", environment=typo | others)
    assert shown.code == 0
    first, second = (json.loads(line)["message"] for line in shown.errors.splitlines())
    assert f"{PREFIX}TOPIC_RETENTION_DAY in .env is no setting" in first
    assert first.endswith(f"Did you mean {PREFIX}TOPIC_RETENTION_DAYS?")
    assert second.endswith(f"Did you mean {PREFIX}DATABASE_URL?")
    assert "hidden" not in shown.errors


def test_an_empty_value_is_as_none(tmp_path: Path) -> None:
    """As docker compose hands on `NAME=` in `.env`."""
    (tmp_path / ".env").write_text(f"{PREFIX}REPORT_PASSWORD_KEYS=\n")
    shown = claim_analytics(
        tmp_path, "settings", "--json", environment={f"{PREFIX}REPORT_MASTER_KEYS": ""}
    )
    found = json.loads(shown.output)
    for name in ("REPORT_MASTER_KEYS", "REPORT_PASSWORD_KEYS"):
        assert _value_and_source(found, name) == (None, "default")


def test_a_secret_can_stand_in_a_file_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "url").write_text("postgresql://someone:hidden@host/claims\n")
    file = {f"{PREFIX}DATABASE_URL_FILE": str(tmp_path / "url")}
    shown = claim_analytics(tmp_path, "settings", "--json", environment=file)
    assert (shown.code, shown.errors) == (0, "")
    assert _value_and_source(json.loads(shown.output), "DATABASE_URL") == (
        "postgresql://someone:********@host/claims",
        "file",
    )
    twice = {f"{PREFIX}DATABASE_URL": "postgresql://other:hidden@host/claims"}
    missing = {f"{PREFIX}KAFKA_SASL_PASSWORD_FILE": str(tmp_path / "hidden")}
    for wrong in (file | twice, missing):
        refused = claim_analytics(tmp_path, "settings", environment=wrong)
        assert refused.code == 2
        assert set(wrong) <= set(re.findall(rf"{PREFIX}\w+", refused.errors))
        assert "hidden" not in refused.errors


@pytest.mark.parametrize(("folder", "file"), [(0o1777, 0o600), (0o700, 0o666)])
def test_what_others_can_write_is_not_read(folder: int, file: int, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(f"{PREFIX}BRAKE_RUN=7\n")
    (tmp_path / ".env").chmod(file)
    tmp_path.chmod(folder)
    shown = claim_analytics(tmp_path, "settings", "--json")
    assert shown.code == 0
    assert ".env is not read: others can write to it" in shown.words
    assert _value_and_source(json.loads(shown.output), "BRAKE_RUN") == (500, "default")


def test_an_env_file_that_is_no_text_is_wrong_usage(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"\xff\xfe")
    refused = claim_analytics(tmp_path, "settings")
    assert refused.code == 2
    assert ".env: the file cannot be read" in refused.errors


def test_the_example_of_an_env_file_works_as_it_stands(tmp_path: Path) -> None:
    example = project_files()[".env.example"]
    (tmp_path / ".env").write_text(example)
    shown = claim_analytics(tmp_path, "settings", "--json")
    assert (shown.code, shown.errors) == (0, "")
    assert _value_and_source(json.loads(shown.output), "DATABASE_URL")[1] == ".env"
    # TLS and tokens need their files, and a URL stands in the file or in the setting.
    all_but_files = rf"(?m)^#(?=\w+=)(?!{PREFIX}(KAFKA_[SO]|DATABASE_URL_FILE))"
    (tmp_path / ".env").write_text(re.sub(all_but_files, "", example))
    assert claim_analytics(tmp_path, "settings").code == 0


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


def test_a_heartbeat_file_that_cannot_be_written_is_wrong_usage(tmp_path: Path) -> None:
    """A container with a read-only root and no writable /tmp; its health check could never pass."""
    beat = {f"{PREFIX}HEARTBEAT_FILE": str(tmp_path / "missing" / "beat")}
    refused = claim_analytics(tmp_path, "run", environment=NOTHING_ANSWERS | beat)
    assert refused.code == 2
    assert refused.errors.splitlines()[-1].startswith(f"{PREFIX}HEARTBEAT_FILE is ")


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
