"""The first page, and that of topics and partitions: what there is to see of the whole fleet."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Query, Response

from repositories.errors import RepositoryError
from repositories.offset_samples import (
    Moment,
    TakenSample,
    history,
    partition_history,
    samples_before,
)
from repositories.operations.actions import RecordedAction, recorded_actions
from repositories.operations.job_runs import RecordedRun, recorded_runs
from repositories.reports.generated_reports import count_reports
from repositories.vocabulary import ReportStatus
from service.http.console import glance
from service.http.console.access import Refused
from service.http.console.fleet import Seen
from service.http.console.flow import Flow, Window, charts_of, flow, group_flows
from service.http.console.state import Console, Shared, Tallies, asking
from service.operations.doctor.findings import Finding, Level, wrong
from service.operations.doctor.work import LAG, LETTERS, STOPPED, look_at_what_waits
from service.operations.nightly import JOB
from service.operations.standing import Standing

overview = APIRouter(include_in_schema=False)

RATE_SECONDS = 40.0  # over which the rate of now is told, at least
WINDOWS = (1, 3, 12)  # hours
LATEST_ACTIONS = 4
PAGES = {  # where a person finds more about an area of findings
    **dict.fromkeys((LAG, glance.TOPICS, STOPPED, glance.KAFKA), "topics"),
    LETTERS: "letters",
    glance.REPORTS: "reports",
    glance.NIGHTS: "nights",
}
ORDER = {Level.WRONG: 0, Level.LOOK: 1, Level.FINE: 2}

Hours = Annotated[int, Query(alias="hours", ge=1, le=WINDOWS[-1])]


@dataclass(frozen=True)
class Known:
    """What the database says, for the first page; `fault`: why it says nothing."""

    findings: Sequence[Finding] = ()
    tallies: Tallies | None = None
    reports: Mapping[ReportStatus, int] = field(default_factory=dict)
    nights: Sequence[RecordedRun] = ()
    actions: Sequence[RecordedAction] = ()
    earlier: Mapping[str, TakenSample] = field(default_factory=dict)
    before: Mapping[str, TakenSample] = field(default_factory=dict)
    moments: Sequence[Moment] = ()
    fault: str | None = None


@overview.get("/")
async def first_page(console: Shared, hours: Hours = WINDOWS[0]) -> Response:
    seen, window, now = await console.fleet.seen(), Window(hours), datetime.now(UTC)
    known = await _known(console, seen, window)
    findings = _findings(console, seen, known)
    everything = seen.partitions
    return await console.answer(
        "overview.html",
        live=True,
        seen=seen,
        known=known,
        findings=findings,
        level=glance.worst(findings),
        pages=PAGES,
        all=flow("all", everything, known.before, seen.at, charts_of(known.moments, window, now)),
        groups=group_flows(seen, known.before, known.moments, window, now),
        in_work=glance.in_work(known.reports),
        windows=WINDOWS,
        hours=hours,
        tallies=known.tallies,
    )


@overview.get("/topics")
async def topics(console: Shared, hours: Hours = WINDOWS[0]) -> Response:
    seen, window, now = await console.fleet.seen(), Window(hours), datetime.now(UTC)
    async with asking():
        before = await samples_before(console.database, RATE_SECONDS)
        moments = await history(console.database, window.since, window.step)
    return await console.answer(
        "topics.html",
        live=True,
        seen=seen,
        groups=group_flows(seen, before, moments, window, now),
        windows=WINDOWS,
        hours=hours,
    )


@overview.get("/topics/{topic}")
async def topic_page(console: Shared, topic: str, hours: Hours = WINDOWS[0]) -> Response:
    if topic not in console.fleet.topics:
        raise Refused(404, "The service reads no topic of this name.")
    seen, window, now = await console.fleet.seen(), Window(hours), datetime.now(UTC)
    async with asking():
        before = await samples_before(console.database, RATE_SECONDS)
        moments = [
            moment
            for moment in await history(console.database, window.since, window.step)
            if moment.topic == topic
        ]
        by_partition = await partition_history(console.database, topic, window.since, window.step)
    partitions = [one for one in seen.partitions if one.topic == topic]
    rows: list[tuple[Standing, Flow]] = []
    for one in partitions:
        charted = charts_of(by_partition.get(one.partition, ()), window, now)
        rows.append((one, flow(str(one.partition), [one], before, seen.at, charted)))
    return await console.answer(
        "topic.html",
        live=True,
        seen=seen,
        topic=topic,
        group=console.fleet.topics[topic],
        all=flow(topic, partitions, before, seen.at, charts_of(moments, window, now)),
        rows=rows,
        windows=WINDOWS,
        hours=hours,
    )


async def _known(console: Console, seen: Seen, window: Window) -> Known:
    database = console.database
    try:
        async with asking():
            async with database.snapshot() as connection:
                reports = await count_reports(connection)
            return Known(
                await look_at_what_waits(
                    console.settings, database, glance.is_read(seen.groups, console.settings)
                ),
                await console.tallies(),
                reports,
                await recorded_runs(database, JOB, 1),
                await recorded_actions(database, limit=LATEST_ACTIONS),
                await samples_before(database, glance.LATE_SECONDS),
                await samples_before(database, RATE_SECONDS),
                await history(database, window.since, window.step),
            )
    except RepositoryError as error:
        return Known(fault=str(error))


def _findings(console: Console, seen: Seen, known: Known) -> Sequence[Finding]:
    settings = console.settings
    found = [*glance.of_kafka(settings, seen, known.earlier), *known.findings]
    if known.fault:  # Kafka was not looked at then either
        found = [wrong(glance.DATABASE, known.fault)]
    if known.tallies:
        found += glance.of_reports(known.tallies.failed_reports)
        found += glance.of_nights(settings, known.nights)
    return sorted(
        (finding for finding in found if finding.level is not Level.FINE),
        key=lambda finding: ORDER[finding.level],
    )
