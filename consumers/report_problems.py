"""What is impossible about a request that is understood, in words for the person who asked.

No sentence shows anything of the request but the words of the closed lists.
"""

import re
from collections.abc import Iterator
from datetime import date

from consumers.contracts.report_fields import JWE_MAX_LENGTH, JWE_PATTERN
from consumers.contracts.report_requested import ReportRequested
from consumers.contracts.rfc3339 import FIRST_YEAR, LAST_YEAR
from repositories.report_catalogue import CATALOGUE, MAX_PERIOD_DAYS
from repositories.vocabulary import ReportFormat

_JWE = re.compile(JWE_PATTERN)


def problem_of(request: ReportRequested) -> str | None:
    """All that is wrong with it; None if it can be done, as far as the request itself can tell.

    A period for a report that has none is no problem: the report covers everything all the same.
    """
    return " ".join(_problems(request)) or None


def is_known_year(day: date) -> bool:
    return FIRST_YEAR <= day.year <= LAST_YEAR


def _problems(request: ReportRequested) -> Iterator[str]:
    offer = CATALOGUE[request.report_type]
    if request.format not in offer.formats:
        formats = " or ".join(offer.formats)
        yield f"{request.report_type} reports come as {formats}, not as {request.format}."
    if offer.has_period:
        yield from _period_problems(request.period_start, request.period_end)
    if not isinstance(request.scheduled, bool):
        yield "The field scheduled must be true or false."
    if request.archive_password is not None:
        yield from _password_problems(request.format, request.archive_password)


def _period_problems(start: date | None, end: date | None) -> Iterator[str]:
    if start is None or end is None:
        yield "The period must have a first and a last day (period_start and period_end)."
    elif not (is_known_year(start) and is_known_year(end)):
        yield f"The period must lie in the years {FIRST_YEAR} to {LAST_YEAR}."
    elif end < start:
        yield "The period must not end before it starts."
    elif (end - start).days > MAX_PERIOD_DAYS:
        yield f"The period must not be longer than {MAX_PERIOD_DAYS} days."


def _password_problems(report_format: ReportFormat, password: object) -> Iterator[str]:
    if report_format is not ReportFormat.ZIP:
        yield "Only a ZIP file can have a password (archive_password)."
    elif not _is_jwe(password):
        yield "The archive_password must be a compact JWE to the service's public key."


def _is_jwe(value: object) -> bool:
    """By its form alone: whether it can be opened is found where the key is, by the worker."""
    return isinstance(value, str) and len(value) <= JWE_MAX_LENGTH and bool(_JWE.fullmatch(value))
