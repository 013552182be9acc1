"""The period that a day belongs to: its calendar month, or a range of days that is asked for."""

from dataclasses import dataclass
from typing import Any, Protocol

import sqlalchemy as sa
from sqlalchemy.sql import ColumnElement

from repositories.tables import cache_horizon

Day = ColumnElement[Any]


class Period(Protocol):
    """How the rows of a source that has no rows per day are put together."""

    def start(self, day: Day) -> Day:
        """The first day of the period of `day`."""

    def end(self, start: Day) -> Day:
        """The last day of the period that begins on `start`."""

    def counts(self, day: Day) -> ColumnElement[bool]:
        """Whether a row of this day is counted at all."""


class Months:
    """Calendar months; those before the cache's horizon are left out."""

    def start(self, day: Day) -> Day:
        """Through `timestamp`: no time zone takes part."""
        return sa.cast(
            sa.func.date_trunc(sa.literal_column("'month'"), sa.cast(day, sa.TIMESTAMP)), sa.Date
        )

    def end(self, start: Day) -> Day:
        return last_day_of(start)

    def counts(self, day: Day) -> ColumnElement[bool]:
        return day >= first_month()


@dataclass(frozen=True, eq=False)
class Range:
    """The days from `first` to `last`, both included, as one period, whatever the horizon."""

    first: Day
    last: Day

    def start(self, day: Day) -> Day:
        return self.first

    def end(self, start: Day) -> Day:
        return self.last

    def counts(self, day: Day) -> ColumnElement[bool]:
        return day.between(self.first, self.last)


@dataclass(frozen=True, eq=False)
class MonthsSince(Months):
    """Calendar months from the one that begins on `first`, as far as the horizon leaves them."""

    first: Day

    def counts(self, day: Day) -> ColumnElement[bool]:
        return day >= sa.func.greatest(self.first, first_month())


MONTHS = Months()


def last_day_of(month: Day) -> Day:
    """The last day of the month that starts on `month`."""
    return sa.cast(month + sa.literal_column("interval '1 month -1 day'"), sa.Date)


def first_month() -> Day:
    """The first month that the cache holds: a date, or minus infinity while there is no horizon."""
    horizon = sa.select(cache_horizon.c.first_month).scalar_subquery()
    return sa.func.coalesce(horizon, sa.literal_column("'-infinity'::date"))
