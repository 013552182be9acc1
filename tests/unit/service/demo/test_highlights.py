"""Which cells are highlighted, and for how long."""

from service.demo.highlights import Highlights
from tests.unit.service.demo.samples import NOVEMBER, OCTOBER

PAID, REVENUE = (NOVEMBER, "claims paid"), (NOVEMBER, "revenue")


def test_the_first_texts_change_nothing() -> None:
    assert Highlights().note({PAID: "1"}, at=0) == frozenset()


def test_a_text_that_changes_is_highlighted_and_its_neighbour_is_not() -> None:
    highlights = Highlights()
    highlights.note({PAID: "1", REVENUE: "$5.00"}, at=0)
    assert highlights.note({PAID: "2", REVENUE: "$5.00"}, at=1) == {PAID}


def test_a_cell_that_is_new_is_highlighted() -> None:
    highlights = Highlights()
    highlights.note({PAID: "1"}, at=0)
    assert highlights.note({PAID: "1", (OCTOBER, "claims paid"): "3"}, at=1) == {
        (OCTOBER, "claims paid")
    }


def test_a_highlight_lasts_its_seconds() -> None:
    highlights = Highlights(seconds=1.5)
    highlights.note({PAID: "1"}, at=0)
    highlights.note({PAID: "2"}, at=1)
    assert highlights.note({PAID: "2"}, at=2.4) == {PAID}
    assert highlights.note({PAID: "2"}, at=2.5) == frozenset()


def test_another_change_begins_it_anew() -> None:
    highlights = Highlights(seconds=1.5)
    for at, text in enumerate(("1", "2", "3")):
        highlights.note({PAID: text}, at=at)
    assert highlights.note({PAID: "3"}, at=3) == {PAID}
