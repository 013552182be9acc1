"""The SQL that corrects the history of claims where a faulty decoder wrote it, by the records that
it was written from, and makes the claims and figures that follow anew.

To be run on staged events (`repositories.claims.sources`) whose providers are locked; each
statement sees what the one before it wrote. `repositories.claims.redecoding` runs them.
"""

from functools import cache
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.sql.dml import ReturningDelete

from repositories.batch_providers import ONE
from repositories.claims.facts import FACTS
from repositories.claims.merge import (
    OWN_COLUMNS,
    WHOLE_CLAIM,
    counted,
    emptied_days,
    marked_months,
    staged,
)
from repositories.claims.sources import History
from repositories.tables import CLAIM_COLUMNS, claim_events, claims

EVENTS: Final = History(claim_events, staged, ("claim_id", "claim_version"))
TOUCHED: Final = sa.func.any(sa.bindparam("touched", type_=sa.ARRAY(sa.Uuid)))
# A patient's number has rules of its own.
CORRECTED: Final = tuple(
    name
    for name in (*CLAIM_COLUMNS, "occurred_at")
    if name not in (*EVENTS.identity, "provider_id", "patient_phn")
)


def _number_stays() -> sa.ColumnElement[bool]:
    """An erasure took the patient's number out of the row, or keeps it out of the claim."""
    return sa.or_(claim_events.c.phn_erased_at.is_not(None), staged.c.phn_erased_at.is_not(None))


def reads_differently() -> sa.ColumnElement[bool]:
    """Whether a row differs from its own record: also in what does not make a conflict, as the day
    in Alberta by newer time zone data, or a patient's number that was never stored."""
    other_number = staged.c.patient_phn.is_distinct_from(claim_events.c.patient_phn)
    return sa.or_(
        *(staged.c[name].is_distinct_from(claim_events.c[name]) for name in CORRECTED),
        sa.and_(~_number_stays(), other_number),
    )


def correct() -> sa.Update:
    """Write what the records say now into the rows that came from them; returns the claims."""
    number = sa.case((_number_stays(), claim_events.c.patient_phn), else_=staged.c.patient_phn)
    return (
        sa.update(claim_events)
        .values({name: staged.c[name] for name in CORRECTED} | {"patient_phn": number})
        .where(EVENTS.own_source(), reads_differently())
        .returning(claim_events.c.claim_id, staged.c.source_topic)
    )


def split_claims() -> sa.Select[Any]:
    """Events that cannot be moved: of the claim that they say they are of, other versions would be
    left with another provider. The records of those have to be read too."""
    misread, other = EVENTS.misread, claim_events.alias("other")
    goes = sa.exists().where(
        misread.c.claim_id == other.c.claim_id, misread.c.claim_version == other.c.claim_version
    )
    return (
        sa.select(staged.c.seq)
        .distinct()
        .join(other, other.c.claim_id == staged.c.claim_id)
        .where(other.c.provider_id != staged.c.provider_id, ~goes)
    )


def remove_misread() -> ReturningDelete[Any]:
    """Remove the rows that were of other claims, versions or providers; returns the claims."""
    misread = EVENTS.misread
    return (
        sa.delete(claim_events)
        .where(claim_events.c.claim_id == misread.c.claim_id)
        .where(claim_events.c.claim_version == misread.c.claim_version)
        .returning(claim_events.c.claim_id)
    )


@cache
def remake() -> sa.Select[Any]:
    """Make the claims `touched` what the highest versions of their histories say, with the facts of
    all of it, and add the difference to the figures; a claim without a history goes."""
    facts = [
        fact.over(claim_events).over(partition_by=claim_events.c.claim_id).label(name)
        for name, fact in FACTS.items()
    ]
    remade = (
        sa.select(*(claim_events.c[name] for name in OWN_COLUMNS), *facts)
        .ext(distinct_on(claim_events.c.claim_id))
        .where(claim_events.c.claim_id == TOUCHED)
        .order_by(claim_events.c.claim_id, claim_events.c.claim_version.desc())
        .cte("remade")
    )
    was = sa.select(*(claims.c[name] for name in WHOLE_CLAIM)).where(claims.c.claim_id == TOUCHED)
    changed_rows = counted(sa.select(remade), was)
    written = upsert(claims).from_select(WHOLE_CLAIM, sa.select(remade))
    put = written.on_conflict_do_update(
        index_elements=[claims.c.claim_id],
        set_={name: written.excluded[name] for name in WHOLE_CLAIM if name != "claim_id"},
    )
    gone = sa.delete(claims).where(
        claims.c.claim_id == TOUCHED, claims.c.claim_id.not_in(sa.select(remade.c.claim_id))
    )
    steps = {
        "changed_rows": changed_rows,
        "put": put.returning(ONE).cte("put"),
        "gone": gone.returning(ONE).cte("gone"),
        "marked": marked_months(changed_rows),
    }
    counts = [
        sa.select(sa.func.count()).select_from(step).scalar_subquery().label(name)
        for name, step in steps.items()
    ]
    return sa.select(*counts, emptied_days(changed_rows).label("emptied_days"))
