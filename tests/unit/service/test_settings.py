"""Which values the settings take."""

from functools import partial
from pathlib import Path

import pytest
from pydantic import ValidationError

from consumers.kafka.connection import SecurityFileUnusable
from consumers.topics.claims import CLAIMS
from consumers.topics.report_requests import REPORT_REQUESTS
from repositories.errors import DatabaseSettingWrong
from repositories.postgres.database_url import CurrentUrl
from service import wiring
from service.settings import PREFIX, Settings
from service.settings.topics import TOPICS

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


@pytest.mark.parametrize("port", ["0", "65536", "99999", "999999999"])
def test_a_port_is_one_that_there_can_be(port: str) -> None:
    with pytest.raises(ValidationError, match="a port is a number from 1 to 65535"):
        Settings.model_validate({"kafka_bootstrap_servers": f"a:9092,b:{port}"})


@pytest.mark.parametrize("left_out", list(SASL)[1:])
def test_sasl_must_be_whole(left_out: str) -> None:
    for protocol in ("SASL_SSL", "SASL_PLAINTEXT"):
        whole = SASL | {"kafka_security_protocol": protocol}
        Settings.model_validate(whole)
        with pytest.raises(ValidationError, match=f"{protocol}, which needs"):
            Settings.model_validate({name: whole[name] for name in whole if name != left_out})


def test_a_token_takes_the_place_of_user_and_password() -> None:
    token = {"kafka_security_protocol": "SASL_SSL", "kafka_sasl_mechanism": "OAUTHBEARER"}
    Settings.model_validate(token | {"kafka_oauth_token": "hidden"})
    with pytest.raises(ValidationError, match="which needs CLAIM_ANALYTICS_KAFKA_OAUTH_TOKEN too"):
        Settings.model_validate(token)


def test_a_secret_in_a_file_is_what_the_file_holds_when_it_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also by those that keep it: the way into Kafka."""
    file = tmp_path / "password"
    file.write_text("hidden-first\n")
    for name, value in {**SASL, "kafka_sasl_password_file": str(file)}.items():
        if name != "kafka_sasl_password":
            monkeypatch.setenv(PREFIX + name.upper(), value)
    settings = Settings()
    connection = wiring.kafka_connection(settings)
    assert connection.broker_options()["sasl_plain_password"] == "hidden-first"
    file.write_text("hidden-second\n")
    assert settings.kafka_sasl_password
    assert settings.kafka_sasl_password.get_secret_value() == "hidden-second"
    assert connection.broker_options()["sasl_plain_password"] == "hidden-second"
    assert "hidden" not in repr(settings)
    for spoil, why in ((partial(file.write_text, "\n"), "is empty"), (file.unlink, "No such file")):
        spoil()
        with pytest.raises(SecurityFileUnusable, match=f"SASL_PASSWORD_FILE: .*{why}") as refused:
            connection.broker_options()
        assert "hidden" not in str(refused.value)


@pytest.mark.parametrize("wrong", ["hidden", "postgresql://a:hidden@other/claims"])
def test_a_database_url_that_turns_wrong_in_its_file_is_named(
    wrong: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "url"
    file.write_text("postgresql://a:hidden@host/claims")
    monkeypatch.setenv(f"{PREFIX}DATABASE_URL_FILE", str(file))
    current = CurrentUrl(wiring.asked(Settings().database_url, DatabaseSettingWrong))
    file.write_text("postgresql://b:hidden@host/claims?sslmode=require")
    assert current.renewed().user == "b"
    file.write_text(wrong)
    with pytest.raises(DatabaseSettingWrong, match=f"{PREFIX}DATABASE_URL") as refused:
        current.renewed()
    assert "hidden" not in str(refused.value)
    assert current.url.user == "b"
    file.unlink()
    with pytest.raises(DatabaseSettingWrong, match=r"DATABASE_URL_FILE: .*No such file"):
        current.renewed()


def test_files_of_certificates_must_hold_some(tmp_path: Path) -> None:
    empty = tmp_path / "empty.pem"
    empty.touch()
    for wrong, said in (
        ({"kafka_ssl_cafile": empty}, "CAFILE is wrong: .*empty.pem holds no certificate"),
        ({"kafka_ssl_certfile": empty}, "CERTFILE or .*KEYFILE is wrong: .*the key in it"),
        ({"kafka_ssl_certfile": tmp_path}, r"CERTFILE is wrong: .*cannot be read \(Is a dir"),
        ({"kafka_ssl_keyfile": empty}, "KEYFILE needs .*SSL_CERTFILE"),
    ):
        values = {name: str(file) for name, file in wrong.items()}
        with pytest.raises(ValidationError, match=said):
            Settings.model_validate({"kafka_security_protocol": "SSL", **values})
        Settings.model_validate(values)  # without TLS they are not looked at


def test_a_topic_is_found_by_its_default_name() -> None:
    settings = Settings.model_validate({"topic_claim_paid": "paid-here"})
    assert settings.topic("claim-paid") == "paid-here"
    assert settings.topic("claim-submitted") == "claim-submitted"


def test_every_topic_of_the_contracts_has_a_setting_and_no_two_may_be_one() -> None:
    """Else the messages of one would be refused as those of the other."""
    assert [Settings().topic(name) for name in TOPICS] == TOPICS
    with pytest.raises(ValidationError, match=r"TOPIC_CLAIM_EXPIRED and .*_CLAIM_PAID name one"):
        Settings.model_validate({"topic_claim_expired": "one", "topic_claim_paid": "one"})
    Settings.model_validate({"topic_claim_expired": "claim-paid", "topic_claim_paid": "other"})


def test_the_claims_and_each_other_topic_have_consumer_groups_of_their_own() -> None:
    """By their default names, whatever the topics are called."""
    settings = Settings.model_validate(
        {"group_prefix": "here", "topic_report_request": "requests-here"}
    )
    groups = [settings.group(subscription.name) for subscription in (CLAIMS, REPORT_REQUESTS)]
    assert groups == ["here.claims", "here.report-request"]
