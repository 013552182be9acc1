"""The demo's settings come from the demo alone, and another shell can have them."""

import stat
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
from pydantic import SecretStr

from service.local.demo.environment import demo_settings, write_environment
from service.local.simulator.providers import make_providers
from service.local.stack import Stack
from service.reports.wiring import keyring, password_keys
from service.settings import Settings

STACK = cast(
    Stack,
    SimpleNamespace(
        folder=Path("/tmp/of-the-stack"),  # nothing is made there
        postgres=SimpleNamespace(url="postgresql://postgres:x@127.0.0.1:1/claim_analytics"),
        kafka=SimpleNamespace(bootstrap_servers="127.0.0.1:2"),
    ),
)


def test_they_point_at_the_stack() -> None:
    settings = demo_settings(STACK)
    assert settings.database_url.get_secret_value() == STACK.postgres.url
    assert settings.kafka_bootstrap_servers == "127.0.0.1:2"


def test_what_the_user_has_set_does_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLAIM_ANALYTICS_DATABASE_URL", "postgresql://elsewhere/production")
    monkeypatch.setenv("CLAIM_ANALYTICS_TOPIC_CLAIM_PAID", "production-claims")
    monkeypatch.setenv("CLAIM_ANALYTICS_BATCH_MAX_EVENTS", "not a number")
    settings = demo_settings(STACK)
    assert settings.database_url.get_secret_value() == STACK.postgres.url
    assert settings.topic("claim-paid") == "claim-paid"


def test_report_files_go_with_the_stack() -> None:
    assert demo_settings(STACK).report_storage_url == "/tmp/of-the-stack/report-files"


def test_each_demo_has_keys_of_its_own_which_no_log_shows() -> None:
    one, other = demo_settings(STACK), demo_settings(STACK)
    assert keyring(one).key_ids != keyring(other).key_ids
    assert password_keys(one) is not None
    secrets = [one.report_master_keys, one.report_password_keys]
    assert not [s for s in secrets if s and s.get_secret_value() in repr(one)]


PHYSICIAN = make_providers(1, 1)[0]
PASSWORD_KEYS = '{"kty": "EC", "d": "it\'s"}'


def settings(folder: Path) -> Settings:
    return Settings.model_construct(
        database_url=SecretStr("postgresql://u:p@127.0.0.1:1/d"),
        kafka_bootstrap_servers="127.0.0.1:2",
        report_storage_url=str(folder / "report files"),
        report_master_keys=SecretStr("id:key="),
        report_password_keys=SecretStr(PASSWORD_KEYS),
    )


def test_it_is_for_this_user_alone(tmp_path: Path) -> None:
    file = write_environment(tmp_path, settings(tmp_path), PHYSICIAN)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_shell_that_reads_it_has_the_settings_as_they_are(tmp_path: Path) -> None:
    file = write_environment(tmp_path, settings(tmp_path), PHYSICIAN)
    names = ("STORAGE_URL", "MASTER_KEYS", "PASSWORD_KEYS")
    shown = " ".join(f'"$CLAIM_ANALYTICS_REPORT_{name}"' for name in names)
    script = f'. {file} && printf "%s\\n" {shown} "$PHYSICIAN"'
    lines = subprocess.run(
        ["/bin/sh", "-c", script], capture_output=True, check=True, text=True
    ).stdout.splitlines()
    assert lines == [
        *(str(tmp_path / "report files"), "id:key=", PASSWORD_KEYS, PHYSICIAN.provider_id)
    ]
