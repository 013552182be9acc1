"""The topic of report requests: each becomes a row, which a worker turns into a file.

What is impossible about a request that is understood is said in words for the person who asked. No
sentence shows anything of the request but the words of the closed lists.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import date
from functools import partial

from consumers.contracts.decode import decode_event
from consumers.contracts.envelope import CloudEvent
from consumers.contracts.fields import FIRST_YEAR, LAST_YEAR
from consumers.contracts.refusal import DeadLetter, Record
from consumers.contracts.registry import REPORT_REQUEST
from consumers.contracts.reports import JWE_MAX_LENGTH, JWE_PATTERN, ReportRequested
from consumers.engine.subscription import Judge, Outcome, one_topic
from consumers.telemetry.trace_context import context_of
from repositories.offsets import NextOffset
from repositories.operations.letters import NO_LETTERS, BatchLetters
from repositories.postgres.database import Database
from repositories.reports.catalogue import CATALOGUE, MAX_PERIOD_DAYS
from repositories.reports.requests import ReportRequest, record_requests
from repositories.vocabulary import ReportFormat


def decode_report_request(record: Record) -> ReportRequest | DeadLetter:
    """Pure, and raises nothing. What is impossible about a request is in its `problem`."""
    return decode_event(record, REPORT_REQUEST, partial(_request, record))


async def record_report_requests(
    database: Database,
    events: Sequence[ReportRequest],
    offsets: Sequence[NextOffset],
    _: Judge,
    letters: BatchLetters = NO_LETTERS,
) -> Outcome:
    """Record a batch of requests; one that is known counts as a duplicate."""
    recorded = await record_requests(database, events, offsets, letters)
    return Outcome(applied=recorded.created, duplicate=recorded.known, erased=recorded.erased)


REPORT_REQUESTS = one_topic(REPORT_REQUEST.topic, decode_report_request, record_report_requests)


def _request(record: Record, event: CloudEvent, data: ReportRequested) -> ReportRequest:
    problem = problem_of(data)
    password = data.archive_password
    has_period = CATALOGUE[data.report_type].has_period
    return ReportRequest(
        report_id=data.report_id,
        provider_id=data.provider_id,
        report_type=data.report_type,
        format=data.format,
        period_start=_kept(data.period_start) if has_period else None,
        period_end=_kept(data.period_end) if has_period else None,
        scheduled=data.scheduled is True,
        archive_password=password if isinstance(password, str) and not problem else None,
        requested_at=event.time,
        problem=problem,
        source_topic=record.topic,
        source_partition=record.partition,
        source_offset=record.offset,
        traceparent=context_of(record),
    )


def _kept(day: date | None) -> date | None:
    """Without years that PostgreSQL or a reader of the row might take for something else."""
    return day if day and _is_known_year(day) else None


def problem_of(request: ReportRequested) -> str | None:
    """All that is wrong with it; None if it can be done, as far as the request itself can tell.

    A period for a report that has none is no problem: the report covers everything all the same.
    """
    return " ".join(_problems(request)) or None


def _is_known_year(day: date) -> bool:
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
    elif not (_is_known_year(start) and _is_known_year(end)):
        yield f"The period must lie in the years {FIRST_YEAR} to {LAST_YEAR}."
    elif end < start:
        yield "The period must not end before it starts."
    elif (end - start).days > MAX_PERIOD_DAYS:
        yield f"The period must not be longer than {MAX_PERIOD_DAYS} days."


def _password_problems(report_format: ReportFormat, password: object) -> Iterator[str]:
    if report_format is not ReportFormat.ZIP:
        yield "Only a ZIP file can have a password (archive_password)."
    elif not (
        # By its form alone: whether it can be opened is found where the key is, by the worker.
        isinstance(password, str)
        and len(password) <= JWE_MAX_LENGTH
        and re.fullmatch(JWE_PATTERN, password)
    ):
        yield "The archive_password must be a compact JWE to the service's public key."
