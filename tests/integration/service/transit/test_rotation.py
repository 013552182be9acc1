"""Passwords that are changed under a running service: no restart, and no event is lost."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import httpx

from consumers.topics.claims import CLAIMS
from service.local.stack.server import LOOPBACK, free_ports
from tests.harness.deployment import Deployment, deploy
from tests.harness.kafka import publish
from tests.harness.messages import simulated
from tests.harness.process import RUN, ServiceProcess, running
from tests.harness.rows import all_applied, assert_tables_equal_oracle
from tests.harness.secure_kafka import PASSWORD, ROTATED, SECRET, SecureKafka, permit
from tests.harness.waiting import until
from tests.servers import execute

SECONDS = 15  # within which a fault is named; a few, on a machine with nothing else to do


async def test_both_passwords_are_changed_under_load(
    secure: SecureKafka, postgres: str, tmp_path: Path
) -> None:
    """Each is revoked first and its file is written afterwards, so for a while it is wrong."""
    plain = await deploy(secure.bootstrap_servers, postgres)
    letters = [topic + plain.settings.topic_dlq_suffix for topic in plain.topics]
    await permit(secure, ROTATED, "Read", "topic", plain.topics)
    await permit(secure, ROTATED, "Write", "topic", letters)
    former = [plain.settings.group(name) for name in CLAIMS.decoders]
    await permit(secure, ROTATED, "Read", "group", [plain.group, *former])
    load = simulated(plain, 3000)
    parts = [load.messages[at : at + 1000] for at in range(0, len(load.messages), 1000)]
    with _login(postgres) as user:
        url, password = tmp_path / "url", tmp_path / "password"
        _write(url, _with_user(postgres, user, PASSWORD))
        _write(password, PASSWORD)
        rotating = _rotating(plain, secure, url, password)
        async with running(rotating) as process:
            await publish(plain, parts[0])

            execute(postgres, f"ALTER ROLE {user} PASSWORD 'second-{SECRET}'")
            _cut_off(postgres, user)
            await publish(plain, parts[1])
            await _said(process, "wrong user or password in CLAIM_ANALYTICS_DATABASE_URL")
            _write(url, _with_user(postgres, user, f"second-{SECRET}"))

            assert not process.log("joining the group anew")  # though logins expired all the while
            await asyncio.to_thread(secure.change_password, ROTATED, f"third-{SECRET}")
            for part in parts[2:]:
                await publish(plain, part)
            await _said(process, "refuses the user or the password: look at")
            assert "refuses the user or the password" in await _not_ready(rotating)
            _write(password, f"third-{SECRET}")
            await all_applied(plain, load.events)
            assert SECRET not in process.output()
    await assert_tables_equal_oracle(plain, load.events)


async def test_a_password_that_turns_wrong_while_it_runs_is_named_again_and_again(
    guarded: Deployment, secure: SecureKafka
) -> None:
    [port] = free_ports(1)
    wrong = guarded.having(
        kafka_bootstrap_servers=f"{LOOPBACK}:{port}", kafka_sasl_password=f"wrong-{SECRET}"
    )
    with ServiceProcess(wrong, *RUN) as process:
        await process.logged("failed while connecting to Kafka, trying again: Kafka at", times=2)
        async with _forwarding(port, secure.ports["SASL"]):
            why = f"Kafka at {LOOPBACK}:{port} refuses the user or the password"
            await process.logged(f"failed while connecting to Kafka, trying again: {why}", times=4)
        process.terminate()
        assert await process.ended() == 0


async def _not_ready(deployment: Deployment) -> str:
    address = deployment.values["http_address"]
    async with httpx.AsyncClient(base_url=f"http://{address}") as client:
        answer = await client.get("/healthz/ready")
    assert answer.status_code == 503
    return answer.text


def _rotating(plain: Deployment, secure: SecureKafka, url: Path, password: Path) -> Deployment:
    """Only for a process: its secrets are in files."""
    secured = plain.having(
        kafka_bootstrap_servers=secure.server("BRIEF"),
        kafka_security_protocol="SASL_SSL",
        kafka_ssl_cafile=secure.authority.file,
        kafka_sasl_mechanism="SCRAM-SHA-512",
        kafka_sasl_username=ROTATED,
        kafka_sasl_password_file=password,
        database_url_file=url,
        http_address=f"{LOOPBACK}:{free_ports(1)[0]}",
    )
    return Deployment({n: value for n, value in secured.values.items() if n != "database_url"})


@contextmanager
def _login(url: str) -> Iterator[str]:
    """A user of the database with the password PASSWORD."""
    user = f"login_{uuid4().hex[:12]}"
    execute(url, f"CREATE ROLE {user} LOGIN SUPERUSER PASSWORD '{PASSWORD}'")
    try:
        yield user
    finally:
        _cut_off(url, user)
        execute(url, f"DROP ROLE {user}")


def _cut_off(url: str, user: str) -> None:
    execute(url, f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename='{user}'")


def _with_user(url: str, user: str, password: str) -> str:
    parts = urlsplit(url)
    return parts._replace(netloc=f"{user}:{password}@{parts.hostname}:{parts.port}").geturl()


def _write(file: Path, secret: str) -> None:
    """At once, as Kubernetes changes what it mounts."""
    new = file.with_suffix(".new")
    new.write_text(secret + "\n")
    new.replace(file)


async def _said(process: ServiceProcess, what: str) -> None:
    await until(lambda: what in process.output(), f"{what!r} in the log", SECONDS)


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
