"""Writing computed rows into `analytics_cache` through its unique key."""

import json
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB, Insert, insert
from sqlalchemy.sql.dml import ReturningInsert

from repositories.metrics.contributions import ROW_COLUMNS
from repositories.metrics.definitions import DAY_KEYS, METRICS
from repositories.metrics.shapes import COUNT_AND_AMOUNT, Shape, text_of
from repositories.tables import analytics_cache as cache
from repositories.tables import lists_due


def add_to_cache(changes: sa.SelectBase) -> ReturningInsert[Any]:
    """Add `changes` (`ROW_COLUMNS`, values that sum up) to the rows that are there."""
    statement = _insert(changes)
    return _on_conflict_set(statement, _sum(statement.excluded.value))


def put_in_cache(rows: sa.SelectBase) -> ReturningInsert[Any]:
    """Replace the value of the rows that are there by that of `rows` (`ROW_COLUMNS`)."""
    statement = _insert(rows)
    return _on_conflict_set(statement, statement.excluded.value)


def _insert(rows: sa.SelectBase) -> Insert:
    source = rows.subquery("rows")
    columns = [source.c[name] for name in ROW_COLUMNS]
    in_key_order = sa.select(_row_id(source), *columns, sa.func.now()).order_by(
        *(source.c[name] for name in ROW_COLUMNS[:-1])
    )
    return insert(cache).from_select(["cache_id", *ROW_COLUMNS, "computed_at"], in_key_order)


def mark_lists(months: sa.SelectBase) -> Insert:
    """Mark lists (provider_id, metric_key, period_start) as behind, until they are flushed."""
    names = ["provider_id", "metric_key", "period_start"]
    return insert(lists_due).from_select(names, months).on_conflict_do_nothing()


def remove_empty_days(rows: Sequence[UUID]) -> sa.Delete:
    """Delete these rows, which a batch has brought to nothing: an upsert cannot."""
    return sa.delete(cache).where(cache.c.cache_id == sa.func.any(rows))


def is_empty_day(row: sa.FromClause) -> sa.ColumnElement[bool]:
    """Whether a row (`metric_key`, `value`) of a day has fallen to nothing."""
    return sa.and_(
        row.c.metric_key.in_([text_of(key) for key in DAY_KEYS]),
        row.c.value
        == sa.literal_column(f"'{json.dumps(COUNT_AND_AMOUNT.nothing())}'::jsonb", JSONB),
    )


def same_row(one: sa.FromClause, other: sa.FromClause) -> sa.ColumnElement[bool]:
    """Equality of keys; a NULL is compared as the empty text, as no JSON is that."""

    def dimensions(row: sa.FromClause) -> sa.ColumnElement[Any]:
        return sa.func.coalesce(
            sa.cast(row.c.dimensions, sa.Text), sa.literal_column("''", sa.Text)
        )

    names = ("provider_id", "metric_key", "period_start", "period_end")
    keys = [one.c[name] == other.c[name] for name in names]
    return sa.and_(*keys, dimensions(one) == dimensions(other))


def _on_conflict_set(statement: Insert, value: sa.ColumnElement[Any]) -> ReturningInsert[Any]:
    return statement.on_conflict_do_update(
        constraint="uq_analytics_cache_key", set_={"value": value, "computed_at": sa.func.now()}
    ).returning(
        cache.c.cache_id,
        cache.c.provider_id,
        cache.c.metric_key,
        cache.c.period_start,
        cache.c.value,
    )


def _row_id(row: sa.FromClause) -> sa.ColumnElement[Any]:
    """A `cache_id` made of the row's key.

    The column's default, gen_random_uuid(), would be drawn for every row of the batch, those that
    turn out to be updates too, and cost a tenth of the merge. Two hashes of 64 bits and not MD5,
    which a server in FIPS mode refuses. Only a new row takes this id: one that is there keeps its
    own.
    """
    key = (row.c.provider_id, row.c.metric_key, row.c.period_start, row.c.dimensions)
    text = sa.func.concat_ws(sa.literal_column("'|'"), *key)
    halves = [
        sa.func.int8send(sa.func.hashtextextended(text, sa.literal_column(seed))) for seed in "01"
    ]
    hexadecimal = sa.func.encode(halves[0].op("||")(halves[1]), sa.literal_column("'hex'"))
    return sa.cast(hexadecimal, sa.Uuid)


def _sum(change: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """The stored value plus the change, in the shape of the row's metric."""
    keys_by_shape: dict[Shape, list[sa.ColumnElement[Any]]] = {}
    for metric in METRICS:
        keys_by_shape.setdefault(metric.shape, []).append(text_of(metric.key))
    return sa.case(
        *(
            (cache.c.metric_key.in_(keys), shape.add(cache.c.value, change))
            for shape, keys in keys_by_shape.items()
        )
    )
