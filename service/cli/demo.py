"""`claim-analytics demo`: see the service work, without any set-up."""

import textwrap
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from consumers.engine.errors import ConsumerError
from repositories.errors import RepositoryError
from service.cli.common import Exit, fail
from service.cli.verify import show as show_verification
from service.drain import DrainFailed
from service.kafka import KafkaFailed
from service.local.demo import summary, tables
from service.local.demo.displays import display_for, is_live
from service.local.demo.environment import logged_to
from service.local.demo.play import Plan, play
from service.local.demo.reports import KeepFailed
from service.local.demo.summary import Outcome
from service.local.stack import Stack, StackError
from service.reports.files.file_errors import ReportFileError
from service.signals import Interruption

LATEST_MONTHS = 6  # of which rejections and the coach are shown
FAILURES = (
    *(StackError, KafkaFailed, RepositoryError, ConsumerError, DrainFailed),
    *(ReportFileError, KeepFailed),
)


def demo(
    events: Annotated[
        int, typer.Option(min=1, help="Messages of history to play, copies and garbage included.")
    ] = 20_000,
    once: Annotated[
        bool,
        typer.Option(
            "--once",
            help="Stop after the history: wait until all is consumed, verify, print the figures.",
        ),
    ] = False,
    rate: Annotated[
        float, typer.Option(min=0.1, max=10_000, help="Live events a second, after the history.")
    ] = 20.0,
    providers: Annotated[
        int, typer.Option(min=1, max=10_000, help="Physicians who submit claims.")
    ] = 12,
    seed: Annotated[
        int, typer.Option(help="Another seed makes other physicians and other claims.")
    ] = 2026,
    keep_reports: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            file_okay=False,
            help="Write the reports that become ready to this folder, decrypted; they stay.",
        ),
    ] = None,
) -> None:
    """See the service work, without any set-up.

    Starts a real Kafka broker and a real PostgreSQL without Docker, on free
    ports of the loopback interface; creates schema and topics; runs the
    service; and plays a claim service that publishes 18 months of made-up
    claims, with Alberta's real codes and fees, and then goes on live. Claims
    are drafts, are sent, assessed, paid, adjusted, rejected and sent again,
    given up, expire, are withdrawn; an AI coach has its say. As in real life
    some events come twice, late, in the wrong order, or broken.
    Then one physician asks for reports, live now and then for another: a
    worker makes each, and its file is stored encrypted.

    On a terminal of 80 x 24 or more you see it in a live view, elsewhere in
    plain lines. What becomes of the messages:

    \b
      applied        new: changed its claim and the figures
      duplicate      this version of the claim was there: changed nothing
      stale          a newer version was there: joined the history only
      dead-lettered  of no use: went to <topic>.dlq, with the reason
      lag            published, and not yet committed by the service

    Ctrl-C stops everything and removes it. With --once it ends by itself:
    it recomputes every figure from the history, compares, and sets what was
    published beside what was done.

    While it runs, another shell can look in, with the settings in the file
    environment.sh that it names: `claim-analytics report list`, and `report
    fetch` to open a report. The files go with everything else at the end;
    --keep-reports FOLDER keeps those that became ready.

    Kafka needs Java 17 or newer and, the first time, Maven, which fetches
    its jars (45 MB) into ~/.cache/claim-analytics. PostgreSQL comes with the
    extra `stack` of this package.

    The exit code is 0 when all went well and after Ctrl-C or SIGTERM, and 1
    when a figure or a count is wrong, a report is not made, something is
    missing, or a server fails; 2 when the folder for reports cannot be made.
    """
    try:
        if keep_reports:
            keep_reports.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        fail(f"{keep_reports} cannot be made: {error.strerror}.", Exit.USAGE)
    plan = Plan(events, once, providers, seed, rate, keep_reports)
    with Interruption() as interruption:
        outcome = _played(plan, interruption, Console(highlight=False))
    if outcome and not outcome.right:
        raise typer.Exit(Exit.FAILED)


def _played(plan: Plan, interruption: Interruption, console: Console) -> Outcome | None:
    """None if it was interrupted."""
    start = time.monotonic()

    def say(message: str) -> None:
        line = f"{time.monotonic() - start:6.1f} s  {message}"
        if console.is_terminal:
            line = textwrap.fill(line, console.width, subsequent_indent=" " * 10)
        console.print(line, markup=False, soft_wrap=True)

    outcome = None
    try:
        with (
            Stack(progress=say) as stack,
            logged_to(stack.folder / "service.log", warnings_too=not is_live(console)),
        ):
            say(f"{stack.kafka.name} and {stack.postgres.name} answer.")
            say(f"Data and logs: {stack.folder}")
            display = display_for(console, say)
            outcome = interruption.run(lambda: play(plan, stack, display, say))
            if outcome:
                _show(outcome, console)
            say("Stopping …")
    except KeyboardInterrupt:
        outcome = None
    except FAILURES as error:
        fail(str(error), Exit.FAILED)
    if plan.keep_reports:
        say(f"Reports are in {plan.keep_reports}.")
    say("Kafka and PostgreSQL are stopped, their data is removed.")
    return outcome


def _show(outcome: Outcome, console: Console) -> None:
    console.print("\nWhat the simulated claim service published, and what the service did:")
    console.print(summary.comparison_table(outcome))
    console.print(summary.disorder_line(outcome))
    physician = outcome.physician
    console.print(f"\nThe figures of {physician.name}, {physician.specialty.lower()}:")
    months = outcome.dashboard.months
    latest = months[-LATEST_MONTHS:]
    console.print(tables.months_table(months))
    console.print("What was rejected, and what came back on resubmission:")
    console.print(tables.rejections_table(latest))
    console.print(f"On {outcome.today}: what is not answered yet, by days since the service,")
    console.print("what is due within a week, and drafts older than two weeks:")
    console.print(tables.open_table(outcome.dashboard.open_claims))
    console.print("The AI coach:")
    console.print(tables.coaching_table(latest))
    console.print(tables.rules_line(latest), "\n")
    console.print("The reports that this physician asked for:")
    console.print(summary.reports_table(outcome.reports))
    show_verification(outcome.verification, console)
    console.print(summary.keys_line(outcome))
    console.print(summary.verdict(outcome), "\n")
