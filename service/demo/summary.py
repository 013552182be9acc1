"""What came of a play: what was published beside what was done, and a physician's months."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from rich import box
from rich.table import Table
from rich.text import Text

from consumers.claims import CLAIM_SUBSCRIPTIONS
from consumers.progress import Progress
from consumers.providers import PROVIDER_UPDATES
from consumers.report_requests import REPORT_REQUESTS
from repositories.records import SelectGeneratedReport
from repositories.verification import Verification
from repositories.vocabulary import ReportStatus
from service.demo.figures import MonthFigures
from service.demo.grid import money
from service.demo.sample import Counts
from service.simulator import SimulatedProvider, Tally


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
    """A play that was drained and verified. `progress` is by topic, `months` the physician's.

    `profiles` and `requested` are what was published of profiles and of requests for reports;
    `reports` what became of the latter.
    """

    tally: Tally
    progress: Mapping[str, Progress]
    verification: Verification
    physician: SimulatedProvider
    months: Sequence[MonthFigures]
    profiles: int
    requested: int
    reports: Sequence[SelectGeneratedReport]

    @property
    def counts(self) -> Counts:
        """Of claim events."""
        return Counts.of(self.progress[s.name] for s in CLAIM_SUBSCRIPTIONS)

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
    published = {"claim-submitted": tally.submitted, "claim-paid": tally.paid}
    reasons = sorted({*tally.garbage, *counts.dead_letters})
    return [
        Comparison("claim messages", tally.messages, counts.messages),
        *(
            Comparison(f"{topic} events", number, _accepted(outcome.progress[topic]))
            for topic, number in published.items()
        ),
        Comparison("events in the history", tally.events, found.events),
        Comparison("claims", tally.claims, found.claims),
        Comparison("duplicates", tally.duplicates, counts.duplicate),
        *(
            Comparison(
                f"dead letters, {reason}", tally.garbage[reason], counts.dead_letters.get(reason, 0)
            )
            for reason in reasons
        ),
        *_report_comparisons(outcome),
    ]


def _report_comparisons(outcome: Outcome) -> list[Comparison]:
    profiles, requests = (
        outcome.progress[PROVIDER_UPDATES.name],
        outcome.progress[REPORT_REQUESTS.name],
    )
    return [
        Comparison("physicians' profiles", outcome.profiles, profiles.applied),
        Comparison("report requests", outcome.requested, requests.applied),
        Comparison("reports that are ready", outcome.requested, outcome.ready),
    ]


def _accepted(progress: Progress) -> int:
    return progress.applied + progress.stale


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


def months_table(months: Sequence[MonthFigures]) -> Table:
    table = Table(box=box.SIMPLE)
    table.add_column("month of service")
    for name in ("submitted", "paid", "revenue", "average fee", "pending", "days to pay"):
        table.add_column(name, justify="right")
    for m in months:
        table.add_row(
            f"{m.month:%b %Y}",
            f"{m.submitted:,}",
            f"{m.paid:,}",
            money(m.revenue),
            money(m.average_fee),
            money(m.pending_amount),
            f"{m.days_to_payment}",
        )
    return table


def verdict(outcome: Outcome) -> Text:
    if outcome.right:
        return Text("Verify is clean and every count agrees.", "bold green")
    if outcome.verification.clean:
        return Text("Verify is clean, but the counts above differ.", "bold red")
    return Text("Verify found differences: the figures are not right.", "bold red")
