"""The SQL that merges a batch of claim events, exactly once in effect.

A batch is staged in `staged_claim_events`, its providers are locked, and then `MERGE` does the
work in one statement of named steps; `merge_events` in `claim_batches` runs them.

The locks make the merge simple: until the transaction ends no other batch, refresh or rebuild
touches the claims and the figures of these providers, and as the locks are a statement of their
own, the merge's snapshot holds all that their previous holders committed. So what a claim *was*
can be read plainly, and read once for everything that follows.
"""

from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    FromClause,
    ScalarSelect,
    Select,
    and_,
    case,
    func,
    literal_column,
    or_,
    select,
    union_all,
)
from sqlalchemy.dialects.postgresql import Insert, distinct_on
from sqlalchemy.dialects.postgresql import insert as upsert

from repositories.cache_upsert import add_to_cache
from repositories.metrics.contributions import contributions
from repositories.tables import (
    CLAIM_COLUMNS,
    SOURCE_COLUMNS,
    claim_events,
    claims,
    providers,
    top_codes_due,
)
from repositories.tables import staged_claim_events as staged
from repositories.vocabulary import MetricKey

ONE: ColumnElement[int] = literal_column("1")


def add_providers() -> Insert:
    """Make the batch's providers known; in order, so that two batches cannot deadlock."""
    seen = select(staged.c.provider_id).distinct().order_by(staged.c.provider_id)
    return upsert(providers).from_select(["provider_id"], seen).on_conflict_do_nothing()


def lock_providers() -> Select[Any]:
    """Lock the batch's providers in order, and count them.

    NO KEY UPDATE and not UPDATE: the latter would block the foreign keys of other inserts.
    """
    locked = (
        select(providers.c.provider_id)
        .where(providers.c.provider_id.in_(select(staged.c.provider_id)))
        .order_by(providers.c.provider_id)
        .with_for_update(key_share=True)
        .cte("locked")
    )
    return select(func.count()).select_from(locked)


def merge(*, with_metrics: bool = True) -> Select[Any]:
    """History, claims and figures in one statement; it returns one row of counts.

    `with_metrics=False` leaves out the figures: what the benchmark calls the floor.
    """
    judged = _judged()
    fresh = _fresh(judged)
    winners = _winners(fresh)
    written = {"recorded": _recorded(fresh), "merged": _merged(winners)}
    if with_metrics:
        written["changed_rows"] = _counted(winners)
        written["marked_months"] = _marked(written["changed_rows"])
    counts: list[Any] = [
        _count(fresh).label("fresh"),
        _count(fresh, fresh.c.late).label("stale"),
        _count(winners).label("winners"),
        _count(judged, judged.c.recorded, ~judged.c.differs).label("repeated"),
        *(_count(step).label(name) for name, step in written.items()),
    ]
    return select(*counts)


def rejected() -> Select[Any]:
    """Staged events that break the publisher's contract: `seq`, and which clause they break.

    To be run after the merge: what is compared with is then in the history, be it from this batch
    or from before.
    """
    mismatch = staged.c.provider_id != claims.c.provider_id
    return (
        select(staged.c.seq, mismatch.label("provider_mismatch"))
        .join(claims, claims.c.claim_id == staged.c.claim_id)
        .outerjoin(claim_events, _same_identity(claim_events, staged))
        .where(or_(mismatch, _differs()))
        .order_by(staged.c.seq)
    )


def _judged() -> CTE:
    """Each staged event beside what its claim was: its owner, and its newest version so far.

    The provider that a claim came with first is its owner. `newest` counts what arrived earlier
    in this batch as well. `recorded` and `differs` compare it with the history; only a version up
    to the claim's own can be there, and the NULL spares the others the search.
    """
    claim, provider, seq = staged.c.claim_id, staged.c.provider_id, staged.c.seq
    first_provider = func.first_value(provider).over(partition_by=claim, order_by=seq)
    # Another provider's events are refused, so they make nothing late.
    newest_in_batch = func.max(staged.c.claim_version).over(
        partition_by=[claim, provider], order_by=seq
    )
    known = claims.c.claim_version
    possible = case((staged.c.claim_version <= known, staged.c.claim_version))
    in_history = and_(
        claim_events.c.claim_id == staged.c.claim_id, claim_events.c.claim_version == possible
    )
    return (
        select(
            staged,
            known.label("known_version"),
            claim_events.c.claim_id.is_not(None).label("recorded"),
            _differs().label("differs"),
            func.coalesce(claims.c.provider_id, first_provider).label("owner"),
            func.greatest(known, newest_in_batch).label("newest"),
        )
        .select_from(
            staged.outerjoin(claims, claims.c.claim_id == staged.c.claim_id).outerjoin(
                claim_events, in_history
            )
        )
        .cte("judged")
    )


def _fresh(event: CTE) -> CTE:
    """The owner's events that the history does not have; of twins in the batch the first."""
    return (
        select(event, (event.c.claim_version < event.c.newest).label("late"))
        .ext(distinct_on(event.c.claim_id, event.c.claim_version))
        .where(event.c.provider_id == event.c.owner)
        .where(~event.c.recorded)
        .order_by(event.c.claim_id, event.c.claim_version, event.c.seq)
        .cte("fresh")
    )


def _winners(fresh: CTE) -> CTE:
    """The highest fresh version of each claim, where it is above what the claim was."""
    return (
        select(fresh)
        .ext(distinct_on(fresh.c.claim_id))
        .where(_above_known(fresh))
        .order_by(fresh.c.claim_id, fresh.c.claim_version.desc())
        .cte("winners")
    )


def _recorded(fresh: CTE) -> CTE:
    """Append to the history. A conflict is another provider's batch; the caller starts again."""
    columns = (*CLAIM_COLUMNS, *SOURCE_COLUMNS)
    return (
        upsert(claim_events)
        .from_select(columns, select(*_columns(fresh, columns)))
        .on_conflict_do_nothing()
        .returning(ONE)
        .cte("recorded")
    )


def _merged(winners: CTE) -> CTE:
    """Make each winner what its claim is. The guard can only fail as in `_recorded`."""
    statement = upsert(claims).from_select(CLAIM_COLUMNS, select(*_columns(winners, CLAIM_COLUMNS)))
    new = statement.excluded
    return (
        statement.on_conflict_do_update(
            index_elements=[claims.c.claim_id],
            set_={name: new[name] for name in CLAIM_COLUMNS if name != "claim_id"},
            where=and_(
                claims.c.claim_version < new.claim_version,
                claims.c.provider_id == new.provider_id,
            ),
        )
        .returning(ONE)
        .cte("merged")
    )


def _counted(winners: CTE) -> CTE:
    """Add to the cache what the claims contribute now, less what they contributed before."""
    before = claims.join(winners, winners.c.claim_id == claims.c.claim_id)
    changes = union_all(
        _signed(select(*_columns(winners, CLAIM_COLUMNS)), "+1"),
        _signed(select(*_columns(claims, CLAIM_COLUMNS)).select_from(before), "-1"),
    )
    rows = contributions(changes.cte("changes"))
    return add_to_cache(rows).cte("changed_rows")


def _marked(changed_rows: CTE) -> CTE:
    """Mark the months whose top codes are now behind; in this transaction, so no crash loses it."""
    months = (
        select(changed_rows.c.provider_id, changed_rows.c.period_start)
        .where(changed_rows.c.metric_key == literal_column(f"'{MetricKey.REVENUE_BY_HSC}'"))
        .distinct()
    )
    return (
        upsert(top_codes_due)
        .from_select(["provider_id", "period_start"], months)
        .on_conflict_do_nothing()
        .returning(ONE)
        .cte("marked_months")
    )


def _differs() -> ColumnElement[bool]:
    """Whether a staged event's content is not that of its identity in the history.

    A patient's number may have been erased from the history: its absence there is no difference.
    """
    compared = tuple(name for name in CLAIM_COLUMNS if name != "patient_phn")
    pairs = zip(_columns(staged, compared), _columns(claim_events, compared), strict=True)
    other_patient = staged.c.patient_phn.is_distinct_from(claim_events.c.patient_phn)
    return or_(
        *(sent.is_distinct_from(known) for sent, known in pairs),
        and_(claim_events.c.patient_phn.is_not(None), other_patient),
    )


def _above_known(event: CTE) -> ColumnElement[bool]:
    known = event.c.known_version
    return or_(known.is_(None), event.c.claim_version > known)


def _same_identity(one: FromClause, other: FromClause) -> ColumnElement[bool]:
    return and_(one.c.claim_id == other.c.claim_id, one.c.claim_version == other.c.claim_version)


def _columns(source: FromClause, names: tuple[str, ...]) -> list[ColumnElement[Any]]:
    return [source.c[name] for name in names]


def _signed(claim_rows: Select[Any], sign: str) -> Select[Any]:
    return claim_rows.add_columns(literal_column(sign).label("sign"))


def _count(rows: CTE, *conditions: ColumnElement[bool]) -> ScalarSelect[int]:
    return select(func.count()).select_from(rows).where(*conditions).scalar_subquery()
