"""Made-up physicians: where they work, under which arrangements, and what they usually bill.

Their fee codes are real: those of Alberta's Schedule of Medical Benefits that have a base fee.
"""

import csv
from bisect import bisect
from dataclasses import dataclass
from decimal import Decimal
from importlib import resources
from itertools import accumulate
from random import Random
from typing import Final, NamedTuple, TypeVar

FAMILY: Final = "Family medicine"
# Which chapters of the schedule (first two characters of a code) a field of work draws on.
SPECIALTIES: Final = {
    FAMILY: ("03", "13", "98"),
    "Internal medicine": ("03", "01", "48", "49"),
    "General surgery": ("03", "57", "63", "66"),
    "Orthopaedics": ("03", "89", "91", "93", "95"),
    "Psychiatry": ("03", "08"),
    "Obstetrics": ("03", "82", "87"),
    "Radiology": ("X1", "X3", "E5"),
}
_FAMILY_SHARE: Final = 0.55
_RURAL_SHARE: Final = 0.2
# fmt: off
_FIRST_NAMES: Final = (
    "Amara", "Brent", "Chloe", "Dmitri", "Elaine", "Farid", "Grace", "Hugo", "Imani", "Jonas",
    "Keiko", "Liam", "Mireille", "Noor", "Priya", "Samir",
)
_LAST_NAMES: Final = (
    "Abbot", "Bergeron", "Cardinal", "Eklund", "Farrow", "Gill", "Hashimoto", "Iverson",
    "Kowalchuk", "Lefebvre", "Nguyen", "Okafor", "Petrenko", "Singh", "Tremblay", "Usman",
    "Whitford", "Xu",
)
# fmt: on

T = TypeVar("T")


class FeeCode(NamedTuple):
    """One code of the schedule; the fee is in dollars."""

    hsc_code: str
    base_fee: Decimal
    category: str


def load_fee_codes() -> list[FeeCode]:
    """Every code of the schedule, in the file's order, as spelled there (inner blanks too)."""
    text = resources.files("service.local.simulator").joinpath("hsc_fees.csv").read_text("utf-8")
    return [
        FeeCode(row["hsc_code"], Decimal(row["base_fee"]), row["category"])
        for row in csv.DictReader(text.splitlines())
    ]


class Location(NamedTuple):
    """A practice location; the rate is that of the rural and northern premium, 0 in town."""

    location_id: str
    rrnp_rate: Decimal


@dataclass(frozen=True, slots=True)
class SimulatedProvider:
    """One made-up physician. `repertoire` is ordered by use, the first code most often."""

    provider_id: str
    name: str
    specialty: str
    key: bytes  # the message key: the id as text
    ba_numbers: tuple[str, ...]
    locations: tuple[Location, ...]
    repertoire: tuple[FeeCode, ...]
    use: tuple[float, ...]  # running total of the codes' shares, ending near 1

    def draw_code(self, rng: Random) -> FeeCode:
        return self.repertoire[min(bisect(self.use, rng.random()), len(self.use) - 1)]

    def draw_location(self, rng: Random) -> Location:
        return _mostly_the_first(rng, self.locations)

    def draw_ba_number(self, rng: Random) -> str:
        return _mostly_the_first(rng, self.ba_numbers)


def make_providers(seed: int, count: int) -> tuple[SimulatedProvider, ...]:
    """The physicians of a seed; a larger count adds to the same ones."""
    rng = stream(seed, "providers")
    by_chapter: dict[str, list[FeeCode]] = {}
    for code in load_fee_codes():
        by_chapter.setdefault(code.hsc_code[:2], []).append(code)
    return tuple(_provider(rng, by_chapter) for _ in range(count))


def _provider(rng: Random, by_chapter: dict[str, list[FeeCode]]) -> SimulatedProvider:
    others = [name for name in SPECIALTIES if name != FAMILY]
    specialty = FAMILY if rng.random() < _FAMILY_SHARE else rng.choice(others)
    provider_id = uuid_text(rng)
    repertoire = _repertoire(rng, [by_chapter[chapter] for chapter in SPECIALTIES[specialty]])
    shares = [1 / rank for rank in range(1, len(repertoire) + 1)]  # Zipf's law
    total = sum(shares)
    return SimulatedProvider(
        provider_id=provider_id,
        name=f"Dr. {rng.choice(_FIRST_NAMES)} {rng.choice(_LAST_NAMES)}",
        specialty=specialty,
        key=provider_id.encode(),
        ba_numbers=tuple(f"{rng.randrange(10**7):07d}" for _ in range(rng.randint(1, 3))),
        locations=tuple(_location(rng) for _ in range(rng.randint(1, 4))),
        repertoire=repertoire,
        use=tuple(accumulate(share / total for share in shares)),
    )


def _repertoire(rng: Random, chapters: list[list[FeeCode]]) -> tuple[FeeCode, ...]:
    """15 to 40 codes: half of them from the first chapter, where the everyday visits are."""
    size = rng.randint(15, 40)
    home, rest = chapters[0], [code for chapter in chapters[1:] for code in chapter]
    codes = rng.sample(home, min(size // 2, len(home)))
    codes += rng.sample(rest, size - len(codes))
    rng.shuffle(codes)
    return tuple(codes)


def _location(rng: Random) -> Location:
    rural = rng.random() < _RURAL_SHARE
    rate = Decimal(rng.randint(3, 30)) / 100 if rural else Decimal(0)
    return Location(uuid_text(rng), rate)


def _mostly_the_first(rng: Random, items: tuple[T, ...]) -> T:
    return items[int(rng.random() ** 2 * len(items))]


def stream(seed: int, purpose: str) -> Random:
    """A stream of its own for each purpose: drawing more for one leaves the others as they were."""
    return Random(f"{seed}:{purpose}")  # noqa: S311 - must be repeatable, guards nothing


def uuid_text(rng: Random) -> str:
    """A random UUID (version 4) as text, four times as fast as by way of `uuid.UUID`."""
    digits = f"{rng.getrandbits(128):032x}"
    variant = "89ab"[rng.getrandbits(2)]
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"
