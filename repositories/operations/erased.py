"""What the tables of operations hold of a provider, when the provider is erased."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from repositories.operations.actions import DOWNLOAD
from repositories.operations.tables import (
    dead_letters,
    operator_actions,
    provider_freshness,
    repaired_rows,
)
from repositories.reports.tables import generated_reports
from repositories.tables import claims

REDACTED = "erased"


async def remove_letters(connection: AsyncConnection, provider_id: UUID) -> None:
    """Letters that name the provider, or a claim or report of it, whoever sent the message.

    Before its claims and reports go, which nobody else changes while the provider is locked.
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
    await connection.execute(dead_letters.delete().where(about))


async def remove_provider(
    connection: AsyncConnection, provider_id: UUID, report_ids: Collection[UUID]
) -> None:
    """Remove the provider's rows, and take its ids and its reports' out of operators' actions."""
    for table in (provider_freshness, repaired_rows):
        await connection.execute(table.delete().where(table.c.provider_id == provider_id))
    await _redact(connection, [provider_id, *report_ids])


async def _redact(connection: AsyncConnection, ids: Collection[UUID]) -> None:
    """Wherever they stand in what operators gave and noted; their reasons are free text."""
    pattern = "|".join(map(str, ids))

    def redacted(column: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
        text = sa.func.regexp_replace(sa.cast(column, sa.Text), pattern, REDACTED, "gi")
        return sa.cast(text, column.type)

    # A token's subject is the platform's word for a person, as often as not this very provider.
    downloads = operator_actions.c.command == DOWNLOAD
    who = sa.case((downloads, REDACTED), else_=operator_actions.c.who)
    columns = [operator_actions.c[name] for name in ("arguments", "why", "counts")]
    names_one = [sa.cast(column, sa.Text).op("~*")(pattern) for column in columns]
    await connection.execute(
        operator_actions.update()
        .values({column.name: redacted(column) for column in columns} | {"who": who})
        .where(sa.or_(*names_one))
    )
