"""Names for made-up practice locations: believable, nobody's, and always the same for an id."""

from typing import Final
from uuid import UUID

_FIRST: Final = (
    *("Aspen", "Bluebird", "Chinook", "Foothill", "Lodgepole", "Meadowlark", "Saskatoon"),
    *("Spruce", "Tamarack", "Wapiti", "Wild Rose", "Willow"),
)
_SECOND: Final = ("Bend", "Creek", "Crossing", "Hills", "Lake", "Ridge", "Valley")
_KIND: Final = ("Associate Clinic", "Family Clinic", "Health Centre", "Medical Centre")


def place_name(location_id: str) -> str:
    number, words = UUID(location_id).int, []
    for choices in (_FIRST, _SECOND, _KIND):
        number, choice = divmod(number, len(choices))
        words.append(choices[choice])
    return " ".join(words)
