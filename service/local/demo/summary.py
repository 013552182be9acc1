"""What came of a demo: what was published beside what was done, and a physician's months."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from rich import box
from rich.table import Table
from rich.text import Text

from consumers.engine.subscription import Progress
from consumers.topics.claims import CLAIMS
from consumers.topics.suggestions import AI_SUGGESTIONS
from repositories.claims.verification import Verification
from repositories.vocabulary import MetricKey, ReportStatus
from service.local.demo.figures import Dashboard
from service.local.demo.reports import COLOURS, Reports, period_text, size_text, type_name
from service.local.demo.sample import Counts
from service.local.simulator import SimulatedProvider, Tally


class Comparison(NamedTuple):
    """One thing that the upstream and the service have both counted."""

    what: str
    published: int
    found: int

    @property
    def agrees(self) -> bool:
        return self.published == self.found


@dataclass(frozen=True)
class Outcome:
    """A demo that was drained and verified.

    `progress` is by subscription, `dashboard` the physician's on the day `today`. `live_keys` are
    the metrics that have rows.
    `profiles` and `requested` are what was published of profiles and of requests for reports;
    `reports` what became of the latter.
    """

    tally: Tally
    progress: Mapping[str, Progress]
    verification: Verification
    physician: SimulatedProvider
    dashboard: Dashboard
    today: date
    live_keys: Collection[MetricKey]
    profiles: int
    requested: int
    reports: Reports

    @property
    def counts(self) -> Counts:
        """Of claim events, and the coach's."""
        return Counts.of(self.progress[CLAIMS.name], self.progress[AI_SUGGESTIONS.name])

    @property
    def ready(self) -> int:
        return sum(report.status is ReportStatus.READY for report in self.reports)

    @property
    def right(self) -> bool:
        """Whether the recomputation is clean and every count agrees."""
        return self.verification.clean and all(row.agrees for row in comparisons(self))


def comparisons(outcome: Outcome) -> list[Comparison]:
    """Each count of the upstream beside the service's own, made without knowing the other."""
    tally, counts, found = outcome.tally, outcome.counts, outcome.verification
    progress = outcome.progress
    claims, coach = progress[CLAIMS.name], progress[AI_SUGGESTIONS.name]
    reasons = sorted({*tally.garbage, *counts.dead_letters})
    return [
        Comparison("messages", tally.messages, counts.messages),
        Comparison("claim events", tally.events, claims.applied + claims.stale),
        Comparison("events in the history", tally.events, found.events),
        Comparison("claims", tally.claims, found.claims),
        Comparison("events of the AI coach", tally.suggestions, coach.applied),
        Comparison("duplicates", tally.duplicates, counts.duplicate),
        *(
            Comparison(
                f"dead letters, {reason}", tally.garbage[reason], counts.dead_letters.get(reason, 0)
            )
            for reason in reasons
        ),
        Comparison("physicians' profiles", outcome.profiles, progress["provider-updated"].applied),
        Comparison("report requests", outcome.requested, progress["report-request"].applied),
        Comparison("reports that are ready", outcome.requested, outcome.ready),
    ]


def comparison_table(outcome: Outcome) -> Table:
    table = Table(box=box.SIMPLE)
    table.add_column("")
    table.add_column("published", justify="right")
    table.add_column("by the service", justify="right")
    table.add_column("")
    for row in comparisons(outcome):
        verdict = Text("agrees", "green") if row.agrees else Text("DIFFERS", "bold red")
        table.add_row(row.what, f"{row.published:,}", f"{row.found:,}", verdict)
    return table


def disorder_line(outcome: Outcome) -> str:
    """What the upstream got wrong on purpose, beside copies and garbage."""
    tally = outcome.tally
    return (
        f"Out of order among them: {tally.late:,} long after their time, {tally.shuffled:,} a"
        f" little after their neighbours, {tally.paid_first:,} submitted only after they were"
        f" paid. {outcome.counts.stale:,} were stale: the service reads the topics side by"
        " side, so it may read a payment before its submission."
    )


def keys_line(outcome: Outcome) -> str:
    """How many of the metrics have rows, and which have none."""
    missing = sorted(set(MetricKey) - set(outcome.live_keys))
    without = f"; nothing has made a row of {', '.join(missing)} yet" if missing else ""
    return f"{len(outcome.live_keys)} of {len(MetricKey)} metric keys are live{without}."


def reports_table(reports: Reports) -> Table:
    """The oldest first; `reports` are the newest first."""
    table = Table(box=box.SIMPLE)
    for name in ("report", "format", "days of service", "status"):
        table.add_column(name)
    table.add_column("size", justify="right")
    for report in reversed(reports):
        table.add_row(
            type_name(report.report_type),
            report.format,
            period_text(report),
            Text(report.status, style=COLOURS.get(report.status, "")),
            size_text(report.file_size_bytes) if report.file_size_bytes else "",
        )
    return table


def verdict(outcome: Outcome) -> Text:
    if outcome.right:
        return Text("Verify is clean and every count agrees.", "bold green")
    if outcome.verification.clean:
        return Text("Verify is clean, but the counts above differ.", "bold red")
    return Text("Verify found differences: the figures are not right.", "bold red")
