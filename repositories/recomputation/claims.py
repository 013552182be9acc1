"""`claims` as the history says that they are, provider by provider."""

from collections.abc import Sequence
from datetime import date
from functools import cache
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from repositories.batch_providers import ONE
from repositories.claims.facts import FACTS
from repositories.claims.merge import OWN_COLUMNS, WHOLE_CLAIM
from repositories.tables import claim_events, claims

LOCKED: Final = sa.func.any(sa.bindparam("locked", type_=sa.ARRAY(sa.Uuid)))
STRAYS: Final = sa.bindparam("strays", type_=sa.ARRAY(sa.Uuid))
SINCE: Final = sa.bindparam("since", type_=sa.Date)


async def repair_claims(
    connection: AsyncConnection,
    locked: Sequence[UUID],
    strays: Sequence[UUID],
    since: date | None,
) -> int:
    """Write the claims of these providers that differ from their history, whole, with its facts;
    delete those that have none. How many they were.

    In the caller's transaction, which has locked the providers. The claims are those that `claims`
    has for them, and `strays`; with `since` those of a day of service before it are left alone.
    """
    asked = {"locked": locked, "strays": strays, "since": since or date.min}
    return int(await connection.scalar(_repair(), asked) or 0)


async def list_claims(
    connection: AsyncConnection,
    provider_ids: Sequence[UUID],
    strays: Sequence[UUID],
    since: date | None,
) -> Sequence[UUID]:
    """The ids, in order, of the claims that `repair_claims` would write or delete."""
    asked = {"locked": provider_ids, "strays": strays, "since": since or date.min}
    return (await connection.scalars(_list(), asked)).all()


def claims_as_they_should_be() -> sa.Select[Any]:
    """All claims of `LOCKED` (`WHOLE_CLAIM`) once they are repaired, without repairing them."""
    differing = differing_claims()
    right = (
        sa.select(*(claims.c[name] for name in WHOLE_CLAIM))
        .where(claims.c.provider_id == LOCKED)
        .where(claims.c.claim_id.not_in(sa.select(_either_id(differing))))
    )
    repaired = sa.select(*(differing.c[name] for name in WHOLE_CLAIM))
    both = sa.union_all(right, repaired.where(differing.c.claim_id.is_not(None)))
    return sa.select(both.subquery("repaired_claims"))


def differing_claims() -> sa.CTE:
    """Claims of `LOCKED` (`WHOLE_CLAIM`) as they should be, where they are not so; of one that
    should not be there, all but `known_id` is NULL. `known_id` is NULL where there is none."""
    known = sa.select(claims).where(claims.c.provider_id == LOCKED).cte("known")
    stray = sa.select(sa.func.unnest(STRAYS).label("claim_id"))
    candidate = sa.union(sa.select(known.c.claim_id), stray).cte("candidate")
    newest = _newest_of(candidate)
    its_own = sa.and_(sa.true(), newest.c.provider_id == LOCKED)
    differs = sa.or_(*(newest.c[name].is_distinct_from(known.c[name]) for name in WHOLE_CLAIM))
    in_range = sa.or_(newest.c.date_of_service >= SINCE, known.c.date_of_service >= SINCE)
    return (
        sa.select(*(newest.c[name] for name in WHOLE_CLAIM), known.c.claim_id.label("known_id"))
        .select_from(
            candidate.outerjoin(newest, its_own).outerjoin(
                known, known.c.claim_id == candidate.c.claim_id
            )
        )
        .where(differs, in_range)
        .cte("differing_claims")
    )


def _newest_of(candidate: sa.CTE) -> sa.FromClause:
    """Of each claim the highest version of its history, with the facts of all of it.

    One claim after the other, by the history's key, whatever the planner thinks of its size.
    """
    facts = [fact.over(claim_events).over().label(name) for name, fact in FACTS.items()]
    return (
        sa.select(*(claim_events.c[name] for name in OWN_COLUMNS), *facts)
        .where(claim_events.c.claim_id == candidate.c.claim_id)
        .order_by(claim_events.c.claim_version.desc())
        .limit(sa.literal_column("1"))
        .lateral("newest")
    )


@cache
def _repair() -> sa.Select[Any]:
    differing = differing_claims()
    rows = sa.select(*(differing.c[name] for name in WHOLE_CLAIM))
    statement = insert(claims).from_select(
        WHOLE_CLAIM, rows.where(differing.c.claim_id.is_not(None)).order_by(differing.c.claim_id)
    )
    # Also over a claim that `claims` has for another provider: the history says whose it is.
    put = statement.on_conflict_do_update(
        index_elements=[claims.c.claim_id],
        set_={name: statement.excluded[name] for name in WHOLE_CLAIM if name != "claim_id"},
    )
    gone = sa.select(differing.c.known_id).where(differing.c.claim_id.is_(None))
    deleted = claims.delete().where(claims.c.provider_id == LOCKED, claims.c.claim_id.in_(gone))
    return (
        sa.select(sa.func.count())
        .select_from(differing)
        .add_cte(put.returning(ONE).cte("put"), deleted.returning(ONE).cte("deleted"))
    )


@cache
def _list() -> sa.Select[Any]:
    claim_id = _either_id(differing_claims())
    return sa.select(claim_id).order_by(claim_id)


def _either_id(differing: sa.CTE) -> sa.ColumnElement[UUID]:
    return sa.func.coalesce(differing.c.claim_id, differing.c.known_id)
