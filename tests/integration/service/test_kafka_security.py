"""Ways into Kafka, and each way to be kept out, with a broker that has TLS, users and ACLs."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest

from consumers.engine.errors import ConsumerStopped
from consumers.kafka import reach
from consumers.kafka.connection import KafkaConnection
from consumers.kafka.faults import KafkaUnreachable
from consumers.kafka.reach import reachable
from consumers.topics.claims import CLAIMS
from service.kafka import KafkaFailed, Message, TopicPlan, kafka_admin, publisher
from service.local.stack.server import LOOPBACK, free_ports
from service.operations.doctor import Level, examine
from service.runner import Service
from service.settings import PREFIX
from service.wiring import kafka_connection
from tests.conftest import OWN, or_fail
from tests.harness.deployment import Deployment, deploy
from tests.harness.kafka import dead_letters, publish
from tests.harness.messages import nonsense, simulated
from tests.harness.process import RUN, ServiceProcess, consuming
from tests.harness.rows import all_applied
from tests.harness.secure_kafka import (
    MECHANISMS,
    NOWHERE,
    PASSWORD,
    USER,
    SecureKafka,
    own_secure_kafka,
    permit,
)
from tests.harness.waiting import LONG, until_async
from tests.integration.service.command_line import claim_analytics
from tests.servers import unique_topic

LOGINS = [(listener, each) for listener in ("SASL", "SASLTLS") for each in MECHANISMS]
SECONDS = 5  # within which a fault is named; half a second, on a machine with nothing else to do


@pytest.fixture(scope="module")
def secure() -> Iterator[SecureKafka]:
    with or_fail(own_secure_kafka(), OWN) as broker:
        yield broker


@pytest.mark.parametrize(("listener", "mechanism"), [("TLS", None), ("MUTUAL", None), *LOGINS])
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
                {"sasl_mechanism": each, "sasl_password": "x"},
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
    filled = {name: value and value.format(**places) for name, value in changes.items()}
    started = time.monotonic()
    with pytest.raises(KafkaUnreachable, match=said) as kept_out:
        await reachable(secure.connection(listener, **filled))
    assert kept_out.value.permanent
    assert time.monotonic() - started < SECONDS


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


@pytest.fixture
async def guarded(secure: SecureKafka, postgres: str) -> Deployment:
    """A deployment that logs in as a user that may do nothing there yet."""
    deployment = await deploy(secure.bootstrap_servers, postgres)
    # Who may write nowhere is refused before any topic is named.
    await permit(secure, USER, "Write", "topic", ["elsewhere"])
    return deployment.having(
        kafka_bootstrap_servers=secure.server("SASL"),
        kafka_security_protocol="SASL_PLAINTEXT",
        kafka_sasl_mechanism="SCRAM-SHA-256",
        kafka_sasl_username=USER,
        kafka_sasl_password=PASSWORD,
    )


async def test_each_permission_that_is_missing_is_named_and_with_all_of_them_it_works(
    guarded: Deployment, secure: SecureKafka
) -> None:
    """The permissions that docs/operations.md lists, one after the other."""
    letters = [topic + guarded.settings.topic_dlq_suffix for topic in guarded.topics]
    load = simulated(guarded, 200)
    await publish(_as_anybody(guarded, secure), [*load.messages, *nonsense(guarded, 1)])

    first = min(guarded.topics)
    await _is_stopped(guarded, rf"does not permit this user to use the topic {first}")
    await permit(secure, USER, "Read", "topic", guarded.topics)
    await _is_stopped(guarded, rf"does not permit this user to read as the group {guarded.group}")
    former = [guarded.settings.group(name) for name in CLAIMS.decoders]
    await permit(secure, USER, "Read", "group", [guarded.group, *former])
    await _is_stopped(guarded, rf"does not permit this user to use the topic {letters[0]}")
    await permit(secure, USER, "Write", "topic", letters)
    async with consuming(guarded):
        await all_applied(guarded, load.events)
        await until_async(lambda: dead_letters(_as_anybody(guarded, secure)), "the dead letter")


async def test_the_doctor_names_each_permission_that_is_missing(
    guarded: Deployment, secure: SecureKafka
) -> None:
    """To see a topic takes a permission too, and to look at its settings one more."""
    submitted, paid = guarded.topics[:2]
    assert f"use the topic {min(guarded.topics)}" in await _permissions(guarded)
    await permit(secure, USER, "Write", "topic", [submitted, f"{submitted}.dlq", f"{paid}.dlq"])
    await permit(secure, USER, "Read", "topic", [paid, f"{submitted}.dlq"])
    await permit(secure, USER, "Read", "group", [guarded.settings.group("ai-suggestion")])
    found = await _permissions(guarded)
    assert f"permit this user to read the topic {submitted}: add an ACL" in found
    assert f"read as the group {guarded.group}: add an ACL" in found
    assert f"as the group {guarded.settings.group('ai-suggestion')}" not in found
    assert paid not in found
    wrong = guarded.having(kafka_sasl_password="wrong-horse")
    assert "refuses the user or the password" in await _permissions(wrong)


async def _permissions(deployment: Deployment) -> str:
    """What the doctor finds wrong."""
    found = await examine(deployment.settings)
    return "\n".join(one.said for one in found if one.level is Level.WRONG)


def _as_anybody(deployment: Deployment, secure: SecureKafka) -> Deployment:
    """By the listener that asks nobody who they are and lets them do everything."""
    return deployment.having(
        kafka_bootstrap_servers=secure.bootstrap_servers, kafka_security_protocol="PLAINTEXT"
    )


async def _is_stopped(deployment: Deployment, said: str) -> None:
    with pytest.raises(ConsumerStopped, match=said):
        await asyncio.wait_for(Service(deployment.settings, [CLAIMS]).run(), LONG)


async def test_a_publisher_that_may_not_write_is_told_which_topic(guarded: Deployment) -> None:
    connection = kafka_connection(guarded.settings)
    with pytest.raises(KafkaFailed, match=f"use the topic {guarded.topics[0]}: add an ACL"):
        async with publisher(connection) as publishing:
            await publishing.send(Message(guarded.topics[0], b"key", b"value"))


def test_a_run_that_is_kept_out_ends_with_the_reason(guarded: Deployment, tmp_path: Path) -> None:
    wrong = guarded.having(kafka_sasl_password="wrong-horse")
    ended = claim_analytics(tmp_path, *RUN, environment=wrong.environment)
    assert ended.code == 3
    assert f"refuses the user or the password: look at {PREFIX}KAFKA_SASL_USERNAME" in ended.errors
    assert "horse" not in ended.errors


def test_a_file_of_certificates_that_is_missing_is_a_wrong_setting(tmp_path: Path) -> None:
    files = {"KAFKA_SECURITY_PROTOCOL": "SSL", "KAFKA_SSL_CAFILE": "ca.pem"}
    environment = {PREFIX + name: value for name, value in files.items()}
    refused = claim_analytics(tmp_path, *RUN, environment=environment)
    assert refused.code == 2
    assert refused.errors == (
        f"{PREFIX}KAFKA_SSL_CAFILE is wrong: ca.pem cannot be read (No such file or directory).\n"
    )


async def test_a_password_that_turns_wrong_while_it_runs_is_named_again_and_again(
    guarded: Deployment, secure: SecureKafka
) -> None:
    [port] = free_ports(1)
    wrong = guarded.having(
        kafka_bootstrap_servers=f"{LOOPBACK}:{port}", kafka_sasl_password="wrong-horse"
    )
    with ServiceProcess(wrong, *RUN) as process:
        await process.logged("failed while connecting to Kafka, trying again: Kafka at", times=2)
        async with _forwarding(port, secure.ports["SASL"]):
            why = f"Kafka at {LOOPBACK}:{port} refuses the user or the password"
            await process.logged(f"failed while connecting to Kafka, trying again: {why}", times=4)
        process.terminate()
        assert await process.ended() == 0


@asynccontextmanager
async def _forwarding(port: int, to: int) -> AsyncIterator[None]:
    """A port that leads to another."""

    async def pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(4096):
                writer.write(data)
        finally:
            writer.close()

    async def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection(LOOPBACK, to)
        await asyncio.gather(pipe(reader, back), pipe(there, writer), return_exceptions=True)

    server = await asyncio.start_server(forward, LOOPBACK, port)
    try:
        yield
    finally:
        server.close()
