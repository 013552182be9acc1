"""Which values the settings take."""

import pytest
from pydantic import ValidationError

from service.settings import Settings

SASL = {
    "kafka_security_protocol": "SASL_SSL",
    "kafka_sasl_mechanism": "PLAIN",
    "kafka_sasl_username": "someone",
    "kafka_sasl_password": "hidden",
}


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://someone:hidden@host:5432/claims",
        "postgres://host/claims",
        "postgresql://someone@[::1]:5432/claims",
        "postgresql://host/claims?sslmode=verify-full",
    ],
)
def test_a_database_url_may_leave_out_what_postgresql_can_do_without(url: str) -> None:
    settings = Settings.model_validate({"database_url": url})
    assert settings.database_url.get_secret_value() == url


@pytest.mark.parametrize(
    "url",
    [
        "",
        "hidden",
        "mysql://someone:hidden@host/x",
        "postgresql://someone:hidden@host:x/y",
        "postgresql://host/x?sslmode=hidden",
        "postgresql://host/x?sslmode=require&hidden=1",
    ],
)
def test_anything_else_is_no_database_url_and_is_not_quoted(url: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Settings.model_validate({"database_url": url})
    assert "database_url" in str(refused.value)
    assert "hidden" not in str(refused.value)


@pytest.mark.parametrize("servers", ["kafka:9092", "a.example:9092, b.example:9093", "[::1]:9092"])
def test_bootstrap_servers_are_hosts_with_ports(servers: str) -> None:
    settings = Settings.model_validate({"kafka_bootstrap_servers": servers})
    assert settings.kafka_bootstrap_servers == servers


@pytest.mark.parametrize(
    "servers", ["", "kafka", "kafka:", ":9092", "kafka:port", "a:9092,,b:9092"]
)
def test_bootstrap_servers_without_host_or_port_are_refused(servers: str) -> None:
    with pytest.raises(ValidationError, match="expected host:port"):
        Settings.model_validate({"kafka_bootstrap_servers": servers})


@pytest.mark.parametrize("left_out", list(SASL)[1:])
def test_sasl_must_be_whole(left_out: str) -> None:
    Settings.model_validate(SASL)
    with pytest.raises(ValidationError, match="CLAIM_ANALYTICS_KAFKA_SASL_MECHANISM"):
        Settings.model_validate({name: SASL[name] for name in SASL if name != left_out})


def test_a_topic_is_found_by_its_default_name() -> None:
    settings = Settings.model_validate({"topic_claim_paid": "paid-here"})
    assert settings.topic("claim-paid") == "paid-here"
    assert settings.topic("claim-submitted") == "claim-submitted"


def test_each_topic_has_a_consumer_group_of_its_own() -> None:
    settings = Settings.model_validate({"group_prefix": "here", "topic_claim_paid": "paid-here"})
    assert settings.group("claim-paid") == "here.claim-paid"
