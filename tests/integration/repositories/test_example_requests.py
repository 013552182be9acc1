"""The documented examples of requests and profiles, decoded and applied as their consumers do."""

from collections.abc import Sequence
from typing import Any

from asyncpg import Connection

from consumers.contracts.refusal import DeadLetter
from consumers.engine.subscription import Outcome, Subscription
from consumers.topics.providers import PROVIDER_UPDATES
from consumers.topics.report_requests import REPORT_REQUESTS
from repositories.offsets import stored_offset
from repositories.postgres.database import Database
from tests.integration.repositories.database_state import dump
from tests.integration.repositories.examples import TOPIC, next_offset
from tests.unit.consumers.example_files import lines, record_of


def events(subscription: Subscription[Any], directory: str) -> Sequence[Any]:
    stem_lines = [line for stem, line in lines(directory) if stem == subscription.name]
    decoded = [subscription.decoders[subscription.name](record_of(line)) for line in stem_lines]
    assert decoded
    assert not any(isinstance(one, DeadLetter) for one in decoded)
    return decoded


def _judge(_: object) -> tuple[()]:
    """Nothing of a request or a profile is refused by the database."""
    return ()


async def test_example_requests_become_reports(database: Database, observer: Connection) -> None:
    batch = events(REPORT_REQUESTS, "accepted")
    outcome = await REPORT_REQUESTS.handle(database, batch, [next_offset(8)], _judge)
    assert outcome == Outcome(applied=7, duplicate=1)
    assert await stored_offset(database, "group", TOPIC, 0) == 8
    statuses = await observer.fetch("SELECT DISTINCT status FROM generated_reports")
    assert [row["status"] for row in statuses] == ["pending"]


async def test_impossible_examples_become_failed_reports_that_are_announced(
    database: Database, observer: Connection
) -> None:
    batch = events(REPORT_REQUESTS, "impossible")
    assert await REPORT_REQUESTS.handle(database, batch, [], _judge) == Outcome(applied=len(batch))
    rows = await observer.fetch("SELECT status, error_message FROM generated_reports")
    assert {row["status"] for row in rows} == {"failed"}
    assert {row["error_message"] for row in rows} == {request.problem for request in batch}
    assert await observer.fetchval("SELECT count(*) FROM outbox") == len(batch)
    passwords = "SELECT count(archive_password) FROM report_jobs"
    assert await observer.fetchval(passwords) == 0


async def test_example_requests_that_come_again_change_nothing(
    database: Database, observer: Connection
) -> None:
    batch = [*events(REPORT_REQUESTS, "accepted"), *events(REPORT_REQUESTS, "impossible")]
    await REPORT_REQUESTS.handle(database, batch, [], _judge)
    before = await dump(observer)
    again = await REPORT_REQUESTS.handle(database, batch, [], _judge)
    assert again == Outcome(duplicate=len(batch))
    assert await dump(observer) == before


async def test_example_profiles_leave_the_highest_versions(
    database: Database, observer: Connection
) -> None:
    batch = events(PROVIDER_UPDATES, "accepted")
    outcome = await PROVIDER_UPDATES.handle(database, batch, [next_offset(8)], _judge)
    assert outcome == Outcome(applied=2, stale=1)
    assert await stored_offset(database, "group", TOPIC, 0) == 8
    rows = await observer.fetch("SELECT provider_version FROM providers ORDER BY 1")
    assert [row["provider_version"] for row in rows] == [1, 7]
