"""What the tables must hold, from the specification alone, in plain Python.

Nothing of the project is imported here, so that a mistake there cannot hide here. It is written
to be read beside the specification, not to be fast.
"""

from tests.oracle.cache import CacheKey, Value, cache_key, without_zero_rows
from tests.oracle.claims import PlainEvent, current_claims
from tests.oracle.metrics import cache_rows
from tests.oracle.rules import broken_rules
from tests.oracle.suggestions import suggestions
from tests.oracle.tables import Tables, tables

__all__ = [
    "CacheKey",
    "PlainEvent",
    "Tables",
    "Value",
    "broken_rules",
    "cache_key",
    "cache_rows",
    "current_claims",
    "suggestions",
    "tables",
    "without_zero_rows",
]
