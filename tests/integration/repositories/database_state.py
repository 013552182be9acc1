"""Whole tables, read past the project's own code."""

import json
from typing import Any, NoReturn

import asyncpg

from repositories.schema import metadata
from repositories.tables import SUGGESTION_COLUMNS, schema_demand
from tests.oracle import CacheKey, Tables, Value, cache_key, without_zero_rows

Row = tuple[object, ...]


async def read_tables(connection: asyncpg.Connection) -> Tables:
    """What the oracle speaks of, at one moment, less the rows that may be there or not."""
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        events = await connection.fetch("SELECT claim_id, claim_version FROM claim_events")
        claims = await connection.fetch("SELECT * FROM claims")
        suggestions = await connection.fetch(
            f"SELECT {', '.join(SUGGESTION_COLUMNS)} FROM ai_suggestions"
        )
        cache = await connection.fetch("SELECT * FROM analytics_cache")
    return Tables(
        {(row["claim_id"], row["claim_version"]) for row in events},
        {row["claim_id"]: _without_mark(row) for row in claims},
        {row["event_id"]: dict(row) for row in suggestions},
        without_zero_rows(_cache_rows(cache)),
    )


async def read_cache(connection: asyncpg.Connection, metric_key: str) -> dict[str | None, Value]:
    """The rows of one metric, zeros too, by the value of their dimension; one period at most."""
    rows = await connection.fetch("SELECT * FROM analytics_cache WHERE metric_key = $1", metric_key)
    found: dict[str | None, Value] = {
        key.dimensions[0][1] if key.dimensions else None: value
        for key, value in _cache_rows(rows).items()
    }
    assert len(found) == len(rows), "rows of several periods or providers"
    return found


async def dump(connection: asyncpg.Connection) -> dict[str, list[Row]]:
    """Every row of every table, all columns: equal dumps mean that nothing has changed."""
    found = {}
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        for table in metadata.sorted_tables:
            rows = await connection.fetch(f"SELECT * FROM {table.name} AS t ORDER BY t::text")
            found[table.name] = [tuple(row) for row in rows]
    return found


async def clear(connection: asyncpg.Connection) -> None:
    """Empty every table but the one that says who may write. With so few rows a DELETE takes a
    tenth of the time of a TRUNCATE."""
    tables = reversed(metadata.sorted_tables)
    names = [table.name for table in tables if table is not schema_demand]
    await connection.execute("; ".join(f"DELETE FROM {name}" for name in names))


def _without_mark(row: Any) -> dict[str, Any]:
    """A claim as the oracle knows it, which knows of no erasures."""
    return {name: value for name, value in row.items() if name != "phn_erased_at"}


def _cache_rows(rows: list[Any]) -> dict[CacheKey, Value]:
    found = {_key(row): json.loads(row["value"], parse_float=_no_float) for row in rows}
    assert len(found) == len(rows), "two rows with one key"
    return found


def _key(row: Any) -> CacheKey:
    dimensions = None if row["dimensions"] is None else json.loads(row["dimensions"])
    assert dimensions is not None or row["dimensions"] is None, "JSON null in place of SQL NULL"
    return cache_key(
        row["provider_id"], row["metric_key"], row["period_start"], row["period_end"], dimensions
    )


def _no_float(number: str) -> NoReturn:
    raise AssertionError(f"neither a JSON integer nor a string: {number}")
