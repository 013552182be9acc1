"""The health service codes that have a base fee, from Alberta's Schedule of Medical Benefits."""

import csv
from decimal import Decimal
from importlib import resources
from typing import NamedTuple

CENT = Decimal("0.01")


class FeeCode(NamedTuple):
    """One code of the schedule; the fee is in dollars."""

    hsc_code: str
    base_fee: Decimal
    category: str


def load_fee_codes() -> list[FeeCode]:
    """Every code of the schedule, in the file's order, as spelled there (inner blanks too)."""
    text = resources.files("service.simulator").joinpath("hsc_fees.csv").read_text("utf-8")
    return [
        FeeCode(row["hsc_code"], Decimal(row["base_fee"]), row["category"])
        for row in csv.DictReader(text.splitlines())
    ]
