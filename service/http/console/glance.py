"""Is everything right, how far behind is it, and what needs a person: what the first page says."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from consumers.topics.claims import CLAIMS
from repositories.offset_samples import TakenSample
from repositories.operations.job_runs import RecordedRun
from repositories.vocabulary import ReportStatus
from service.http.console.fleet import Seen
from service.operations.doctor.findings import Finding, Level, look, wrong
from service.operations.doctor.work import LAG
from service.operations.nights import Nights
from service.operations.standing import GroupStanding, Standing
from service.parts import EVERY_SUBSCRIPTION
from service.settings import Settings

KAFKA, DATABASE, REPORTS, NIGHTS, TOPICS = (
    "Kafka",
    "PostgreSQL",
    "reports",
    "nightly run",
    "topics",
)
LATE_SECONDS = 300.0
OVERDUE = timedelta(hours=2)  # of a nightly run that should have ended
START_ONE = "Start `claim-analytics run`."


@dataclass(frozen=True)
class Behind:
    """Messages that wait, and how far behind the furthest partition is (None: not known)."""

    messages: int
    seconds: float | None


def behind(partitions: Collection[Standing]) -> Behind:
    known = [one.lag_seconds for one in partitions if one.lag_seconds is not None]
    return Behind(sum(one.lag for one in partitions), max(known, default=None))


def is_read(groups: Sequence[GroupStanding], settings: Settings) -> bool | None:
    """Whether an instance follows the claims; None if Kafka did not say."""
    claims = settings.group(CLAIMS.name)
    members = [len(group.state.members) for group in groups if group.group == claims]
    return members[0] > 0 if members else None


def of_kafka(
    settings: Settings, seen: Seen, earlier: Mapping[str, TakenSample]
) -> Iterator[Finding]:
    """`earlier`: where partitions stood five minutes ago."""
    if seen.fault:
        yield wrong(KAFKA, seen.fault)
    optional = {settings.group(one.name) for one in EVERY_SUBSCRIPTION if one.optional}
    for group in seen.groups:
        if group.missing and group.group not in optional:
            listed = ", ".join(group.missing)
            yield wrong(
                TOPICS, f"Not there, or not permitted: {listed}. See `claim-analytics topics`."
            )
        if group.partitions:
            yield from _of_group(group, earlier, optional=group.group in optional)


def _of_group(
    group: GroupStanding, earlier: Mapping[str, TakenSample], *, optional: bool
) -> Iterator[Finding]:
    waiting = [one for one in group.partitions if not one.pause and not one.stop]
    late = {one: _late(one, earlier) for one in waiting}
    messages, members = sum(late.values()), len(group.state.members)
    if messages:
        where = [f"{one.topic} {one.partition}" for one, some in late.items() if some]
        more = f" and {len(where) - 3} more" if len(where) > 3 else ""
        todo = "Start more instances, or look at their logs." if members else START_ONE
        yield wrong(
            LAG,
            f"{messages:,} messages wait for longer than five minutes, in"
            f" {', '.join(where[:3])}{more}. {todo}",
        )
    elif not members:
        lag = sum(one.lag for one in group.partitions)
        said = f"No instance reads as {group.group}, and {lag:,} messages wait. {START_ONE}"
        if lag or not optional:
            yield wrong(LAG, said) if lag else look(LAG, said)


def _late(one: Standing, earlier: Mapping[str, TakenSample]) -> int:
    """Messages that were there five minutes ago and still wait."""
    then = earlier.get(one.topic)
    if then is None or one.partition >= len(then.sample.end_offsets):
        return 0
    start, end = one.end - one.lag, then.sample.end_offsets[one.partition]
    return max(0, min(end, one.end) - start)


def of_reports(failed: int) -> Iterator[Finding]:
    if failed:
        some = "report has" if failed == 1 else "reports have"
        yield look(REPORTS, f"{failed:,} {some} failed within seven days.")


def of_nights(settings: Settings, runs: Sequence[RecordedRun]) -> Iterator[Finding]:
    nights, now = Nights.parse(settings.nightly_at, settings.nightly_zone), datetime.now(UTC)
    last = runs[0] if runs else None
    if nights and last:
        due = nights.last_due(now)
        ended = last.night >= due and last.ended_at is not None
        if not ended and not last.held and now - nights.begins(due) > OVERDUE:
            yield wrong(NIGHTS, f"The run of {due} has not ended. {START_ONE}")
    if last and (repaired := last.counts.get("repaired_rows")):
        yield look(
            NIGHTS,
            f"The run of {last.night} repaired {repaired:,} rows of analytics_cache that were"
            " wrong. It should find none: look at the table repaired_rows.",
        )


def worst(findings: Sequence[Finding]) -> Level:
    levels = {finding.level for finding in findings}
    return next((level for level in (Level.WRONG, Level.LOOK) if level in levels), Level.FINE)


def in_work(reports: Mapping[ReportStatus, int]) -> int:
    return reports.get(ReportStatus.PENDING, 0) + reports.get(ReportStatus.GENERATING, 0)
