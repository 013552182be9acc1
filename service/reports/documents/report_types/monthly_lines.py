"""MONTHLY_PERFORMANCE as CSV: a line per figure of `analytics_cache`, lists entry by entry."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from repositories.vocabulary import Dimension, MetricKey
from service.reports.documents.csv_file import CsvRow, CsvTable
from service.reports.documents.figures import CachedFigures, Dimensioned

CSV_HEADER = ("month", "metric_key", "dimension", "dimension_value", "measure", "value")
# The fields that are lists, and which member of an entry says what it is about.
LISTED_BY = {"codes": Dimension.HSC_CODE, "rules": "rule_id"}


def figure_lines(
    figures: CachedFigures, months: Sequence[date], unfilled: Collection[MetricKey]
) -> CsvTable:
    """The months in this order; metrics that are not filled yet are left out."""
    lines = [
        line
        for month in months
        for key, of, value in figures.rows_of(month)
        if key not in unfilled
        for line in _lines(month, key, of, value)
    ]
    return CsvTable(CSV_HEADER, lines)


def _lines(
    month: date, key: MetricKey, of: Dimensioned, value: Mapping[str, Any]
) -> Iterator[CsvRow]:
    dimension, named = of or (None, None)
    for measure, figure in value.items():
        if measure in LISTED_BY:
            for entry in figure:
                yield from _entry_lines(month, key, LISTED_BY[measure], entry)
        else:
            yield [month, key, dimension, named, measure, figure]


def _entry_lines(
    month: date, key: MetricKey, listed_by: str, entry: Mapping[str, Any]
) -> Iterator[CsvRow]:
    for measure, figure in entry.items():
        if measure != listed_by:
            yield [month, key, listed_by, entry[listed_by], measure, figure]
