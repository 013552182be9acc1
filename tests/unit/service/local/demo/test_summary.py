"""When a play came out right, and what is said about it."""

from collections import Counter
from dataclasses import replace
from datetime import date
from io import StringIO
from typing import Any
from uuid import uuid4

import pytest
from rich.console import Console, RenderableType

from consumers.contracts.refusal import DeadLetterReason
from consumers.engine.subscription import Progress
from repositories.claims.verification import Verification
from repositories.vocabulary import MetricKey, ReportStatus
from service.local.demo.figures import Dashboard
from service.local.demo.play import choose_physician
from service.local.demo.summary import (
    Outcome,
    comparison_table,
    comparisons,
    disorder_line,
    keys_line,
    reports_table,
    verdict,
)
from service.local.simulator import Tally
from service.local.simulator.providers import make_providers
from tests.unit.service.local.demo.samples import NOVEMBER_FIGURES, OCTOBER_FIGURES, OPEN, report

CLEAN = Verification(events=30, claims=20, cache_rows=99, wrong_claims=[], wrong_rows=[])
PROVIDERS = make_providers(1, 20)


def tally(submitted: int = 20, paid: int = 10, coached: int = 6, **others: Any) -> Tally:
    events = Counter({"claim-submitted": submitted, "claim-paid": paid, "ai-suggestion": coached})
    return Tally(**{"by_topic": events, "claims": 20, "duplicates": 4, **others})


def outcome() -> Outcome:
    """A play in which everything agrees."""
    claims = Progress(messages=34, applied=28, stale=2, duplicate=3)
    claims.dead_letters[DeadLetterReason.NOT_JSON] = 1
    return Outcome(
        tally=tally(garbage=Counter({"not-json": 1}), late=4),
        progress={
            "claims": claims,
            "ai-suggestion": Progress(messages=7, applied=6, duplicate=1),
            "provider-updated": Progress(messages=5, applied=5),
            "report-request": Progress(messages=2, applied=2),
        },
        verification=CLEAN,
        physician=PROVIDERS[0],
        dashboard=Dashboard([OCTOBER_FIGURES, NOVEMBER_FIGURES], OPEN),
        today=date(2025, 12, 1),
        live_keys=set(MetricKey),
        profiles=5,
        requested=2,
        reports=[report(2), report(1)],
    )


def printed(renderable: RenderableType) -> str:
    console = Console(record=True, width=80, file=StringIO())
    console.print(renderable)
    return console.export_text()


def test_when_everything_agrees_it_came_out_right() -> None:
    assert outcome().right
    assert str(verdict(outcome())) == "Verify is clean and every count agrees."


def test_every_message_of_the_upstream_is_accounted_for() -> None:
    pairs = {row.what: (row.published, row.found) for row in comparisons(outcome())}
    assert pairs == {
        "messages": (41, 41),
        "claim events": (30, 30),
        "events in the history": (30, 30),
        "claims": (20, 20),
        "events of the AI coach": (6, 6),
        "duplicates": (4, 4),
        "dead letters, not-json": (1, 1),
        "physicians' profiles": (5, 5),
        "report requests": (2, 2),
        "reports that are ready": (2, 2),
    }


@pytest.mark.parametrize(
    ("published", "what"),
    [
        (tally(submitted=21), "claim events"),
        (tally(paid=11), "claim events"),
        (tally(claims=21), "claims"),
        (tally(coached=7), "events of the AI coach"),
        (tally(duplicates=2), "duplicates"),
    ],
)
def test_a_count_that_differs_is_named(published: Tally, what: str) -> None:
    published.garbage["not-json"] = 1
    wrong = replace(outcome(), tally=published)
    assert not wrong.right
    assert f"{what} " in "".join(
        line for line in printed(comparison_table(wrong)).splitlines() if "DIFFERS" in line
    )
    assert "counts above differ" in str(verdict(wrong))


def test_a_dead_letter_that_nobody_published_differs() -> None:
    wrong = outcome()
    wrong.progress["claims"].dead_letters[DeadLetterReason.VERSION_CONFLICT] = 1
    assert not wrong.right
    assert "dead letters, version-conflict" in printed(comparison_table(wrong))


def test_a_report_that_failed_is_not_right() -> None:
    failed = report(2, status=ReportStatus.FAILED, file_size_bytes=0)
    wrong = replace(outcome(), reports=[failed, report(1)])
    assert not wrong.right
    assert "failed" in printed(reports_table(wrong.reports))


def test_a_report_that_never_came_is_not_right() -> None:
    assert not replace(outcome(), reports=[report(1)]).right


def test_of_the_reports_the_oldest_is_listed_first() -> None:
    table = printed(reports_table([report(2, file_size_bytes=999), report(1)]))
    first, second = [line.split() for line in table.splitlines() if "summary" in line]
    assert " ".join(first) == "accountant summary PDF 2025-10-01 to 2025-11-30 ready 46 kB"
    assert second[-2:] == ["1", "kB"]


def test_a_verification_that_is_not_clean_is_said_first() -> None:
    unclean = replace(CLEAN, wrong_claims=[uuid4()])
    wrong = replace(outcome(), verification=unclean)
    assert not wrong.right
    assert "the figures are not right" in str(verdict(wrong))


def test_disorder_is_counted_from_both_sides() -> None:
    line = disorder_line(outcome())
    assert "4 long after their time" in line
    assert "2 were stale" in line


def test_metrics_without_rows_are_named() -> None:
    assert keys_line(outcome()) == "34 of 34 metric keys are live."
    live = set(MetricKey) - {MetricKey.EXPIRED_CLAIMS}
    line = keys_line(replace(outcome(), live_keys=live))
    assert line.startswith("33 of 34 metric keys are live")
    assert "expired_claims" in line


def test_the_physician_has_several_arrangements_and_locations() -> None:
    chosen = choose_physician(PROVIDERS)
    assert min(len(chosen.ba_numbers), len(chosen.locations)) > 1


def test_without_such_a_physician_the_first_is_taken() -> None:
    simple = [p for p in PROVIDERS if len(p.ba_numbers) == 1]
    assert choose_physician(simple) is simple[0]
