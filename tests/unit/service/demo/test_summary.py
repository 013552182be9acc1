"""When a play came out right, and what is said about it."""

from collections import Counter
from dataclasses import replace
from io import StringIO
from uuid import uuid4

import pytest
from rich.console import Console, RenderableType

from consumers.dead_letters import DeadLetterReason
from consumers.progress import Progress
from repositories.verification import Verification
from repositories.vocabulary import ReportStatus
from service.demo.play import choose_physician
from service.demo.report_texts import reports_table
from service.demo.summary import (
    Outcome,
    comparison_table,
    comparisons,
    disorder_line,
    months_table,
    verdict,
)
from service.simulator import Tally
from service.simulator.providers import make_providers
from tests.unit.service.demo.samples import NOVEMBER_FIGURES, OCTOBER_FIGURES, report

CLEAN = Verification(events=30, claims=20, cache_rows=99, wrong_claims=[], wrong_rows=[])
PROVIDERS = make_providers(1, 20)


def outcome() -> Outcome:
    """A play in which everything agrees."""
    submitted = Progress(messages=22, applied=18, stale=2, duplicate=1)
    submitted.dead_letters[DeadLetterReason.NOT_JSON] = 1
    return Outcome(
        tally=Tally(
            submitted=20, paid=10, claims=20, duplicates=3, garbage=Counter({"not-json": 1}), late=4
        ),
        progress={
            "claim-submitted": submitted,
            "claim-paid": Progress(messages=12, applied=10, duplicate=2),
            "provider-updated": Progress(messages=5, applied=5),
            "report-request": Progress(messages=2, applied=2),
        },
        verification=CLEAN,
        physician=PROVIDERS[0],
        months=[OCTOBER_FIGURES, NOVEMBER_FIGURES],
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
        "claim messages": (34, 34),
        "claim-submitted events": (20, 20),
        "claim-paid events": (10, 10),
        "events in the history": (30, 30),
        "claims": (20, 20),
        "duplicates": (3, 3),
        "dead letters, not-json": (1, 1),
        "physicians' profiles": (5, 5),
        "report requests": (2, 2),
        "reports that are ready": (2, 2),
    }


@pytest.mark.parametrize(
    ("tally", "what"),
    [
        (Tally(submitted=21, paid=10, claims=20, duplicates=3), "claim-submitted events"),
        (Tally(submitted=20, paid=11, claims=20, duplicates=3), "claim-paid events"),
        (Tally(submitted=20, paid=10, claims=21, duplicates=3), "claims"),
        (Tally(submitted=20, paid=10, claims=20, duplicates=2), "duplicates"),
    ],
)
def test_a_count_that_differs_is_named(tally: Tally, what: str) -> None:
    tally.garbage["not-json"] = 1
    wrong = replace(outcome(), tally=tally)
    assert not wrong.right
    assert f"{what} " in "".join(
        line for line in printed(comparison_table(wrong)).splitlines() if "DIFFERS" in line
    )
    assert "counts above differ" in str(verdict(wrong))


def test_a_dead_letter_that_nobody_published_differs() -> None:
    wrong = outcome()
    wrong.progress["claim-paid"].dead_letters[DeadLetterReason.VERSION_CONFLICT] = 1
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


def test_every_month_has_a_row_that_fits() -> None:
    table = printed(months_table(outcome().months))
    november = next(line for line in table.splitlines() if "Nov 2025" in line)
    assert november.split() == [
        *("Nov", "2025", "88", "12", "$1,812.50", "$151.04", "$5,010.00", "12.25")
    ]
    assert "Oct 2025" in table


def test_the_physician_has_several_arrangements_and_locations() -> None:
    chosen = choose_physician(PROVIDERS)
    assert min(len(chosen.ba_numbers), len(chosen.locations)) > 1


def test_without_such_a_physician_the_first_is_taken() -> None:
    simple = [p for p in PROVIDERS if len(p.ba_numbers) == 1]
    assert choose_physician(simple) is simple[0]
