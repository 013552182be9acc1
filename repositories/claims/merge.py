"""The SQL that merges a batch of claim events, exactly once in effect.

A batch is staged in `staged_claim_events`, its providers are locked, and then `MERGE` does the
work in one statement of named steps; `merge_events` in `repositories.claims.batch` runs them.

The locks make the merge simple: until the transaction ends no other batch, refresh or rebuild
touches the claims and the figures of these providers, and as the locks are a statement of their
own, the merge's snapshot holds all that their previous holders committed. So what a claim *was*
can be read plainly, and read once for everything that follows.
"""

from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.dialects.postgresql import insert as upsert

from repositories.batch_providers import ONE
from repositories.claims.facts import FACTS
from repositories.metrics.contributions import contributions
from repositories.metrics.lists import TOP_CODES
from repositories.metrics.shapes import text_of
from repositories.metrics.upsert import add_to_cache, is_empty_day, mark_lists
from repositories.operations.freshness import confirm
from repositories.tables import (
    CLAIM_COLUMNS,
    FACT_COLUMNS,
    SOURCE_COLUMNS,
    claim_events,
    claims,
    staged_claim_events,
)
from repositories.vocabulary import MetricKey

staged = cast(sa.Alias[Any], staged_claim_events.alias("staged"))  # SQLAlchemy declares less
OWN_COLUMNS = (*CLAIM_COLUMNS, "phn_erased_at")  # what one event says of its claim
WHOLE_CLAIM = (*OWN_COLUMNS, *FACT_COLUMNS)


def merge(*, with_metrics: bool = True) -> sa.Select[Any]:
    """History, claims and figures in one statement; it returns one row of counts.

    `with_metrics=False` leaves out the figures: what the benchmark calls the floor.
    """
    judged = _judged()
    fresh = _fresh(judged)
    changed = _changed(_latest(fresh))
    written = {"recorded": _recorded(fresh), "merged": _merged(changed)}
    if with_metrics:
        before = sa.select(*_columns(claims, WHOLE_CLAIM)).join(
            changed, changed.c.claim_id == claims.c.claim_id
        )
        written["changed_rows"] = counted(sa.select(changed), before)
        written["marked_months"] = marked_months(written["changed_rows"])
    counts: list[Any] = [
        _count(fresh).label("fresh"),
        _count(fresh, fresh.c.late).label("stale"),
        _count(fresh, ~fresh.c.late, fresh.c.known_version.is_not(None)).label("corrected"),
        _count(changed).label("changed"),
        _count(judged, judged.c.recorded, ~judged.c.differs).label("repeated"),
        *(_count(step).label(name) for name, step in written.items()),
    ]
    if with_metrics:
        counts.append(emptied_days(written["changed_rows"]).label("emptied_days"))
        return sa.select(*counts).add_cte(confirm(judged).cte("confirmed"))
    return sa.select(*counts)


def refused() -> sa.Select[Any]:
    """Staged events that break the publisher's contract: their source, which clause, and ids.

    To be run after the merge: what is compared with is then in the history, be it from this batch
    or from before. The history row's `own_source` cannot be in conflict with it: that record reads
    differently now, because the decoder has changed.
    """
    mismatch = staged.c.provider_id != claims.c.provider_id
    return (
        sa.select(
            staged.c.source_topic,
            staged.c.source_partition,
            staged.c.source_offset,
            mismatch.label("other_provider"),
            staged.c.claim_id,
            staged.c.provider_id,
            from_same_record(claim_events, staged).is_(True).label("own_source"),
        )
        .join(claims, claims.c.claim_id == staged.c.claim_id)
        .outerjoin(claim_events, same_identity(claim_events, staged))
        .where(sa.or_(mismatch, differs()))
        .order_by(staged.c.seq)
    )


def _judged() -> sa.CTE:
    """Each staged event beside what its claim was: its owner, and its newest version so far.

    The provider that a claim came with first is its owner. `newest` counts what arrived earlier
    in this batch as well. `recorded` and `differs` compare it with the history; only a version up
    to the claim's own can be there, and the NULL spares the others the search.
    """
    claim, provider, seq = staged.c.claim_id, staged.c.provider_id, staged.c.seq
    first_provider = sa.func.first_value(provider).over(partition_by=claim, order_by=seq)
    # Another provider's events are refused, so they make nothing late.
    newest_in_batch = sa.func.max(staged.c.claim_version).over(
        partition_by=[claim, provider], order_by=seq
    )
    known = claims.c.claim_version
    possible = sa.case((staged.c.claim_version <= known, staged.c.claim_version))
    in_history = sa.and_(
        claim_events.c.claim_id == staged.c.claim_id, claim_events.c.claim_version == possible
    )
    return (
        sa.select(
            staged,
            known.label("known_version"),
            *(claims.c[name].label(f"known_{name}") for name in FACTS),
            claim_events.c.claim_id.is_not(None).label("recorded"),
            differs().label("differs"),
            sa.func.coalesce(claims.c.provider_id, first_provider).label("owner"),
            sa.func.greatest(known, newest_in_batch).label("newest"),
        )
        .select_from(
            staged.outerjoin(claims, claims.c.claim_id == staged.c.claim_id).outerjoin(
                claim_events, in_history
            )
        )
        .cte("judged")
    )


def _fresh(event: sa.CTE) -> sa.CTE:
    """The owner's events that the history does not have; of twins in the batch the first."""
    return (
        sa.select(event, (event.c.claim_version < event.c.newest).label("late"))
        .ext(distinct_on(event.c.claim_id, event.c.claim_version))
        .where(event.c.provider_id == event.c.owner)
        .where(~event.c.recorded)
        .order_by(event.c.claim_id, event.c.claim_version, event.c.seq)
        .cte("fresh")
    )


def _latest(fresh: sa.CTE) -> sa.CTE:
    """The highest fresh version of each claim, with the facts of the history up to now."""
    facts = [
        fact.of_both(
            fact.over(fresh).over(partition_by=fresh.c.claim_id), fresh.c[f"known_{name}"]
        ).label(name)
        for name, fact in FACTS.items()
    ]
    return (
        sa.select(fresh, *facts)
        .ext(distinct_on(fresh.c.claim_id))
        .order_by(fresh.c.claim_id, fresh.c.claim_version.desc())
        .cte("latest")
    )


def _changed(latest: sa.CTE) -> sa.CTE:
    """The claims as they are now: of a higher version, or the same with other facts."""
    above_known = sa.or_(
        latest.c.known_version.is_(None), latest.c.claim_version > latest.c.known_version
    )
    other_facts = sa.or_(
        *(latest.c[name].is_distinct_from(latest.c[f"known_{name}"]) for name in FACTS)
    )
    facts = _columns(latest, FACT_COLUMNS)
    won = sa.select(*_columns(latest, OWN_COLUMNS), *facts).where(above_known)
    moved = (
        sa.select(*_columns(claims, OWN_COLUMNS), *facts)
        .join(latest, latest.c.claim_id == claims.c.claim_id)
        .where(~above_known, other_facts)
    )
    return sa.union_all(won, moved).cte("changed")


def _recorded(fresh: sa.CTE) -> sa.CTE:
    """Append to the history. A conflict is another provider's batch; the caller starts again."""
    columns = (*OWN_COLUMNS, *SOURCE_COLUMNS)
    return (
        upsert(claim_events)
        .from_select(columns, sa.select(*_columns(fresh, columns)))
        .on_conflict_do_nothing()
        .returning(ONE)
        .cte("recorded")
    )


def _merged(changed: sa.CTE) -> sa.CTE:
    """Write what the claims are. The guard can only fail as in `_recorded`."""
    statement = upsert(claims).from_select(WHOLE_CLAIM, sa.select(changed))
    new = statement.excluded
    return (
        statement.on_conflict_do_update(
            index_elements=[claims.c.claim_id],
            set_={name: new[name] for name in WHOLE_CLAIM if name != "claim_id"},
            where=sa.and_(
                claims.c.claim_version <= new.claim_version,
                claims.c.provider_id == new.provider_id,
            ),
        )
        .returning(ONE)
        .cte("merged")
    )


def counted(now: sa.Select[Any], before: sa.Select[Any]) -> sa.CTE:
    """Add to the cache what the claims contribute now, less what they contributed before."""
    changes = sa.union_all(_signed(now, "+1"), _signed(before, "-1"))
    rows = contributions(changes.cte("changes"))
    return add_to_cache(rows).cte("changed_rows")


def marked_months(changed_rows: sa.CTE) -> sa.CTE:
    """Mark the months whose top codes are now behind; in this transaction, so no crash loses it."""
    months = (
        sa.select(
            changed_rows.c.provider_id,
            text_of(TOP_CODES.key).label("metric_key"),
            changed_rows.c.period_start,
        )
        .where(changed_rows.c.metric_key == text_of(MetricKey.REVENUE_BY_HSC))
        .distinct()
    )
    return mark_lists(months).returning(ONE).cte("marked_months")


def emptied_days(changed_rows: sa.CTE) -> sa.ScalarSelect[Any]:
    """The rows of days that have fallen to nothing: their `cache_id`s, or NULL."""
    ids = sa.func.array_agg(changed_rows.c.cache_id).filter(is_empty_day(changed_rows))
    return sa.select(ids).scalar_subquery()


def differs() -> sa.ColumnElement[bool]:
    """Whether a staged event's content is not that of its identity in the history.

    A patient's number may have been erased from the history, or from the event on its way here:
    its absence is no difference then. The day of a moment is none of the event's content: newer
    time zone data can say another.
    """
    apart = ("patient_phn", "created_day")
    compared = tuple(name for name in CLAIM_COLUMNS if name not in apart)
    pairs = zip(_columns(staged, compared), _columns(claim_events, compared), strict=True)
    other_patient = staged.c.patient_phn.is_distinct_from(claim_events.c.patient_phn)
    return sa.or_(
        *(sent.is_distinct_from(known) for sent, known in pairs),
        sa.and_(
            claim_events.c.patient_phn.is_not(None), staged.c.phn_erased_at.is_(None), other_patient
        ),
    )


def from_same_record(one: sa.FromClause, other: sa.FromClause) -> sa.ColumnElement[bool]:
    """Whether both were read from the same topic, partition and offset."""
    names = ("source_topic", "source_partition", "source_offset")
    return sa.and_(*(one.c[name] == other.c[name] for name in names))


def same_identity(one: sa.FromClause, other: sa.FromClause) -> sa.ColumnElement[bool]:
    return sa.and_(one.c.claim_id == other.c.claim_id, one.c.claim_version == other.c.claim_version)


def _columns(source: sa.FromClause, names: tuple[str, ...]) -> list[sa.ColumnElement[Any]]:
    return [source.c[name] for name in names]


def _signed(claim_rows: sa.Select[Any], sign: str) -> sa.Select[Any]:
    return claim_rows.add_columns(sa.literal_column(sign).label("sign"))


def _count(rows: sa.CTE, *conditions: sa.ColumnElement[bool]) -> sa.ScalarSelect[int]:
    return sa.select(sa.func.count()).select_from(rows).where(*conditions).scalar_subquery()
