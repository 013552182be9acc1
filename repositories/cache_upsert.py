"""Writing computed rows into `analytics_cache` through its unique key."""

from typing import Any

from sqlalchemy import (
    ColumnElement,
    FromClause,
    SelectBase,
    Uuid,
    case,
    cast,
    func,
    literal_column,
    select,
)
from sqlalchemy.dialects.postgresql import Insert, insert
from sqlalchemy.sql.dml import ReturningInsert

from repositories.metrics.contributions import ROW_COLUMNS
from repositories.metrics.definitions import METRICS
from repositories.metrics.shapes import Shape
from repositories.tables import analytics_cache as cache


def add_to_cache(changes: SelectBase) -> ReturningInsert[Any]:
    """Add `changes` (`ROW_COLUMNS`, values that sum up) to the rows that are there."""
    statement = _insert(changes)
    return _on_conflict_set(statement, _sum(statement.excluded.value))


def put_in_cache(rows: SelectBase) -> ReturningInsert[Any]:
    """Replace the value of the rows that are there by that of `rows` (`ROW_COLUMNS`)."""
    statement = _insert(rows)
    return _on_conflict_set(statement, statement.excluded.value)


def _insert(rows: SelectBase) -> Insert:
    source = rows.subquery("rows")
    columns = [source.c[name] for name in ROW_COLUMNS]
    in_key_order = select(_row_id(source), *columns, func.now()).order_by(
        *(source.c[name] for name in ROW_COLUMNS[:-1])
    )
    return insert(cache).from_select(["cache_id", *ROW_COLUMNS, "computed_at"], in_key_order)


def _on_conflict_set(statement: Insert, value: ColumnElement[Any]) -> ReturningInsert[Any]:
    return statement.on_conflict_do_update(
        constraint="uq_analytics_cache_key", set_={"value": value, "computed_at": func.now()}
    ).returning(cache.c.provider_id, cache.c.metric_key, cache.c.period_start)


def _row_id(row: FromClause) -> ColumnElement[Any]:
    """A `cache_id` made of the row's key.

    The column's default, gen_random_uuid(), would be drawn for every row of the batch, those that
    turn out to be updates too, and cost a tenth of the merge.
    """
    key = (row.c.provider_id, row.c.metric_key, row.c.period_start, row.c.dimensions)
    return cast(func.md5(func.concat_ws(literal_column("'|'"), *key)), Uuid)


def _sum(change: ColumnElement[Any]) -> ColumnElement[Any]:
    """The stored value plus the change, in the shape of the row's metric."""
    keys_by_shape: dict[Shape, list[ColumnElement[Any]]] = {}
    for metric in METRICS:
        keys_by_shape.setdefault(metric.shape, []).append(literal_column(f"'{metric.key}'"))
    return case(
        *(
            (cache.c.metric_key.in_(keys), shape.add(cache.c.value, change))
            for shape, keys in keys_by_shape.items()
        )
    )
