"""TLS, certificates and passwords with a PostgreSQL that demands them; what is wrong has a name."""

import asyncio
import logging
from collections.abc import Iterator

import asyncpg
import pytest
from sqlalchemy import select

from repositories.errors import DatabaseSettingWrong, DatabaseUnavailable, NotAdmitted
from repositories.postgres import notifications
from repositories.postgres.connecting import SESSION, connect, is_encrypted
from repositories.postgres.database import Database
from repositories.postgres.database_url import DatabaseUrl
from repositories.postgres.notifications import Channel, Notifications
from service.local.stack.workspace import Workspace
from tests.harness.tls_postgres import ADMIN, CERTIFIED, TlsPostgres, needs_tls_postgres
from tests.harness.waiting import until, until_async
from tests.servers import execute

pytestmark = needs_tls_postgres

SECRET = "horse"
PASSWORD = f"correct-{SECRET}"


@pytest.fixture(scope="module")
def server() -> Iterator[TlsPostgres]:
    with Workspace() as workspace:
        postgres = TlsPostgres(workspace, PASSWORD)
        postgres.start()
        execute(postgres.url(), f"CREATE ROLE {CERTIFIED} LOGIN")
        yield postgres
        postgres.stop()


async def connected(url: str) -> asyncpg.Connection:
    return await connect(DatabaseUrl.parse(url), SESSION)


@pytest.mark.parametrize("mode", ["require", "verify-ca", "verify-full"])
async def test_the_service_comes_in_with_tls_in_each_way_that_it_connects(
    server: TlsPostgres, mode: str
) -> None:
    database = Database(server.url(sslmode=mode))
    try:
        async with database.snapshot() as pooled, database.own_session() as own:
            for each in (pooled, own):
                raw = (await each.get_raw_connection()).driver_connection
                assert is_encrypted(raw)
        async with database.session() as listening:
            assert is_encrypted(listening)
    finally:
        await database.close()


async def test_a_certificate_takes_the_place_of_a_password(server: TlsPostgres) -> None:
    certificate, key = server.authority.issue(CERTIFIED)
    connection = await connected(server.url(CERTIFIED, sslcert=certificate, sslkey=key))
    assert await connection.fetchval("SELECT user") == CERTIFIED
    connection.terminate()


@pytest.mark.parametrize(
    ("user", "changes", "said"),
    [
        (ADMIN, {"password": f"wrong-{SECRET}"}, "wrong user or password .*28P01"),
        (ADMIN, {"sslrootcert": "{stranger}"}, "signed by no authority that is trusted here"),
        (ADMIN, {"sslmode": "disable", "sslrootcert": None}, "no line that lets .* without TLS"),
        ("unknown", {}, "pg_hba.conf has no line that lets this user in from here .SQLSTATE 28000"),
        (CERTIFIED, {}, "let in with a client's certificate alone: name it with sslcert"),
        (CERTIFIED, {"issued": "someone"}, r"certificate \(sslcert\) is made out to another user"),
        (CERTIFIED, {"issued": CERTIFIED, "by": "stranger"}, "refuses the certificate of this cl"),
        (CERTIFIED, {"issued": CERTIFIED, "ended": True}, "refuses the certificate of this client"),
    ],
)
async def test_each_way_to_be_kept_out_is_named(
    server: TlsPostgres, user: str, changes: dict[str, str | bool | None], said: str
) -> None:
    changes = dict(changes)
    if issued := changes.pop("issued", None):
        authority = getattr(server, str(changes.pop("by", "authority")))
        files = authority.issue(str(issued), ended=bool(changes.pop("ended", False)))
        changes |= {"sslcert": str(files[0]), "sslkey": str(files[1])}
    if changes.get("sslrootcert"):
        changes["sslrootcert"] = str(server.stranger.file)
    with pytest.raises(NotAdmitted, match=said) as kept_out:
        await connected(server.url(user, **changes))  # type: ignore[arg-type]  # texts all
    assert SECRET not in str(kept_out.value)
    await asyncio.sleep(0.1)  # the driver takes leave of a connection that broke off in a while


async def test_another_host_name_is_named(server: TlsPostgres) -> None:
    url = server.url().replace("localhost", "127.0.0.1")
    with pytest.raises(NotAdmitted, match=r"is for another (host name|address)"):
        await connected(url)


async def test_a_password_that_is_changed_is_taken_up_at_the_next_connection(
    server: TlsPostgres,
) -> None:
    admin = await connected(server.url())
    await admin.execute(f"CREATE ROLE keeper LOGIN PASSWORD '{PASSWORD}'")
    url = server.url("keeper")
    database = Database(lambda: url)

    async def works() -> bool:
        async with database.snapshot() as connection:
            return bool(await connection.scalar(select(1)))

    assert await works()
    await admin.execute(f"ALTER ROLE keeper PASSWORD 'second-{SECRET}'")
    admin.terminate()
    assert await works()  # over the connection that is there
    await _cut_off(server)
    with pytest.raises(DatabaseUnavailable):
        await works()
    with pytest.raises(NotAdmitted, match="wrong user or password") as refused:
        await works()
    assert refused.value.retriable
    url = server.url("keeper", f"second-{SECRET}")
    assert await works()
    await database.close()


async def test_a_url_that_leads_elsewhere_than_at_the_start_is_refused(
    server: TlsPostgres,
) -> None:
    url = server.url()
    database = Database(lambda: url)
    for changed in (
        url.replace("/postgres?", "/template1?"),
        url.replace("localhost", "elsewhere"),
    ):
        url = changed
        with pytest.raises(DatabaseSettingWrong, match="that takes a restart") as refused:
            async with database.snapshot():
                pass
        assert SECRET not in str(refused.value)
    await database.close()


async def test_a_certificate_that_ends_while_the_service_listens_is_named_until_it_is_renewed(
    server: TlsPostgres, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notifications, "RECONNECT_SECONDS", 0.2)
    database, stop = Database(server.url()), asyncio.Event()
    listening = Notifications()
    woken: list[bool] = []

    async def look() -> bool:
        woken.append(True)
        return False

    tasks = [
        asyncio.create_task(listening.listen(database, stop)),
        asyncio.create_task(listening.wait_for(Channel.OUTBOX, look, stop, 600)),
    ]
    await until(lambda: len(woken) >= 2, "the listener's first look")
    server.show_certificate(ended=True)

    async def named() -> bool:
        await _cut_off(server)
        return "the server's certificate has expired" in caplog.text

    await until_async(named, "what is wrong with it")
    server.show_certificate()
    before = len(woken)
    await until(lambda: len(woken) > before, "a new listener")
    stop.set()
    await asyncio.gather(*tasks)
    await database.close()
    assert not [record for record in caplog.records if record.levelno > logging.WARNING]
    assert SECRET not in caplog.text


async def _cut_off(server: TlsPostgres) -> None:
    """End all other connections; by one that looks at no certificate."""
    admin = await connected(server.url(sslmode="require", sslrootcert=None))
    await admin.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
    )
    admin.terminate()
