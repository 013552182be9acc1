"""Values of events, as on the wire or as Python values, and the calendar of Alberta."""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from importlib.resources import files
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

Parse = Callable[[Any], object]

# The package's data: the machine's may be of another year.
with (files("tzdata.zoneinfo") / "America" / "Edmonton").open("rb") as data:
    ALBERTA: Final = ZoneInfo.from_file(data, "America/Edmonton")


def uuid(value: object) -> UUID:
    return value if isinstance(value, UUID) else UUID(str(value))


def money(value: object) -> Decimal:
    if isinstance(value, float):
        raise TypeError("money in binary floating point: parse JSON with parse_float=Decimal")
    return Decimal(str(value))


def day(value: object) -> date:
    return value if isinstance(value, date) else date.fromisoformat(str(value))


def moment(value: object) -> datetime:
    return value if isinstance(value, datetime) else datetime.fromisoformat(str(value))


def texts(value: Any) -> list[str]:
    return [str(text) for text in value]


def day_in_alberta(time: datetime) -> date:
    return time.astimezone(ALBERTA).date()


def parsed(
    data: Mapping[str, Any], fields: Mapping[str, Parse], defaults: Mapping[str, object]
) -> dict[str, Any]:
    """These fields of an event; one that is absent or null is its default, or None."""
    found: dict[str, Any] = {}
    for name, parse in fields.items():
        value = data.get(name)
        if value is None:
            value = defaults.get(name)
        found[name] = None if value is None else parse(value)
    return found
