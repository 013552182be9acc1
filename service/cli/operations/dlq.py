"""`claim-analytics dlq`: dead letters, and what to do about them."""

import json
import sys
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Annotated, Any, TypeVar

import typer

from repositories.operations.letter_states import (
    WAITING,
    KnownLetter,
    LetterFilter,
    count_letters,
    find_letters,
    grouped_letters,
    park_letters,
)
from repositories.postgres.database import Database
from repositories.vocabulary import LetterState
from service import wiring
from service.cli.common import Exit, fail, load_settings, run_async
from service.cli.operations.interruptible import end_broken_off, run_interruptible
from service.cli.operations.letter_options import (
    Place,
    Reasons,
    Since,
    States,
    Topics,
    letter_filter,
)
from service.cli.operations.letter_tables import (
    message,
    plain,
    show_counts,
    show_groups,
    show_letters,
    show_verdict,
    show_verdicts,
    show_whole,
)
from service.cli.progress import Progress
from service.operations.recorded import recorded
from service.operations.redrive import MOST_REDRIVES, Verdict, forecast, message_of, redrive
from service.settings import Settings

dlq = typer.Typer(
    no_args_is_help=True,
    help="Dead letters: messages that could not be used. List them, look at one, send them back to"
    " their topics once the cause is mended, or park those about which nothing will be done.",
)

Why = Annotated[str, typer.Option("--why", help="The reason, to be kept; no personal data.")]
AsJson = Annotated[bool, typer.Option("--json", help="JSON, for programs.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
Result = TypeVar("Result")
ALL = sys.maxsize


@dlq.command("list")
def list_(
    topic: Topics = None,
    reason: Reasons = None,
    state: States = None,
    since: Since = None,
    each: Annotated[bool, typer.Option("--each", help="A line for each letter.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="Most letters to list with --each.")] = 1000,
    as_json: AsJson = False,
) -> None:
    """List dead letters: a line for all of one topic with the same reason, detail and state.

    Without --state those that may need a person: open; redriven (a copy is on its way; after five
    minutes without news of it the letter counts as open); lost (no topic has the message any more).
    The others are resolved and parked. Options can be repeated.
    """
    settings = load_settings()
    which = letter_filter(settings, topic, reason, state or WAITING, since)
    if each:
        letters = _ask(settings, lambda database: find_letters(database, which, limit + 1))
        show_letters(letters[:limit], as_json)
        if len(letters) > limit:
            typer.echo(f"There are more: --limit {limit} ends here.", err=True)
        return
    show_groups(_ask(settings, lambda database: grouped_letters(database, which)), as_json)


@dlq.command()
def show(
    topic: Annotated[str, typer.Argument(metavar="TOPIC")],
    partition: Annotated[str, typer.Argument(metavar="PARTITION")],
    offset: Annotated[str, typer.Argument(metavar="OFFSET")],
    payload: Annotated[
        bool,
        typer.Option(
            "--payload",
            help="The message too, with key and headers. It is patients' data: that you looked is"
            " recorded.",
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show all that is known of the letter of one message. Exit code 5 if there is none."""
    settings = load_settings()
    which = letter_filter(settings, None, None, None, None, [topic, partition, offset])
    found = run_async(_show(settings, which, payload=payload))
    if as_json:
        typer.echo(json.dumps([letter | its for letter, its in found], default=str))
        return
    for letter, its in found:
        show_whole(letter, its)
        if payload and not its:
            typer.echo("No topic has its message any more.", err=True)


@dlq.command("redrive")
def redrive_(
    why: Why = "",
    place: Place = None,
    topic: Topics = None,
    reason: Reasons = None,
    state: States = None,
    since: Since = None,
    again: Annotated[
        bool, typer.Option("--again", help=f"Also letters of {MOST_REDRIVES} redrives and more.")
    ] = False,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Send nothing; say what would become of each, as of now."),
    ] = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Send copies of open letters' messages back to their topics, where they are read anew.

    What is taken in then, or is known already, is resolved; what is dead again is open again. The
    order does not matter, and nothing counts twice: broken off, give the command again. --dry-run
    tries each message with this version's code against the database, and leaves no trace.
    """
    settings = load_settings()
    which = letter_filter(settings, topic, reason, state, since, place)
    which = _redrivable(settings, which, again=again)
    if dry_run:
        each: list[Verdict] = []
        show_one = each.append if as_json else show_verdict
        would = run_async(_forecast(settings, which, show_one, again=again))
        show_verdicts(would, each if as_json else None)
        return
    if not why:
        fail("Say why: --why TEXT. (To see what would happen: --dry-run.)", Exit.USAGE)
    count = _ask(settings, lambda database: count_letters(database, which))
    _confirm(f"Send the messages of {count:,} letters back to their topics?", count, yes)
    counts: Counter[str] = Counter()
    with Progress("letters") as progress:

        def tell() -> None:
            progress.tell(counts.total(), count)

        work = partial(_redrive, settings, which, why, counts, tell, again=again)
        ended = run_interruptible(work) is not None
    show_counts(+counts, as_json)
    if not ended:
        end_broken_off("Give the command again for the rest: nothing counts twice.")


@dlq.command()
def park(
    why: Why,
    place: Place = None,
    topic: Topics = None,
    reason: Reasons = None,
    state: States = None,
    since: Since = None,
    lift: Annotated[bool, typer.Option("--lift", help="Open parked letters again.")] = False,
    yes: Yes = False,
) -> None:
    """Take letters off the list: a person has seen them, and nothing will be done.

    They stay in the database as parked, and are not redriven until --lift.
    """
    settings = load_settings()
    which = letter_filter(settings, topic, reason, state, since, place)
    candidates = (LetterState.PARKED,) if lift else WAITING
    if place:
        _at_place(settings, which)
    which = replace(which, states=[each for each in candidates if each in (state or candidates)])
    count = _ask(settings, lambda database: count_letters(database, which)) if which.states else 0
    _confirm(f"{'Open' if lift else 'Park'} {count:,} letters?", count, yes)
    moved = run_async(_park(settings, which, why, lift=lift)) if count else 0
    typer.echo(f"{'opened' if lift else 'parked'} {moved:,} letters")


def _redrivable(settings: Settings, which: LetterFilter, *, again: bool) -> LetterFilter:
    """Only letters that wait for something; the process ends where a letter is asked for that does
    not."""
    states = {*which.states}
    if which.place:
        letters = _at_place(settings, which)
        states = {letter.state for letter in letters}
        if not again and all(letter.redrives >= MOST_REDRIVES for letter in letters):
            fail(
                f"This letter was redriven {MOST_REDRIVES} times already, in vain. Look at its"
                " reason first; --again sends it once more.",
                Exit.USAGE,
            )
    if LetterState.PARKED in states:
        fail(
            "Parked letters are not redriven: somebody decided that nothing will be done about"
            " them. `dlq park --lift` opens them again.",
            Exit.USAGE,
        )
    if LetterState.RESOLVED in states:
        fail("Resolved letters need no redrive: their messages were taken in.", Exit.USAGE)
    return replace(which, states=list(states) or [LetterState.OPEN])


def _at_place(settings: Settings, which: LetterFilter) -> Sequence[KnownLetter]:
    return _ask(settings, lambda database: find_letters(database, which, ALL)) or _no_letter()


def _no_letter() -> Any:
    fail("No letter is known of a message at this place.", Exit.NOT_FOUND)


def _confirm(question: str, count: int, yes: bool) -> None:
    if count and not yes and sys.stdin.isatty():
        typer.confirm(question, abort=True)


def _ask(settings: Settings, work: Callable[[Database], Awaitable[Result]]) -> Result:
    async def answer() -> Result:
        async with wiring.open_database(settings) as database:
            return await work(database)

    return run_async(answer())


async def _show(
    settings: Settings, which: LetterFilter, *, payload: bool
) -> Sequence[tuple[dict[str, Any], dict[str, Any]]]:
    async with wiring.open_database(settings) as database:
        letters = await find_letters(database, which, ALL) or _no_letter()
        if not payload:
            return [(plain(letter), {}) for letter in letters]
        providers = sorted({str(each.provider_id) for each in letters if each.provider_id})
        looked_at = which.given | {"providers": providers}
        async with recorded(settings, database, "dlq show --payload", looked_at, None) as action:
            shown = [
                (plain(letter), message(await message_of(settings, letter))) for letter in letters
            ]
            action.counts["messages"] = sum(bool(its) for _, its in shown)
        return shown


async def _forecast(
    settings: Settings, which: LetterFilter, show_one: Callable[[Verdict], None], *, again: bool
) -> Counter[str]:
    counts: Counter[str] = Counter()
    async with wiring.open_database(settings) as database:
        async for verdict in forecast(settings, database, which, again=again):
            show_one(verdict)
            counts[verdict.what] += 1
    return counts


async def _redrive(
    settings: Settings,
    which: LetterFilter,
    why: str,
    counts: Counter[str],
    tell: Callable[[], None],
    *,
    again: bool,
) -> bool:
    asked = which.given | {"again": again}
    async with (
        wiring.open_database(settings) as database,
        recorded(settings, database, "dlq redrive", asked, why) as action,
    ):
        try:
            await redrive(settings, database, which, counts, tell, again=again)
        finally:
            action.counts.update(+counts)
    return True


async def _park(settings: Settings, which: LetterFilter, why: str, *, lift: bool) -> int:
    command = "dlq park --lift" if lift else "dlq park"
    async with (
        wiring.open_database(settings) as database,
        recorded(settings, database, command, which.given, why) as action,
    ):
        moved = await park_letters(database, which, lift=lift)
        action.counts["letters"] = moved
    return moved
