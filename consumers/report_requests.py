"""The topic of report requests: each becomes a row, which a worker turns into a file."""

from collections.abc import Sequence
from datetime import date

from consumers.cloudevents import CloudEvent
from consumers.contracts.registry import REPORT_REQUEST
from consumers.contracts.report_requested import ReportRequested
from consumers.dead_letters import DeadLetter, Record, RefusedError
from consumers.decode import read_event
from consumers.handler import Outcome, Subscription
from consumers.report_problems import is_known_year, problem_of
from repositories.consumer_offsets import NextOffset
from repositories.database import Database
from repositories.report_catalogue import CATALOGUE
from repositories.report_requests import ReportRequest, record_requests


def decode_report_request(record: Record) -> ReportRequest | DeadLetter:
    """Pure, and raises nothing. What is impossible about a request is in its `problem`."""
    try:
        event, data = read_event(record, REPORT_REQUEST)
    except RefusedError as refusal:
        return DeadLetter(refusal.reason, refusal.detail, record)
    return _request(record, event, data)


async def record_report_requests(
    database: Database, events: Sequence[ReportRequest], offsets: Sequence[NextOffset]
) -> Outcome:
    """Record a batch of requests; one that is known counts as a duplicate."""
    recorded = await record_requests(database, events, offsets)
    return Outcome(applied=recorded.created, duplicate=recorded.known)


REPORT_REQUESTS = Subscription(REPORT_REQUEST.topic, decode_report_request, record_report_requests)


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
    )


def _kept(day: date | None) -> date | None:
    """Without years that PostgreSQL or a reader of the row might take for something else."""
    return day if day and is_known_year(day) else None
