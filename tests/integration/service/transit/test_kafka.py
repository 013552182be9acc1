"""Ways into Kafka, and each way to be kept out, with a broker that has TLS, users and ACLs."""

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from shutil import copyfile

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaConnectionError

from consumers.kafka import reach
from consumers.kafka.connection import KafkaConnection, SecurityFileUnusable, start
from consumers.kafka.faults import KafkaUnreachable
from consumers.kafka.reach import reachable
from service.kafka import Message, TopicPlan, kafka_admin, publisher
from service.local.stack.server import LOOPBACK, free_ports
from service.settings import PREFIX
from tests.harness.process import RUN
from tests.harness.secure_kafka import (
    MECHANISMS,
    NOWHERE,
    PASSWORD,
    SECRET,
    USER,
    SecureKafka,
    permit,
    token,
)
from tests.integration.service.command_line import claim_analytics
from tests.servers import unique_topic

LOGINS = [(listener, each) for listener in ("SASL", "SASLTLS") for each in MECHANISMS]
SECONDS = 5  # within which a fault is named; half a second, on a machine with nothing else to do


@pytest.mark.parametrize(
    ("listener", "mechanism"),
    [("TLS", None), ("MUTUAL", None), ("OAUTH", "OAUTHBEARER"), *LOGINS],
)
async def test_each_way_in_can_be_used(
    listener: str, mechanism: str | None, secure: SecureKafka
) -> None:
    topic = unique_topic()
    async with kafka_admin(KafkaConnection(secure.bootstrap_servers)) as admin:
        await admin.create(TopicPlan(topic, 1, 1))
    await permit(secure, USER, "Write", "topic", [topic])
    connection = secure.connection(listener, sasl_mechanism=mechanism)
    async with publisher(connection) as publishing:
        await publishing.send(Message(topic, b"key", b"value"))
    async with kafka_admin(connection) as admin:
        assert await admin.end_offsets([topic]) == {(topic, 0): 1}


@pytest.mark.parametrize(
    ("listener", "changes", "said"),
    [
        *(
            (
                listener,
                {"sasl_mechanism": each, "sasl_password": f"wrong-{SECRET}"},
                "refuses the user or the pass",
            )
            for listener, each in LOGINS
        ),
        ("TLS", {"cafile": "{OTHER}"}, "an authority that is not in .*other-authority.pem"),
        ("TLS", {"cafile": None}, "an authority that is not in the system's certificates"),
        ("TLS", {"bootstrap_servers": "127.0.0.1:{TLS}"}, "made out to another name"),
        ("TLS", {"security_protocol": "PLAINTEXT"}, "expects TLS at this port"),
        ("SASLTLS", {"security_protocol": "SASL_PLAINTEXT"}, "expects TLS at this port"),
        ("TLS", {"bootstrap_servers": "localhost:{PLAINTEXT}"}, "speaks no TLS at this port"),
        ("SASLTLS", {"bootstrap_servers": "localhost:{SASL}"}, "speaks no TLS at this port"),
        ("SASL", {"security_protocol": "PLAINTEXT"}, r"expects a user .*PLAIN.*SASL_PLAINTEXT\."),
        ("SASLTLS", {"security_protocol": "SSL"}, r"expects a user .*PLAIN.* SASL_SSL\."),
        ("SASL", {"bootstrap_servers": "localhost:{PLAINTEXT}"}, "takes no user at this port"),
        ("MUTUAL", {"certfile": None, "keyfile": None}, "refuses the certificate of this client"),
        (
            "MUTUAL",
            {"certfile": "{FILE}", "keyfile": "{KEY}"},
            "refuses the certificate of this client",
        ),
        ("ENDED", {}, "certificate that is not valid: certificate has expired"),
        ("OAUTH", {"oauth_token": token(-60)}, "refuses the token: look at .*OAUTH_TOKEN_FILE"),
        ("SASL", {"sasl_mechanism": "OAUTHBEARER"}, "does not take this way to log in"),
        ("OAUTH", {"sasl_mechanism": "PLAIN"}, "does not take this way to log in"),
        ("SASL", {"bootstrap_servers": "a..b:9092"}, "that is no name of a host"),
        ("TLS", {"cafile": "/nowhere"}, "SSL_CAFILE is wrong: /nowhere cannot be read"),
        (
            "TLS",
            {"cafile": "{OTHER}", "bootstrap_servers": "localhost:1,localhost:{TLS}"},
            "author",
        ),
    ],
)
async def test_each_way_to_be_kept_out_is_named_at_once(
    listener: str, changes: dict[str, str | None], said: str, secure: SecureKafka
) -> None:
    places = {"OTHER": str(secure.other_authority.file), **secure.ports}
    places["FILE"], places["KEY"] = secure.stranger_files
    filled = {name: value and value.format(**places) for name, value in changes.items()}
    started = time.monotonic()
    with pytest.raises(KafkaUnreachable, match=said) as kept_out:
        await reachable(secure.connection(listener, **filled))
    assert kept_out.value.permanent
    assert time.monotonic() - started < SECONDS
    assert SECRET not in str(kept_out.value)


async def test_an_outage_is_not_taken_for_a_fault_of_the_settings() -> None:
    [port] = free_ports(1)
    with pytest.raises(KafkaUnreachable, match="nothing listens there") as away:
        await reachable(KafkaConnection(f"{LOOPBACK}:{port}"))
    assert not away.value.permanent


async def test_a_server_that_takes_connections_and_never_answers_costs_nothing(
    secure: SecureKafka,
) -> None:
    """Beside one that answers: both are asked at the same time."""
    with _silent() as silent:
        started = time.monotonic()
        servers = f"{silent},{secure.bootstrap_servers}"
        async with kafka_admin(KafkaConnection(servers)) as admin:
            await admin.existing_topics()
        assert time.monotonic() - started < SECONDS


async def test_a_server_that_never_answers_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    assert reach.ANSWER_SECONDS + reach.CROSS_CHECK_SECONDS <= 10
    monkeypatch.setattr(reach, "ANSWER_SECONDS", 0.2)
    monkeypatch.setattr(reach, "CROSS_CHECK_SECONDS", 0.2)
    with _silent() as silent, pytest.raises(KafkaUnreachable, match="does not answer") as away:
        await reachable(KafkaConnection(silent))
    assert not away.value.permanent


@contextmanager
def _silent() -> Iterator[str]:
    """The address of a server to which the system connects clients, and which does nothing."""
    with socket.create_server((LOOPBACK, 0)) as server:
        yield f"{LOOPBACK}:{server.getsockname()[1]}"


async def test_the_address_that_clients_are_sent_on_to_is_tried_too(secure: SecureKafka) -> None:
    with pytest.raises(KafkaUnreachable, match=rf"advertised.listeners.*{NOWHERE} refuses"):
        await reachable(secure.connection("LOST"))


def test_a_connection_in_the_clear_is_warned_of_once_unless_it_is_to_this_machine(
    caplog: pytest.LogCaptureFixture,
) -> None:
    reach._warn_in_the_clear.cache_clear()
    for server in ("localhost:1", "127.0.0.9:1", "[::1]:1", "broker.example:1", "broker.example:1"):
        reach._warn_in_the_clear(False, (server,))
    reach._warn_in_the_clear(True, ("other.example:1",))
    [warning] = caplog.messages
    assert "broker.example:1 is not encrypted" in warning


def test_a_file_of_certificates_that_is_missing_is_a_wrong_setting(tmp_path: Path) -> None:
    files = {"KAFKA_SECURITY_PROTOCOL": "SSL", "KAFKA_SSL_CAFILE": "ca.pem"}
    environment = {PREFIX + name: value for name, value in files.items()}
    refused = claim_analytics(tmp_path, *RUN, environment=environment)
    assert refused.code == 2
    assert refused.errors == (
        f"{PREFIX}KAFKA_SSL_CAFILE is wrong: ca.pem cannot be read (No such file or directory).\n"
    )


@pytest.mark.parametrize(("listener", "mechanism"), [*LOGINS, ("OAUTH", "OAUTHBEARER")])
async def test_a_client_logs_in_with_what_counts_when_it_connects(
    listener: str, mechanism: str, secure: SecureKafka
) -> None:
    """And not with what counted when it was made."""
    current = f"former-{SECRET}"
    right = secure.connection(listener, sasl_mechanism=mechanism)
    renewed = replace(right, sasl_password=lambda: current, oauth_token=lambda: current)
    client = AIOKafkaAdminClient(**renewed.client_options())
    current = token() if listener == "OAUTH" else PASSWORD
    await start(client)
    await client.close()


async def test_certificates_and_keys_are_read_when_a_client_connects(
    secure: SecureKafka, tmp_path: Path
) -> None:
    files = [str(tmp_path / name) for name in ("ca.pem", "client.pem", "client.key")]
    right = [str(secure.authority.file), *secure.client_files]
    wrong = [str(secure.other_authority.file), *secure.stranger_files]
    names = ("cafile", "certfile", "keyfile")
    for held in (wrong, right):
        for source, file in zip(held, files, strict=True):
            copyfile(source, file)
        if held is wrong:
            connection = secure.connection("MUTUAL", **dict(zip(names, files, strict=True)))
            client = AIOKafkaAdminClient(**connection.client_options())
    await start(client)
    await client.close()


async def test_a_secret_that_cannot_be_read_is_named_and_the_client_goes_on(
    secure: SecureKafka,
) -> None:
    def ask() -> str:
        if unreadable:
            raise SecurityFileUnusable("the file cannot be read")
        return PASSWORD

    unreadable = False
    connection = replace(secure.connection("SASL"), sasl_password=ask)
    client = AIOKafkaAdminClient(**connection.client_options())
    unreadable = True
    with pytest.raises(KafkaUnreachable, match="the file cannot be read"):
        await reachable(connection)
    with pytest.raises(KafkaConnectionError):
        await start(client)
    unreadable = False
    await start(client)
    await client.close()


def test_no_secret_is_in_what_python_shows_of_a_connection() -> None:
    connection = KafkaConnection("a:1", sasl_password=PASSWORD, oauth_token=token())
    assert SECRET not in repr(connection)
    assert token() not in repr(connection)
