"""Times as RFC 3339 has them, in the years that the service knows."""

import re
from datetime import UTC, datetime

# The offset is required. A leap second (`:60`) is refused: neither Python nor PostgreSQL can hold
# it, and rolling it into the next minute would be a guess.
RFC3339_PATTERN = (
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]+)?"
    r"([Zz]|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$"
)
FIRST_YEAR = 2000
LAST_YEAR = 2100


class OutOfRangeError(ValueError):
    """A well-formed time outside the years 2000 to 2100."""


def parse_time(text: str) -> datetime:
    """The moment in UTC, cut to microseconds; `ValueError` if malformed or out of range."""
    if not _RFC3339.fullmatch(text):
        raise ValueError("not an RFC 3339 time")
    moment = datetime.fromisoformat(text.upper())
    if FIRST_YEAR - 1 <= moment.year <= LAST_YEAR + 1:  # far from where UTC would overflow
        in_utc = moment.astimezone(UTC)
        if FIRST_YEAR <= in_utc.year <= LAST_YEAR:
            return in_utc
    raise OutOfRangeError("outside the years 2000 to 2100")


_RFC3339 = re.compile(RFC3339_PATTERN)
