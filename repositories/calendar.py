"""Days in Alberta: when a moment was, on the calendar of those who bill there.

From the time zone data of a pinned package, never from the machine's or the server's, which change
with an update: what was added under one day must be taken away under the same.
"""

from datetime import date, datetime, time
from importlib.resources import files
from zoneinfo import ZoneInfo

with (files("tzdata.zoneinfo") / "America" / "Edmonton").open("rb") as data:
    ALBERTA = ZoneInfo.from_file(data, key="America/Edmonton")


def day_in_alberta(moment: datetime) -> date:
    """The day on which an aware time falls in America/Edmonton."""
    return moment.astimezone(ALBERTA).date()


def start_of_day_in_alberta(day: date) -> datetime:
    """The moment at which a day begins there; clocks are never changed at midnight."""
    return datetime.combine(day, time(), ALBERTA)
