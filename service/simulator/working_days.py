"""The week of an Alberta practice: visits Monday to Friday, payment on Fridays.

Statutory holidays are not modelled.
"""

from datetime import date, timedelta

THURSDAY, FRIDAY = 3, 4


def is_working_day(day: date) -> bool:
    return day.weekday() <= FRIDAY


def last_working_day(day: date) -> date:
    """The day itself, or the Friday before when it is a weekend."""
    return day - timedelta(days=max(0, day.weekday() - FRIDAY))


def next_working_day(day: date) -> date:
    """The day itself, or the Monday after when it is a weekend."""
    return day if is_working_day(day) else day + timedelta(days=7 - day.weekday())


def working_days_before(day: date, count: int) -> date:
    """The working day that lies `count` working days before a working day."""
    weeks, rest = divmod(count, 5)
    weekend = 2 if rest > day.weekday() else 0
    return day - timedelta(days=7 * weeks + rest + weekend)


def friday_from(day: date) -> date:
    """The day itself when it is a Friday, or else the next Friday."""
    return day + timedelta(days=(FRIDAY - day.weekday()) % 7)
