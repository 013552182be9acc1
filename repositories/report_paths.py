"""The key under which an attempt's file is stored.

Each attempt has a key of its own, so a late worker can overwrite nothing.
"""

import re
from uuid import UUID

from repositories.vocabulary import ReportFormat

PREFIX = "reports/"
_KEY = re.compile(r"reports/[0-9a-f-]{36}/(?P<report>[0-9a-f-]{36})\.[0-9]+\.[a-z]+\.enc")


def file_path(provider_id: UUID, report_id: UUID, attempt: int, report_format: ReportFormat) -> str:
    """The key of the `attempt`th file, counted from 1."""
    return f"{PREFIX}{provider_id}/{report_id}.{attempt}.{report_format.lower()}.enc"


def report_of(path: str) -> UUID | None:
    """The report that a stored file belongs to; None if it is named like no report's file."""
    named = _KEY.fullmatch(path)
    try:
        return UUID(named["report"]) if named else None
    except ValueError:
        return None
