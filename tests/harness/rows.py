"""Whole tables, and their comparison with the oracle."""

import json
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from datetime import date
from typing import Any

import asyncpg

from repositories.claims.top_code_flush import flush_top_codes
from repositories.claims.verification import verify
from repositories.postgres.database import Database
from repositories.tables import CLAIM_COLUMNS, FACT_COLUMNS, SUGGESTION_COLUMNS
from tests.harness.deployment import Deployment
from tests.harness.messages import identities
from tests.harness.waiting import until_async
from tests.oracle import CacheKey, PlainEvent, cache_key, tables, without_zero_rows
from tests.oracle.tables import Tables

Positions = dict[tuple[str, int], int]  # (topic, partition): offset of the next message


async def assert_tables_equal_oracle(
    deployment: Deployment, events: Iterable[PlainEvent], first_month: date | None = None
) -> None:
    """Every row of every table is what the oracle makes of these events, and `verify` is clean.

    `first_month` is the cache's horizon.
    """
    await _assert_verified(deployment)
    found, expected = await read_tables(deployment), tables(events, first_month)
    assert found.claim_events == expected.claim_events
    _assert_same(found.claims, expected.claims, "claims")
    _assert_same(found.ai_suggestions, expected.ai_suggestions, "ai_suggestions")
    _assert_same(found.analytics_cache, expected.analytics_cache, "analytics_cache")


async def read_tables(deployment: Deployment) -> Tables:
    """All four tables at one moment, in the shapes of the oracle."""
    async with (
        connected(deployment) as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        events = await connection.fetch("SELECT claim_id, claim_version FROM claim_events")
        claims = await connection.fetch(
            f"SELECT {', '.join((*CLAIM_COLUMNS, *FACT_COLUMNS))} FROM claims"
        )
        suggestions = await connection.fetch(
            f"SELECT {', '.join(SUGGESTION_COLUMNS)} FROM ai_suggestions"
        )
        cache = await connection.fetch("SELECT * FROM analytics_cache")
    return Tables(
        {(row["claim_id"], row["claim_version"]) for row in events},
        {row["claim_id"]: dict(row) for row in claims},
        {row["event_id"]: dict(row) for row in suggestions},
        without_zero_rows({_key(row): json.loads(row["value"]) for row in cache}),
    )


async def all_applied(deployment: Deployment, events: Iterable[PlainEvent]) -> None:
    """Wait until as many events were taken in as these are."""
    expected = len(identities(events))

    async def done() -> bool:
        return await applied_events(deployment) == expected

    await until_async(done, f"{expected} events taken in")


async def applied_events(deployment: Deployment) -> int:
    """How many events were taken in, of claims and of the coach."""
    async with connected(deployment) as connection:
        return int(
            await connection.fetchval(
                "SELECT (SELECT count(*) FROM claim_events) + (SELECT count(*) FROM ai_suggestions)"
            )
        )


async def stored_offsets(deployment: Deployment, group: str) -> Positions:
    """The next offset of each partition, as stored in the transactions."""
    async with connected(deployment) as connection:
        rows = await connection.fetch(
            "SELECT topic, partition, next_offset FROM consumer_offsets WHERE consumer_group = $1",
            group,
        )
    return {(row["topic"], row["partition"]): row["next_offset"] for row in rows}


@asynccontextmanager
async def connected(deployment: Deployment) -> "AsyncIterator[asyncpg.Connection]":
    """A connection of the test's own to the deployment's database."""
    connection = await asyncpg.connect(deployment.database_url)
    try:
        yield connection
    finally:
        await connection.close()


async def _assert_verified(deployment: Deployment) -> None:
    """What `claim-analytics verify` does, without the time that a process takes to start."""
    database = Database(deployment.database_url)
    try:
        await flush_top_codes(database)
        found = await verify(database, limit=3)
    finally:
        await database.close()
    assert found.clean, found


def _assert_same(found: Mapping[Any, Any], expected: Mapping[Any, Any], table: str) -> None:
    """As `==`, with a failure that names the first rows in place of thousands."""
    wrong = [key for key in found.keys() | expected.keys() if found.get(key) != expected.get(key)]
    shown = [f"{key}: {found.get(key)}, expected {expected.get(key)}" for key in wrong[:3]]
    assert not wrong, f"{len(wrong)} rows of {table} are wrong, such as\n" + "\n".join(shown)


def _key(row: Mapping[str, Any]) -> CacheKey:
    dimensions = None if row["dimensions"] is None else json.loads(row["dimensions"])
    period = row["period_start"], row["period_end"]
    return cache_key(row["provider_id"], row["metric_key"], *period, dimensions)
