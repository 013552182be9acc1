"""`docs/metrics.md` says of every key what the code holds of it."""

from collections.abc import Iterable

import pytest

from repositories.metrics.definitions import METRICS, Metric
from repositories.metrics.lists import LISTS, ListMetric
from repositories.vocabulary import MetricKey
from tests.unit.project_files import project_files

HEAD = "| key | counts | period | rows | value | how to read it |"
PERIODS = {
    ("claims", "date_of_service", False): "month of service",
    ("claims", "date_of_service", True): "day of service",
    ("claims", "submission_deadline", True): "day of the deadline",
    ("claims", "created_day", True): "day of creation",
    ("ai_suggestions", "created_day", False): "month of the event",
}


def table() -> dict[str, list[str]]:
    """The cells of the page's table, by key."""
    after = project_files()["docs/metrics.md"].partition(f"{HEAD}\n")[2]
    lines = after.partition("\n\n")[0].splitlines()[1:]
    rows = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]
    return {key.strip("`"): cells for key, *cells in rows}


def test_the_table_has_a_row_for_every_key_and_no_other() -> None:
    assert list(table()) == list(MetricKey)


def test_every_row_says_what_is_counted() -> None:
    assert all(len(cells) == 5 and cells[0] for cells in table().values())


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.key)
def test_of_a_sum_it_has_the_period_the_rows_and_the_fields(metric: Metric) -> None:
    source, shape = metric.source, metric.shape
    quotient = [shape.quotient.field] if shape.quotient else []
    assert table()[metric.key][1:4] == [
        PERIODS[source.table.name, source.day, source.by_day],
        ", ".join(f"`{level}`" if level else "total" for level in metric.by),
        _quoted([*shape.sums, *quotient]),
    ]


@pytest.mark.parametrize("metric", LISTS, ids=lambda metric: metric.key)
def test_of_a_list_it_has_the_rows_and_the_field(metric: ListMetric) -> None:
    assert table()[metric.key][2:4] == ["total", _quoted([metric.field])]


def _quoted(words: Iterable[str]) -> str:
    return ", ".join(f"`{word}`" for word in words)
