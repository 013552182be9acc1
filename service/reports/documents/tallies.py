"""Counting and summing, in decimal dollars."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import TypeVar

from repositories.report_rows import ClaimRow
from repositories.vocabulary import ClaimState

Key = TypeVar("Key")

CENT = Decimal("0.01")
ZERO = Decimal("0.00")
PAID_STATES = frozenset({ClaimState.PAID, ClaimState.ADJUSTED})
DECIDED_STATES = PAID_STATES | {ClaimState.ASSESSED, ClaimState.REJECTED}
PENDING_STATES = frozenset({ClaimState.SUBMITTED, ClaimState.ASSESSED})


@dataclass(slots=True)
class Tally:
    """How many, and how much."""

    count: int = 0
    amount: Decimal = ZERO

    def add(self, amount: Decimal | None) -> None:
        self.count += 1
        self.amount += amount or ZERO

    def add_all(self, other: "Tally") -> None:
        self.count += other.count
        self.amount += other.amount

    @property
    def average(self) -> Decimal | None:
        """Rounded half away from zero; None over nothing."""
        return rounded(self.amount / self.count) if self.count else None


def is_paid(claim: ClaimRow) -> bool:
    return claim.state in PAID_STATES


def rounded(value: Decimal) -> Decimal:
    return value.quantize(CENT, ROUND_HALF_UP)


def percent(part: Decimal | int, whole: Decimal | int) -> Decimal | None:
    """`part` of `whole` in percent, with two decimals; None over nothing."""
    return rounded(Decimal(part) * 100 / Decimal(whole)) if whole else None


def total(tallies: Iterable[Tally]) -> Tally:
    result = Tally()
    for tally in tallies:
        result.add_all(tally)
    return result


def largest_first(tallies: Mapping[Key, Tally]) -> list[tuple[Key, Tally]]:
    """By amount, then count, both falling, then by key, so that the order is always the same."""
    return sorted(tallies.items(), key=lambda item: (-item[1].amount, -item[1].count, str(item[0])))
