"""A physician's figures as tables: each number in its place, all of it in 80 columns."""

from io import StringIO

import pytest
from rich.console import Console, RenderableType

from service.local.demo.figures import MonthFigures
from service.local.demo.open_claims import NOTHING_OPEN
from service.local.demo.tables import (
    coaching_table,
    months_table,
    open_table,
    rejections_table,
    rules_line,
)
from tests.unit.service.local.demo.samples import NOVEMBER, NOVEMBER_FIGURES, OCTOBER_FIGURES, OPEN

MONTHS = [OCTOBER_FIGURES, NOVEMBER_FIGURES]


def printed(renderable: RenderableType) -> str:
    console = Console(record=True, width=80, file=StringIO())
    console.print(renderable)
    return console.export_text()


def row(start: str, renderable: RenderableType) -> str:
    """The line that begins so, its columns apart by one blank."""
    lines = (" ".join(line.split()) for line in printed(renderable).splitlines())
    return next(line for line in lines if line.startswith(start))


@pytest.mark.parametrize(
    ("table", "numbers"),
    [
        (months_table(MONTHS), "88 12 $1,812.50 $151.04 $5,010.00 12.25"),
        (rejections_table(MONTHS), "3 of 15 20.00 % 39B 2, 05 1 4 of 5 3 1"),
        (coaching_table(MONTHS), "9 4 1 80.00 % $61.20"),
    ],
)
def test_every_month_has_a_row_that_fits(table: RenderableType, numbers: str) -> None:
    assert row("Nov 2025", table) == f"Nov 2025 {numbers}"
    assert "Oct 2025" in printed(table)


def test_what_is_open_is_counted_and_summed_up() -> None:
    assert row("claims", open_table(OPEN)) == "claims 48 12 3 1 2 4"
    assert row("fees", open_table(OPEN)) == ("fees $3,100.00 $800.50 $120.00 $40.02 $90.00 $0.00")


def test_the_rule_that_was_followed_most_and_the_silenced_are_named() -> None:
    assert rules_line(MONTHS) == (
        "Most accepted in November: Age modifier is missing ($40.10)."
        " Silenced: Two visits on one day."
    )


def test_a_physician_without_any_of_it_has_empty_tables() -> None:
    empty = [MonthFigures(NOVEMBER)]
    assert row("Nov 2025", rejections_table(empty)) == "Nov 2025 0 of 0 0.00 % 0 of 0 0 0"
    assert row("claims", open_table(NOTHING_OPEN)) == "claims 0 0 0 0 0 0"
    assert rules_line(empty) == ""
