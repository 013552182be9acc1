"""The demo's settings come from the demo alone."""

from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from service.demo.settings import demo_settings
from service.reports.wiring import keyring, password_keys
from service.stack import Stack

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
