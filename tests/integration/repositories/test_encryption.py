"""TLS between the service and PostgreSQL: it works, and what does not work has a name.

The wheels' PostgreSQL has no TLS, so a real PgBouncer before it is the server that has.
"""

import asyncio
import logging
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from migrations import commands
from repositories.errors import DatabaseSettingWrong, NotAdmitted
from repositories.postgres.connecting import SESSION, connect, is_encrypted
from repositories.postgres.database_url import DatabaseUrl, Host
from repositories.postgres.requirements import inspection
from service.local.stack.workspace import Workspace
from tests.harness.certificates import Authority
from tests.harness.pgbouncer import PgBouncer, needs_pgbouncer

pytestmark = needs_pgbouncer


class Place:
    """A PostgreSQL without TLS, an authority, and servers with TLS whose certificates it signs."""

    def __init__(self, plain_url: str, stack: ExitStack) -> None:
        self.plain_url = plain_url
        self._workspace = stack.enter_context(Workspace())
        self.authority = Authority(self._workspace.folder)
        self.stranger = Authority(self._workspace.folder, "stranger")

    @contextmanager
    def server(
        self, mode: str = "require", *, ended: bool = False, behind: str = ""
    ) -> Iterator[str]:
        """The URL of one whose certificate is for localhost; `mode` is PgBouncer's."""
        certificate, key = self.authority.issue("localhost", ended=ended)
        pooler = PgBouncer(
            self._workspace,
            behind or self.plain_url,
            client_tls_sslmode=mode,
            client_tls_cert_file=certificate,
            client_tls_key_file=key,
            client_tls_ca_file=self.authority.file,
        )
        pooler.start()
        try:
            yield pooler.url.replace("127.0.0.1", "localhost")
        finally:
            pooler.stop()

    @property
    def verified(self) -> str:
        return f"sslmode=verify-full&sslrootcert={self.authority.file}"


@pytest.fixture(scope="module")
def place(_postgres16_server: str) -> Iterator[Place]:
    with ExitStack() as stack:
        yield Place(_postgres16_server, stack)


@pytest.fixture(scope="module")
def server_url(place: Place) -> Iterator[str]:
    with place.server() as url:
        yield url


async def encrypted(url: str) -> bool:
    connection = await connect(DatabaseUrl.parse(url), SESSION)
    try:
        assert await connection.fetchval("SELECT 1") == 1
        return is_encrypted(connection)
    finally:
        connection.terminate()


async def test_a_server_that_proves_who_it_is_is_spoken_to(place: Place, server_url: str) -> None:
    assert await encrypted(f"{server_url}?{place.verified}&connect_timeout=5")
    assert await encrypted(server_url)  # as `prefer`, without a parameter
    assert not await encrypted(place.plain_url)


async def test_a_client_can_prove_who_it_is_too(place: Place) -> None:
    certificate, key = place.authority.issue("claim-analytics")
    with place.server("verify-full") as url:
        assert await encrypted(f"{url}?{place.verified}&sslcert={certificate}&sslkey={key}")
        with pytest.raises(NotAdmitted, match="of this client, or wants one and is given none"):
            await encrypted(f"{url}?{place.verified}")


async def test_a_certificate_that_has_ended_is_named(place: Place) -> None:
    with (
        place.server(ended=True) as url,
        pytest.raises(NotAdmitted, match="certificate has expired"),
    ):
        await encrypted(f"{url}?{place.verified}")


async def test_the_schema_is_made_over_it_too(place: Place, postgres16: str) -> None:
    with place.server(behind=postgres16) as url:
        await asyncio.to_thread(commands.upgrade, f"{url}?{place.verified}")


async def test_another_authority_is_named(place: Place, server_url: str) -> None:
    with pytest.raises(NotAdmitted, match="signed by no authority that is trusted here"):
        await encrypted(f"{server_url}?sslmode=verify-full&sslrootcert={place.stranger.file}")


async def test_another_host_name_is_named(place: Place, server_url: str) -> None:
    other = server_url.replace("localhost", "127.0.0.1")
    with pytest.raises(NotAdmitted, match=r"is for another (host name|address)"):
        await encrypted(f"{other}?{place.verified}")
    assert await encrypted(f"{other}?{place.verified.replace('verify-full', 'verify-ca')}")


async def test_a_server_without_tls_is_named(place: Place) -> None:
    with pytest.raises(NotAdmitted, match="does not speak TLS, which sslmode=require asks for"):
        await encrypted(f"{place.plain_url}?sslmode=require")


async def test_a_server_that_takes_tls_alone_is_named(server_url: str) -> None:
    with pytest.raises(NotAdmitted, match=r"takes TLS alone: add .sslmode=verify-full"):
        await encrypted(f"{server_url}?sslmode=disable")


@pytest.mark.parametrize("parameter", ["sslrootcert", "sslcert"])
async def test_a_file_that_is_not_there_is_named(
    place: Place, server_url: str, parameter: str, tmp_path: Path
) -> None:
    missing, empty = tmp_path / "missing.pem", tmp_path / "empty.pem"
    empty.touch()
    for file, says in ((missing, "No such file"), (empty, "no usable certificate")):
        with pytest.raises(DatabaseSettingWrong, match=f"{parameter}.*{file}.*{says}"):
            await encrypted(f"{server_url}?sslmode=require&{parameter}={file}")


async def test_only_what_leaves_this_machine_unencrypted_is_warned_of(
    place: Place, server_url: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def look(url: str) -> str:
        caplog.clear()
        async with inspection(DatabaseUrl.parse(url)):
            return caplog.text

    caplog.set_level(logging.WARNING)
    assert not await look(place.plain_url)
    monkeypatch.setattr(Host, "is_local", False)  # both are on this machine
    assert not await look(f"{server_url}?{place.verified}")
    warned = await look(place.plain_url)
    assert "not encrypted on the way there" in warned
    assert (urlsplit(place.plain_url).password or "") not in warned
