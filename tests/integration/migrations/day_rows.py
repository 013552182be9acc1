"""Day rows made by hand, and what the readers' functions make of them."""

import json
from datetime import date
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID, uuid4

from asyncpg import Connection

READER = "claim_analytics_reader"
KEYS = {
    "aging": "aging_brackets",
    "approaching_deadline": "approaching_deadline",
    "stale_claims": "stale_claims",
}
INSERT = """
    INSERT INTO analytics_cache
        (provider_id, metric_key, period_start, period_end, dimensions, value, computed_at)
    VALUES ($1, $2, $3, $3, $4, $5, now())
"""


class Bracket(NamedTuple):
    """A row of a function, without the provider."""

    claim_type: str | None
    bracket: str
    claims: int  # its `count`
    amount: Decimal


async def add_provider(connection: Connection, revision: int = 2) -> UUID:
    provider_id = uuid4()
    await connection.execute(
        "INSERT INTO providers (provider_id, metrics_revision) VALUES ($1, $2)",
        provider_id,
        revision,
    )
    return provider_id


async def add_day(
    connection: Connection,
    provider_id: UUID,
    metric_key: str,
    day: date,
    *,
    count: int = 1,
    amount: str = "0.10",
    claim_type: str | None = None,
) -> None:
    dimensions = json.dumps({"claim_type": claim_type}) if claim_type else None
    value = json.dumps({"count": count, "amount": amount})
    await connection.execute(INSERT, provider_id, metric_key, day, dimensions, value)


async def brackets(
    connection: Connection, function: str, provider_id: UUID, as_of: date | None = None
) -> list[Bracket]:
    arguments = [] if as_of is None else [as_of]
    call = f"claim_analytics.{function}({'$1' if arguments else ''})"
    rows = await connection.fetch(f"SELECT * FROM {call}", *arguments)
    return [Bracket(*list(row)[1:]) for row in rows if row["provider_id"] == provider_id]


async def become_reader(connection: Connection, provider_id: UUID | str) -> None:
    await connection.execute("SELECT set_config('app.provider_id', $1, true)", str(provider_id))
    await connection.execute(f"SET LOCAL ROLE {READER}")


def filled(rows: list[Bracket]) -> list[Bracket]:
    return [row for row in rows if row.claims]
