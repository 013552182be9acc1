"""The metrics that are lists and no sums: top codes, and what the AI coach's rules came to.

Each is derived for whole months at once, from rows of `revenue_by_hsc` or from the coach's events.
A month with nothing to list gets an empty list.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB, aggregate_order_by
from sqlalchemy.sql import ColumnElement, FromClause

from repositories.metrics.measures import MONEY, ZERO
from repositories.metrics.periods import MONTHS, Period
from repositories.metrics.shapes import COUNT_AND_AMOUNT, text_of
from repositories.vocabulary import Dimension, MetricKey, SuggestionEvent

LEARNING = (SuggestionEvent.SUPPRESSED, SuggestionEvent.UNSUPPRESSED)
SINCE = """'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'"""  # RFC 3339, in UTC


@dataclass(frozen=True)
class ListMetric:
    """`entries` gives, for months (provider_id, period_start), rows that the list is made from and
    how long a period is, `entry` (a JSON object), and its `place` in the list of its month."""

    key: MetricKey
    field: str
    entries: Callable[[FromClause, FromClause, Period], sa.Select[Any]]
    at_most: int | None = None
    since: int = 1

    def rows(
        self, months: FromClause, made_from: FromClause, period: Period = MONTHS
    ) -> sa.Select[Any]:
        """Rows (`contributions.ROW_COLUMNS`), one for each of `months`.

        Each month is joined with its own rows alone, so the work grows with these, by index in the
        live case and by hash in the other.
        """
        entry = self.entries(months, made_from, period).subquery("entries")
        listed: ColumnElement[Any] = sa.func.jsonb_agg(
            aggregate_order_by(entry.c.entry, entry.c.place)
        )
        shown: list[ColumnElement[bool]] = [entry.c.entry.is_not(None)]
        if self.at_most:
            shown.append(entry.c.place <= sa.literal_column(str(self.at_most)))
        empty = sa.literal_column("'[]'::jsonb", JSONB)
        listed = sa.func.coalesce(listed.filter(*shown), empty)
        return sa.select(
            entry.c.provider_id,
            text_of(self.key).label("metric_key"),
            entry.c.period_start,
            period.end(entry.c.period_start).label("period_end"),
            sa.literal_column("NULL::jsonb", JSONB).label("dimensions"),
            sa.func.jsonb_build_object(text_of(self.field), listed).label("value"),
        ).group_by(entry.c.provider_id, entry.c.period_start)

    @property
    def nothing(self) -> dict[str, list[object]]:
        return {self.field: []}


def _top_codes(months: FromClause, revenue: FromClause, _: Period) -> sa.Select[Any]:
    """By amount, then count, both falling, then code by its bytes.

    `revenue` is `analytics_cache`, or `contributions`; its rows of `revenue_by_hsc` are used.
    """
    code = revenue.c.dimensions.op("->>", return_type=sa.Text())(text_of(Dimension.HSC_CODE))
    sums = COUNT_AND_AMOUNT.parse(revenue.c.value)
    order = (sums["amount"].desc(), sums["count"].desc(), sa.collate(code, "C"))
    of_the_month = sa.and_(
        revenue.c.provider_id == months.c.provider_id,
        revenue.c.metric_key == text_of(MetricKey.REVENUE_BY_HSC),
        revenue.c.period_start == months.c.period_start,
        sums["count"] > ZERO,
    )
    entry = _object(hsc_code=code, count=sums["count"], amount=sa.cast(sums["amount"], sa.Text))
    return _placed(months, months.outerjoin(revenue, of_the_month), entry, code, order)


def _top_accepted(months: FromClause, suggestions: FromClause, period: Period) -> sa.Select[Any]:
    """Rules of which something was accepted, as the codes are ordered."""
    event = _events_of(months, suggestions, period)
    accepted = event.c.event_type == text_of(SuggestionEvent.ACCEPTED)
    zero = sa.literal_column("0", MONEY)
    count = sa.func.count().filter(accepted)
    amount = sa.func.coalesce(
        sa.func.sum(event.c.revenue_impact, type_=MONEY).filter(accepted), zero, type_=MONEY
    )
    rule = (
        sa.select(
            *_month(event),
            event.c.rule_id,
            _latest_name(event).label("rule_name"),
            count.label("count"),
            sa.cast(amount, MONEY).label("amount"),
        )
        .group_by(*_month(event), event.c.rule_id)
        .having(count > ZERO)
        .subquery("rule")
    )
    entry = _object(
        rule_id=rule.c.rule_id,
        rule_name=rule.c.rule_name,
        count=rule.c.count,
        amount=sa.cast(rule.c.amount, sa.Text),
    )
    order = (rule.c.amount.desc(), rule.c.count.desc(), rule.c.rule_id)
    joined = months.outerjoin(rule, _same_month(months, rule))
    return _placed(months, joined, entry, rule.c.rule_id, order)


def _suppressed(months: FromClause, suggestions: FromClause, period: Period) -> sa.Select[Any]:
    """Rules whose latest learning event of the month suppresses them, the longest first."""
    event = _events_of(months, suggestions, period)
    latest = (event.c.created_at.desc(), event.c.event_id.desc())

    def last(column: ColumnElement[Any]) -> ColumnElement[Any]:
        learning = event.c.event_type.in_([text_of(word) for word in LEARNING])
        ordered = sa.func.array_agg(
            aggregate_order_by(column, *latest), type_=sa.ARRAY(column.type)
        )
        return ordered.filter(learning)[sa.literal_column("1")]

    rule = (
        sa.select(
            *_month(event),
            event.c.rule_id,
            _latest_name(event).label("rule_name"),
            last(event.c.event_type).label("learned"),
            last(event.c.created_at).label("since"),
        )
        .group_by(*_month(event), event.c.rule_id)
        .subquery("rule")
    )
    in_utc = sa.func.timezone(sa.literal_column("'UTC'"), rule.c.since)
    since = sa.func.to_char(in_utc, sa.literal_column(SINCE))
    entry = _object(rule_id=rule.c.rule_id, rule_name=rule.c.rule_name, since=since)
    is_suppressed = sa.and_(
        _same_month(months, rule), rule.c.learned == text_of(SuggestionEvent.SUPPRESSED)
    )
    order = (rule.c.since, rule.c.rule_id)
    return _placed(months, months.outerjoin(rule, is_suppressed), entry, rule.c.rule_id, order)


def _placed(
    months: FromClause,
    joined: FromClause,
    entry: ColumnElement[Any],
    key: ColumnElement[Any],
    order: tuple[ColumnElement[Any], ...],
) -> sa.Select[Any]:
    """`entry` is NULL in the one row of a month that has none."""
    return sa.select(
        *_month(months),
        sa.case((key.is_not(None), entry)).label("entry"),
        sa.func.row_number().over(partition_by=_month(months), order_by=order).label("place"),
    ).select_from(joined)


def _events_of(months: FromClause, suggestions: FromClause, period: Period) -> sa.Subquery:
    """The coach's events of these months that have a rule."""
    month = months.alias()
    of_the_month = sa.and_(
        suggestions.c.provider_id == month.c.provider_id,
        suggestions.c.created_day.between(month.c.period_start, period.end(month.c.period_start)),
        suggestions.c.rule_id.is_not(None),
    )
    return (
        sa.select(suggestions, month.c.period_start)
        .select_from(month.join(suggestions, of_the_month))
        .subquery("event")
    )


def _latest_name(event: FromClause) -> ColumnElement[Any]:
    """The rule's latest name of the month that is not null."""
    names = sa.func.array_agg(
        aggregate_order_by(event.c.rule_name, event.c.created_at.desc(), event.c.event_id.desc()),
        type_=sa.ARRAY(sa.Text),
    )
    return names.filter(event.c.rule_name.is_not(None))[sa.literal_column("1")]


def _month(rows: FromClause) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
    return rows.c.provider_id, rows.c.period_start


def _same_month(one: FromClause, other: FromClause) -> ColumnElement[bool]:
    return sa.and_(
        one.c.provider_id == other.c.provider_id, one.c.period_start == other.c.period_start
    )


def _object(**members: ColumnElement[Any]) -> ColumnElement[Any]:
    pairs = [(text_of(name), value) for name, value in members.items()]
    return sa.func.jsonb_build_object(*(part for pair in pairs for part in pair))


TOP_CODES = ListMetric(MetricKey.TOP_HSC_CODES, "codes", _top_codes, at_most=10)
TOP_ACCEPTED = ListMetric(
    MetricKey.AI_COACH_TOP_ACCEPTED, "rules", _top_accepted, at_most=5, since=2
)
SUPPRESSED = ListMetric(MetricKey.AI_COACH_SUPPRESSED, "rules", _suppressed, since=2)
COACH_LISTS = (TOP_ACCEPTED, SUPPRESSED)
LISTS = (TOP_CODES, *COACH_LISTS)


def months_of(suggestions: FromClause) -> sa.Select[Any]:
    """The months (provider_id, period_start) in which these events can be in a list."""
    start = MONTHS.start(suggestions.c.created_day).label("period_start")
    return (
        sa.select(suggestions.c.provider_id, start)
        .where(suggestions.c.rule_id.is_not(None))
        .distinct()
    )
