"""What the tables of operations hold of a provider, when the provider is erased."""

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from repositories.operations.tables import (
    dead_letters,
    operator_actions,
    provider_freshness,
    repaired_rows,
)
from repositories.reports.tables import generated_reports
from repositories.tables import claims

LETTER = sa.tuple_(*dead_letters.primary_key.columns)
REDACTED = "erased"


async def letters_about(connection: AsyncConnection, provider_id: UUID) -> Sequence[sa.Row[Any]]:
    """The keys of letters that name the provider, or a claim or report of it, whoever sent them.

    To be asked while its claims and reports are still there.
    """
    its_claims = sa.select(claims.c.claim_id).where(claims.c.provider_id == provider_id)
    its_reports = sa.select(generated_reports.c.report_id).where(
        generated_reports.c.provider_id == provider_id
    )
    about = sa.or_(
        dead_letters.c.provider_id == provider_id,
        dead_letters.c.claim_id.in_(its_claims),
        dead_letters.c.report_id.in_(its_reports),
    )
    keys = sa.select(*dead_letters.primary_key.columns).where(about)
    return (await connection.execute(keys)).all()


async def remove_provider(
    connection: AsyncConnection,
    provider_id: UUID,
    letters: Sequence[sa.Row[Any]],
    report_ids: Collection[UUID],
) -> None:
    """Remove these letters and the provider's rows, and take its ids out of operators' actions."""
    if letters:
        gone = sorted(tuple(key) for key in letters)
        await connection.execute(dead_letters.delete().where(LETTER.in_(gone)))
    for table in (provider_freshness, repaired_rows):
        await connection.execute(table.delete().where(table.c.provider_id == provider_id))
    await _redact(connection, [provider_id, *report_ids])


async def _redact(connection: AsyncConnection, ids: Collection[UUID]) -> None:
    """Wherever they stand in what operators gave and noted; their reasons are free text."""
    pattern = "|".join(map(str, ids))

    def redacted(column: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
        text = sa.func.regexp_replace(sa.cast(column, sa.Text), pattern, REDACTED, "gi")
        return sa.cast(text, column.type)

    columns = [operator_actions.c[name] for name in ("arguments", "why", "counts")]
    names_one = [sa.cast(column, sa.Text).op("~*")(pattern) for column in columns]
    await connection.execute(
        operator_actions.update()
        .values({column.name: redacted(column) for column in columns})
        .where(sa.or_(*names_one))
    )
