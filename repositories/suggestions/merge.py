"""The SQL that stores and counts a batch of the AI coach's events, exactly once in effect.

A batch is staged and its providers are locked (`repositories.batch_providers`). Then one statement
of named steps stores what is new. Events never change, so that is all that the figures gain.
"""

from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import distinct_on, insert

from repositories.batch_providers import ONE
from repositories.claims.merge import from_same_record
from repositories.metrics.contributions import contributions
from repositories.metrics.lists import COACH_LISTS, months_of
from repositories.metrics.shapes import text_of
from repositories.metrics.upsert import add_to_cache, mark_lists
from repositories.operations.freshness import confirm
from repositories.suggestions.tables import staged_suggestions
from repositories.tables import SOURCE_COLUMNS, SUGGESTION_COLUMNS, ai_suggestions, providers

staged = cast(sa.Alias[Any], staged_suggestions.alias("staged"))  # SQLAlchemy declares less
ROW_COLUMNS = (*SUGGESTION_COLUMNS, *SOURCE_COLUMNS)
# The day follows from the time, by the decoder's time zone data; other data are no other content.
CONTENT_COLUMNS = tuple(name for name in SUGGESTION_COLUMNS if name != "created_day")


def merge() -> sa.Select[Any]:
    """Store and count the events whose ids are new; it returns one row of counts.

    Of twins in the batch the first counts. An id may be another provider's, whose batch has other
    locks and may be under way: the insert waits for it then, and finds that the event is there.
    """
    first = (
        sa.select(*(staged.c[name] for name in ROW_COLUMNS))
        .ext(distinct_on(staged.c.event_id))
        .order_by(staged.c.event_id, staged.c.seq)
    )
    stored = (
        insert(ai_suggestions)
        .from_select(ROW_COLUMNS, first)
        .on_conflict_do_nothing()
        .returning(ai_suggestions)
        .cte("stored")
    )
    written = {
        "stored": stored,
        "changed_rows": _counted(stored),
        "marked_lists": marked_lists(stored),
    }
    counts = [
        sa.select(sa.func.count()).select_from(step).scalar_subquery().label(name)
        for name, step in written.items()
    ]
    return sa.select(*counts).add_cte(confirm(staged).cte("confirmed"))


def _counted(stored: sa.CTE) -> sa.CTE:
    """Add to the cache what the new events contribute."""
    return counted(sa.select(stored, sa.literal_column("1").label("sign")))


def counted(signed: sa.SelectBase) -> sa.CTE:
    """Add to the cache what events with a `sign` contribute."""
    return add_to_cache(contributions(signed.cte("signed"), ai_suggestions)).cte("changed_rows")


def marked_lists(stored: sa.CTE) -> sa.CTE:
    """Mark the months whose lists are now behind; in this transaction, so no crash loses it.

    Any event of a rule may move both lists, since it can bring the rule's latest name. A provider
    that waits for these metrics to be filled gets no list before that.
    """
    month = months_of(stored).subquery("months")
    lists = (
        sa.select(month.c.provider_id, text_of(each.key).label("metric_key"), month.c.period_start)
        .join(providers, providers.c.provider_id == month.c.provider_id)
        .where(providers.c.metrics_revision >= sa.literal_column(str(each.since)))
        for each in COACH_LISTS
    )
    return mark_lists(sa.union_all(*lists)).returning(ONE).cte("marked_lists")


def refused() -> sa.Select[Any]:
    """Where staged events were read that came with other content before, in this batch or earlier.

    To be run after the merge, as a statement of its own: so it sees what the merge waited for. The
    row's `own_source` is no conflict with it: that record reads differently now.
    """
    return (
        sa.select(
            staged.c.source_topic,
            staged.c.source_partition,
            staged.c.source_offset,
            staged.c.claim_id,
            staged.c.provider_id,
            from_same_record(ai_suggestions, staged).label("own_source"),
        )
        .join(ai_suggestions, ai_suggestions.c.event_id == staged.c.event_id)
        .where(differs())
        .order_by(staged.c.seq)
    )


def differs() -> sa.ColumnElement[bool]:
    """Whether a staged event's content is not that of its id in the table."""
    return sa.or_(
        *(staged.c[name].is_distinct_from(ai_suggestions.c[name]) for name in CONTENT_COLUMNS)
    )
