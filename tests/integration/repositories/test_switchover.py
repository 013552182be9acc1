"""A real switchover: the primary stops, its standby takes over, and it comes back as a standby."""

from collections.abc import Iterator

import asyncpg
import pytest

from repositories.errors import DatabaseUnavailable
from repositories.postgres.database import Database
from service.local.stack.postgres import PostgresServer
from tests.harness.moving_address import moving_address
from tests.harness.standby import Standby, demote, promote
from tests.harness.waiting import until_async
from tests.integration.repositories.examples import apply, expected, paid, settled, submitted
from tests.integration.repositories.migrated import upgrade


@pytest.fixture
def standby(own_postgres: PostgresServer) -> Iterator[Standby]:
    """Of a server with the schema in its database."""
    upgrade(own_postgres.url)
    standby = Standby(own_postgres.workspace, own_postgres)
    standby.start()
    yield standby
    standby.stop()


async def test_after_a_switchover_no_connection_stays_with_the_former_primary(
    own_postgres: PostgresServer, standby: Standby
) -> None:
    """With both servers in the URL, and with an address that moves from one to the other."""
    user, port = own_postgres.url.rpartition("@")[0], own_postgres.port
    async with moving_address(port) as address:
        listed = Database(f"{user}@127.0.0.1:{port},127.0.0.1:{standby.port}/claim_analytics")
        moved = Database(f"{user}@127.0.0.1:{address.port}/claim_analytics")
        observer = await asyncpg.connect(standby.url)
        await apply(listed, submitted("A"))
        await apply(moved, submitted("B"))

        async def has_followed() -> bool:
            return bool(await observer.fetchval("SELECT count(*) = 2 FROM claim_events"))

        await until_async(has_followed, "the standby to have both claims")
        own_postgres.stop()
        promote(standby)
        demote(own_postgres, standby)
        for database in (moved, listed):
            with pytest.raises(DatabaseUnavailable):  # the connection that was cut while idle
                await apply(database, paid("A"))
        with pytest.raises(DatabaseUnavailable, match=r"a standby, or read-only .*25006"):
            await apply(moved, paid("A"))
        await apply(listed, paid("A"))
        address.target = standby.port
        await apply(moved, paid("B"))
        events = [submitted("A"), submitted("B"), paid("A"), paid("B")]
        assert await settled(listed, observer) == expected(*events)
        for each in (listed, moved, observer):
            await each.close()
