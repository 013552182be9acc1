"""`metadata` with every table in it, for whoever needs all of them."""

from repositories.operations import tables as operations
from repositories.reports import tables as reports
from repositories.tables import metadata

__all__ = ["metadata", "operations", "reports"]
