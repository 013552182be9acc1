"""`claim-analytics retention`: what it refuses, shows, removes and notes, and broken off."""

import asyncio
import json
from datetime import date, datetime
from pathlib import Path

import pytest
from asyncpg import Connection

from repositories.operations import retention as repository
from repositories.operations.retention import Removed
from repositories.postgres.database import Database
from service.operations.errors import CannotBegin
from service.operations.retention import removable_claims, remove_claims
from service.settings import PREFIX
from tests.integration.repositories.database_state import dump
from tests.integration.repositories.examples import apply, expected, paid, settled, uuid_of
from tests.integration.service.command_line import Finished, claim_analytics

SET_HORIZON = "INSERT INTO cache_horizon (first_month) VALUES ('2024-10-01')"
OLD = [
    paid(claim, provider=provider, version=1, date_of_service="2023-05-01")
    for claim, provider in ("AP", "BP", "CP", "DQ")
]
NEW = paid("E", date_of_service="2024-10-15")


async def test_it_refuses_what_the_figures_cover_and_what_says_no_day(
    database: Database, observer: Connection
) -> None:
    with pytest.raises(CannotBegin, match="The figures cover all months that there are"):
        await removable_claims(database, "2024-01-01")
    await observer.execute(SET_HORIZON)
    for day, said in (("2024-10-02", "Give a day up to 2024-10-01"), ("soon", "such as 84")):
        with pytest.raises(CannotBegin, match=said):
            await removable_claims(database, day)
    assert await removable_claims(database, "2024-10-01") == (date(2024, 10, 1), [])
    assert (await removable_claims(database, "1200")).before < date(2000, 1, 1)


async def test_it_shows_what_would_go_then_removes_it_and_notes_who_and_why(
    database: Database, observer: Connection, tmp_path: Path, migrated_url: str
) -> None:
    await observer.execute(SET_HORIZON)
    await apply(database, *OLD, NEW)

    environment = {f"{PREFIX}DATABASE_URL": migrated_url, f"{PREFIX}OPERATOR": "somebody"}

    def run(*arguments: str, said: str = "") -> Finished:
        return claim_analytics(
            tmp_path,
            "retention",
            "--older-than",
            "2024-01-01",
            *arguments,
            environment=environment,
            said=said,
        )

    before = await dump(observer)
    assert run().code == 2  # without a reason
    declined = run("--why", "over its time", said="n\n")
    assert declined.code == 1
    assert "2023 2 4 4" in declined.words
    assert await dump(observer) == before
    done = run("--why", "over its time", "--yes", "--json")
    assert done.code == 0, done.errors
    gone = {"claims": 4, "events": 4, "letters": 0}
    assert json.loads(done.output)["removed"] == gone
    [action] = await observer.fetch("SELECT * FROM operator_actions")
    noted = [action[name] for name in ("who", "command", "why", "outcome")]
    assert noted == ["somebody", "retention", "over its time", "done"]
    assert json.loads(action["counts"]) == gone
    assert await settled(database, observer) == expected(NEW, first_month=date(2024, 10, 1))

    def receipt(claim: str, *form: str) -> Finished:
        asked = ("receipt", str(uuid_of(f"claim {claim}")), *form)
        return claim_analytics(tmp_path, *asked, environment=environment)

    shown = receipt("A")
    assert (shown.code, shown.output[:15]) == (5, "removed. Claim "), shown.words
    since = await observer.fetchval("SELECT max(erased_at) FROM erasures")
    removed_at = json.loads(receipt("A", "--version", "1", "--json").output)["removed_at"]
    assert datetime.fromisoformat(removed_at) <= since
    assert receipt("E").code == 0


async def test_broken_off_it_has_removed_whole_claims_and_goes_on_when_repeated(
    database: Database, observer: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(repository, "CLAIMS_AT_ONCE", 2)
    await observer.execute(SET_HORIZON)
    await apply(database, *OLD, NEW)
    told: list[Removed] = []

    def tell(gone: Removed) -> None:
        told.append(gone)
        if len(told) == 1:
            raise asyncio.CancelledError

    asked = (database, date(2024, 1, 1), "over its time", tell)
    with pytest.raises(asyncio.CancelledError):
        await remove_claims(*asked)
    left = await observer.fetchval("SELECT count(*) FROM claims")
    assert left == 5 - told[0].claims
    assert await observer.fetchval("SELECT count(*) FROM claim_events") == left
    assert await observer.fetchval("SELECT count(*) FROM erasures") == told[0].claims
    await remove_claims(*asked)
    assert told[-1].claims + told[0].claims == 4
    assert await settled(database, observer) == expected(NEW, first_month=date(2024, 10, 1))
