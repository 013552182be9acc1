"""Correcting the AI coach's events where a faulty decoder wrote them, by their own records.

As `repositories.claims.redecode`; simpler, because a row is all that there is of an event.
"""

from collections.abc import Sequence
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from repositories.claims.sources import History, staged_times
from repositories.replaying.replayed import MergedBatch, Place, RefusedRecord
from repositories.suggestions.batch import hold_providers, merge_held, stage_suggestions
from repositories.suggestions.merge import counted, differs, marked_lists, staged
from repositories.tables import SUGGESTION_COLUMNS, ai_suggestions

SUGGESTIONS: Final = History(ai_suggestions, staged, ("event_id",))
CORRECTED: Final = tuple(
    name for name in (*SUGGESTION_COLUMNS, "occurred_at") if name not in ("event_id", "provider_id")
)


def reads_differently() -> sa.ColumnElement[bool]:
    """Whether a row differs from its own record, be it in what makes no conflict."""
    return sa.or_(*(staged.c[name].is_distinct_from(ai_suggestions.c[name]) for name in CORRECTED))


def correct() -> sa.Select[Any]:
    """Write what the records say now into the rows that came from them, and add the difference to
    the figures; returns a row for each, with its topic."""
    mine = sa.and_(SUGGESTIONS.own_source(), reads_differently())
    joined = sa.select(ai_suggestions).join(staged, sa.true()).join(staged_times, mine)
    corrected = (
        sa.update(ai_suggestions)
        .values({name: staged.c[name] for name in CORRECTED})
        .where(mine)
        .returning(ai_suggestions)
        .cte("corrected")
    )
    return _with_figures(corrected, joined.cte("before"))


def remove_misread() -> sa.Select[Any]:
    """Remove the rows that are of other events, and take them out of the figures."""
    misread = SUGGESTIONS.misread
    removed = (
        sa.delete(ai_suggestions)
        .where(ai_suggestions.c.event_id == misread.c.event_id)
        .returning(ai_suggestions)
        .cte("removed")
    )
    return _with_figures(None, removed)


def _with_figures(now: sa.CTE | None, before: sa.CTE) -> sa.Select[Any]:
    signed = [_signed(before, "-1")] + ([_signed(now, "1")] if now is not None else [])
    changed = sa.union_all(*signed)
    changed_rows = counted(changed)
    marked = marked_lists(changed.cte("both"))
    counts = [
        sa.select(sa.func.count()).select_from(step).scalar_subquery()
        for step in (changed_rows, marked)
    ]
    return sa.select((before if now is None else now).c.source_topic, *counts)


def _signed(rows: sa.CTE, sign: str) -> sa.Select[Any]:
    return sa.select(rows, sa.literal_column(sign).label("sign"))


class SuggestionHistory:
    """The coach's events, as `repositories.replaying.replay` wants a kind of events."""

    history = SUGGESTIONS
    differs = staticmethod(differs)
    reads_differently = staticmethod(reads_differently)
    stage = staticmethod(stage_suggestions)
    hold = staticmethod(hold_providers)

    async def merge(self, connection: AsyncConnection, events: int, erased: int) -> MergedBatch:
        merged = await merge_held(connection, events, erased)
        refused = [
            RefusedRecord(Place(each.topic, each.partition, each.offset), False)
            for each in merged.refused
        ]
        differently = merged.decoded_differently
        return MergedBatch(merged.applied, refused, differently)

    async def correct(self, connection: AsyncConnection) -> Sequence[str]:
        """The topic of each row that was corrected; the figures follow."""
        return [row.source_topic for row in await connection.execute(correct())]

    async def split(self, _: AsyncConnection) -> Sequence[int]:
        """An event is whole: it can always be moved."""
        return ()

    async def remove_misread(self, connection: AsyncConnection) -> None:
        """Remove the rows that are of other events; the figures follow."""
        await connection.execute(remove_misread())
