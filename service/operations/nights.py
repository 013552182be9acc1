"""When the nightly run is due, and how settings say it: once a night, also where clocks change."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator

OFF = "off"
_TIME_OF_DAY = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")


def _time_of_day(text: str) -> str:
    if text != OFF and not _TIME_OF_DAY.fullmatch(text):
        raise ValueError(f"expected a time of day from 00:00 to 23:59, or {OFF}")
    return text


def _time_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # not there, no name at all, a folder of zones
        raise ValueError("expected a time zone such as America/Edmonton or UTC") from None
    return name


TimeOfDayOrOff = Annotated[str, AfterValidator(_time_of_day)]
TimeZoneName = Annotated[str, AfterValidator(_time_zone)]


@dataclass(frozen=True)
class Nights:
    """At `at` by the clocks of `zone`. A night is named by the day that it falls on there."""

    at: time
    zone: ZoneInfo

    @classmethod
    def parse(cls, at: str, zone: str) -> Self | None:
        """Of the two settings' values; None where they switch it off."""
        return None if at == OFF else cls(time.fromisoformat(at), ZoneInfo(zone))

    def begins(self, night: date) -> datetime:
        """The moment at which its run is due, in UTC.

        A time that clocks show twice is the first of the two. Where clocks leave it out they show
        as much more when the run begins.
        """
        return datetime.combine(night, self.at, self.zone).astimezone(UTC)

    def last_due(self, now: datetime) -> date:
        """The last night whose run is due at this moment."""
        today = now.astimezone(self.zone).date()
        return today if self.begins(today) <= now else today - timedelta(days=1)
