"""`claim-analytics rebuild` as a process: broken off, resumed, refused."""

import asyncio
import json
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from asyncpg import Connection

from repositories.calendar import day_in_alberta
from repositories.claims.verification import verify
from repositories.postgres.database import Database
from service.operations.refresh import months_before, refresh_all
from tests.harness.deployment import Deployment
from tests.harness.process import ServiceProcess
from tests.harness.waiting import until_async
from tests.integration.repositories.database_state import dump
from tests.integration.repositories.examples import (
    adjusted,
    apply,
    expected,
    paid,
    settled,
    submitted,
    uuid_of,
)
from tests.integration.repositories.waiting import transaction_of_another
from tests.integration.service.command_line import Finished, claim_analytics

PROVIDERS = [f"P{number}" for number in range(40)]
DAY = str(months_before(day_in_alberta(datetime.now(UTC)), 1))
EVENTS, MORE = (
    [
        event(f"claim of {name}", provider=name, date_of_service=DAY)
        for name in PROVIDERS
        for event in events
    ]
    for events in ((submitted, paid), (adjusted,))
)
MIDDLE = "SELECT provider_id FROM providers ORDER BY provider_id OFFSET 20 LIMIT 1"
HELD = "SELECT FROM providers WHERE provider_id > $1 FOR NO KEY UPDATE"
DAMAGE = """UPDATE claims SET state = 'SUBMITTED';
    UPDATE analytics_cache SET value = '{}' WHERE metric_key = 'revenue_by_hsc'"""
WHY = ("--why", "a test")


class Rebuild:
    """The command, on the test's database."""

    def __init__(self, url: str, folder: Path) -> None:
        self.deployment = Deployment({"database_url": url, "operator": "somebody"})
        self._folder = folder

    def __call__(self, *arguments: str) -> Finished:
        environment = self.deployment.environment
        return claim_analytics(self._folder, "rebuild", *arguments, environment=environment)


@pytest.fixture
def rebuild(migrated_url: str, tmp_path: Path) -> Rebuild:
    return Rebuild(migrated_url, tmp_path)


@pytest.fixture
async def damaged(database: Database, observer: Connection) -> None:
    await apply(database, *EVENTS)
    await settled(database, observer)
    await observer.execute(DAMAGE)


@pytest.mark.usefixtures("damaged")
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
async def test_broken_off_in_the_middle_it_goes_on_where_it_was(
    rebuild: Rebuild, database: Database, observer: Connection, migrated_url: str, how: int
) -> None:
    """Half of the providers are held by somebody; the others are done when the process dies. Events
    of all of them go on coming."""
    middle = await observer.fetchval(MIDDLE)
    done = "SELECT (counts->>'providers')::int FROM operator_actions"
    async with (
        transaction_of_another(migrated_url, HELD, middle),
        breaking_off(rebuild.deployment, "rebuild", how) as ended,
    ):
        await until_it_is(21, observer, done)
        half = "SELECT provider_id FROM providers WHERE provider_id <= $1"
        free = {str(row["provider_id"]) for row in await observer.fetch(half, middle)}
        await apply(database, *(each for each in MORE if each.data["provider_id"] in free))
    [action] = await observer.fetch("SELECT * FROM operator_actions")
    assert (action["who"], action["command"], action["why"]) == ("somebody", "rebuild", "a test")
    assert json.loads(action["counts"])["position"] == str(middle)
    if how == signal.SIGINT:
        [code, said] = ended
        assert (code, action["outcome"]) == ("130", "broken off")
        assert "21 of 40 providers recomputed:" in said
        assert "rebuild --resume" in said
    await apply(database, *MORE)
    resumed = rebuild("--resume", "--json", *WHY)
    assert resumed.code == 0, resumed.errors
    counts = json.loads(resumed.output)
    assert (counts["done"], counts["providers"]) == (True, 19)
    assert counts["repaired_rows"] > 0
    assert (await verify(database)).clean
    assert await settled(database, observer) == expected(*EVENTS, *MORE)


async def test_a_refresh_that_is_killed_is_repeated(
    rebuild: Rebuild, database: Database, observer: Connection, migrated_url: str
) -> None:
    await apply(database, *EVENTS)
    await settled(database, observer)
    await observer.execute("UPDATE analytics_cache SET value = '{}'")
    await observer.execute("DELETE FROM provider_freshness")  # which batches confirm, too
    async with (
        transaction_of_another(migrated_url, HELD, await observer.fetchval(MIDDLE)),
        breaking_off(rebuild.deployment, "refresh", signal.SIGKILL),
    ):
        await until_it_is(21, observer, "SELECT count(*) FROM provider_freshness")
    before = await observer.fetchval("SELECT count(*) FROM repaired_rows")
    counts = await refresh_all(database, "nightly", lambda *_: None, asyncio.Event())
    assert (counts.providers, counts.done) == (40, True)
    kept = await observer.fetchval("SELECT count(*) FROM repaired_rows")
    assert kept == before + counts.repaired_rows
    assert before > 0 < counts.repaired_rows
    assert await settled(database, observer) == expected(*EVENTS)


@asynccontextmanager
async def breaking_off(deployment: Deployment, command: str, how: int) -> AsyncIterator[list[str]]:
    """The command as a process, which gets the signal at the end of the block; its exit code and
    its output are in the list then."""
    ended: list[str] = []
    with ServiceProcess(deployment, command, *WHY) as process:
        yield ended
        process.send(how)
        ended += [str(await process.ended()), process.output()]


async def until_it_is(number: int, observer: Connection, query: str) -> None:
    async def there() -> bool:
        return bool(await observer.fetchval(query) == number)

    await until_async(there, f"{number}: {query}")


@pytest.mark.usefixtures("damaged")
async def test_a_look_lists_what_is_then_done_for_the_provider_that_is_named(
    rebuild: Rebuild, database: Database, observer: Connection
) -> None:
    before = await dump(observer)
    named = ("--provider", str(uuid_of("provider P1")))
    found = json.loads(rebuild(*named, "--dry-run", "--limit", "1", "--json").output)
    assert await dump(observer) == before
    assert (found["claims"], found["rows"]) == (1, 1)
    assert found["listed_claims"] == [str(uuid_of("claim claim of P1"))]
    [row] = found["listed_rows"]
    assert rebuild(*named, *WHY).code == 0
    [kept] = await observer.fetch("SELECT * FROM repaired_rows")
    assert json.loads(kept["value_before"]) == row["value_before"] == {}
    assert json.loads(kept["value_after"]) == row["value_after"]
    wrong = await verify(database)
    assert len(wrong.wrong_claims) == len(PROVIDERS) - 1


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (("--resume", *WHY), 2, "There is no rebuild to go on with"),
        (("--from-month", "2999-01", *WHY), 2, "is to come"),
        (("--provider", str(uuid_of("x")), *WHY), 5, f"known: {uuid_of('x')}. Nothing was changed"),
    ],
)
async def test_what_makes_no_sense_is_refused_with_a_sentence(
    rebuild: Rebuild, observer: Connection, arguments: tuple[str, ...], code: int, sentence: str
) -> None:
    refused = rebuild(*arguments)
    assert refused.code == code
    assert sentence in refused.words
    assert not await observer.fetchval("SELECT count(*) FROM operator_actions")


async def test_a_month_leaves_earlier_ones_as_they_are(
    rebuild: Rebuild, database: Database, observer: Connection
) -> None:
    old, new = "2024-09-10", "2024-10-10"
    await apply(database, paid("A", date_of_service=old), paid("B", date_of_service=new))
    await settled(database, observer)
    await observer.execute("UPDATE claims SET assessed_fee = 1; DELETE FROM analytics_cache")
    assert rebuild("--from-month", "2024-10", *WHY).code == 0
    found = await verify(database)
    assert found.wrong_claims == [uuid_of("claim A")]
    assert {row.period_start.month for row in found.wrong_rows} == {9}


async def test_refresh_says_what_it_did_and_leaves_its_row(
    rebuild: Rebuild, database: Database, observer: Connection, tmp_path: Path
) -> None:
    await apply(database, submitted())
    environment = rebuild.deployment.environment
    done = claim_analytics(tmp_path, "refresh", *WHY, environment=environment)
    assert done.code == 0, done.errors
    assert "figures begin with" in done.words
    assert "1 providers:" in done.words
    action = await observer.fetchrow("SELECT * FROM operator_actions")
    assert (action["command"], action["outcome"]) == ("refresh", "done")
    assert json.loads(action["counts"])["done"] is True
    unknown = ("refresh", "--provider", str(uuid_of("x")), *WHY)
    assert claim_analytics(tmp_path, *unknown, environment=environment).code == 5
