"""PostgreSQL: tables, vocabulary, metric definitions, and the transactions over them."""

from repositories.records import (
    InsertAnalyticsCache,
    InsertGeneratedReport,
    SelectAnalyticsCache,
    SelectGeneratedReport,
)

__all__ = [
    "InsertAnalyticsCache",
    "InsertGeneratedReport",
    "SelectAnalyticsCache",
    "SelectGeneratedReport",
]
