"""`claim-analytics offsets`: where each partition stands, and what operators order about it."""

import json
from collections.abc import Collection, Iterator, Sequence
from typing import Annotated

import typer
from rich.console import Console

from consumers.kafka.groups import Place
from repositories.operations.orders import (
    Pause,
    SkipState,
    close_pauses,
    give_pauses,
    open_orders,
)
from repositories.vocabulary import OrderOutcome, StopCause
from service import wiring
from service.cli.common import Exit, fail, load_settings, run_async
from service.cli.operations.standing_table import as_json, show_groups
from service.operations.recorded import recorded
from service.operations.skipping import (
    NoSuchPartition,
    SkipPlan,
    SkipRefused,
    WrongOffset,
    carry_out,
    plan_skip,
)
from service.operations.standing import (
    GroupStanding,
    looking_at_kafka,
    own_topics,
    standings,
    topic_named,
)
from service.parts import EVERY_SUBSCRIPTION
from service.settings import Settings

offsets = typer.Typer(
    no_args_is_help=True,
    help="Where each partition stands; go past a record that nobody can read; pause and resume.",
)

Topics = Annotated[
    list[str] | None, typer.Option("--topic", metavar="TOPIC", help="This topic; repeatable.")
]
Why = Annotated[str, typer.Option("--why", help="The reason, to be kept; no personal data.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
NEXT = "next"


@offsets.command()
def show(
    topic: Topics = None,
    json_: Annotated[bool, typer.Option("--json", help="JSON, for programs.")] = False,
) -> None:
    """Show where every partition stands: on the broker, in the group, in the database.

    \b
      first, end         what the broker has; end is one past the last message
      committed, stored  the next offset, as Kafka and as the database have it;
                         reading starts from the lower one
      lag, behind        messages that are not applied yet, at most; and the time
                         between the timestamps of the next of them and of the
                         newest, as the log or the publisher gave them
      member             who has it: host:process/lane, and its address

    Below it: which partitions have stopped, where and why, as the members that have them say; and
    which topics are paused.
    """
    settings = load_settings()
    found = run_async(_show(settings, _topics(settings, topic)))
    if json_:
        typer.echo(json.dumps(as_json(found), default=str))
    else:
        show_groups(found, Console(highlight=False))


@offsets.command()
def skip(
    topic: Annotated[str, typer.Argument(metavar="TOPIC")],
    partition: Annotated[int, typer.Argument(metavar="PARTITION", min=0)],
    to: Annotated[
        str,
        typer.Option(
            "--to",
            metavar="OFFSET|next",
            help="Where to go on: the offset of the next message, or the next that can be read.",
        ),
    ],
    why: Why,
    yes: Yes = False,
) -> None:
    """Let a partition that has stopped go on past what nobody can read.

    That is a record that the client cannot decode, which takes the rest of its record batch with
    it, or a range that the broker has no more. The member that has the partition takes the order
    within seconds, moves both offsets, stored and committed, and reads on; all others go on
    meanwhile. Where the group has no members the command moves the offsets itself. It is refused if
    the partition has not stopped.

    What is passed over is lost to this service, unless its publisher sends it again.

    \b
    Exit codes:
      0  done
      1  refused: the partition has not stopped, or no member took the order
      2  wrong usage: an offset that is not beyond the present one, or beyond the
         end, or that cannot be read either; a topic that is not read
      3  Kafka or PostgreSQL did not answer
      5  the topic has no such partition
    """
    settings = load_settings()
    [name] = _topics(settings, [topic])
    if to != NEXT and not (to.isascii() and to.isdecimal()):
        fail(f"--to is an offset, a number, or `{NEXT}`, and not {to!r}.", Exit.USAGE)
    try:
        plan = run_async(_plan(settings, (name, partition), None if to == NEXT else int(to)))
        for line in _said(plan):
            typer.echo(line)
        if not yes:  # not within an event loop: it would keep Ctrl-C to itself
            typer.confirm("Go on there?", abort=True)
        state = run_async(_skip(settings, plan, why))
        typer.echo(f"Done by {state.taken_by}: {state.answer}.")
    except NoSuchPartition as error:
        fail(str(error), Exit.NOT_FOUND)
    except WrongOffset as error:
        fail(str(error), Exit.USAGE)
    except SkipRefused as error:
        fail(str(error), Exit.FAILED)


@offsets.command()
def pause(why: Why, topic: Topics = None, yes: Yes = False) -> None:
    """Stop reading topics, or all of them, on every instance, until `offsets resume`.

    Instances obey within seconds, after the batch at hand; they keep their partitions, and one that
    starts later reads nothing of them either. Reports that were requested before are still made.
    """
    settings = load_settings()
    topics = _topics(settings, topic) if topic else None
    what = _listed(topics)
    if not yes:
        typer.confirm(f"Read no more of {what}, on every instance?", abort=True)
    new = run_async(_pause(settings, topics, why))
    if not new:
        typer.echo(f"{what}: paused already; nothing was changed.")
    else:
        typer.echo(
            f"Paused: {_listed(new)}. Instances stop within seconds, after the batch at hand."
        )


@offsets.command()
def resume(why: Why, topic: Topics = None, yes: Yes = False) -> None:
    """Let topics, or all, be read again that `offsets pause` has paused."""
    settings = load_settings()
    topics = _topics(settings, topic) if topic else None
    what = _listed(topics)
    if not yes:
        typer.confirm(f"Read {what} again, on every instance?", abort=True)
    resumed = run_async(_resume(settings, topics, why))
    if not resumed:
        typer.echo(f"{what}: not paused; nothing was changed.")
    else:
        typer.echo(f"Resumed: {_listed(resumed)}. Instances read on within seconds.")


def _topics(settings: Settings, names: Collection[str] | None) -> list[str]:
    """These of the topics that are read, or all of them."""
    known = _known(settings)
    try:
        return [topic_named(settings, name, known) for name in names or known]
    except ValueError as error:
        fail(f"{error}.", Exit.USAGE)


def _known(settings: Settings) -> dict[str, str]:
    return own_topics(settings, EVERY_SUBSCRIPTION)


def _listed(topics: Sequence[str | None] | None) -> str:
    return ", ".join(topic or "all topics" for topic in topics or [None])


async def _show(settings: Settings, topics: Collection[str]) -> list[GroupStanding]:
    groups = {topic: group for topic, group in _known(settings).items() if topic in topics}
    async with wiring.open_database(settings) as database, looking_at_kafka(settings) as kafka:
        return await standings(kafka, database, groups)


async def _plan(settings: Settings, place: Place, to: int | None) -> SkipPlan:
    async with wiring.open_database(settings) as database, looking_at_kafka(settings) as kafka:
        return await plan_skip(kafka, database, _known(settings), place, to)


def _said(plan: SkipPlan) -> Iterator[str]:
    """What would be done, before it is."""
    skip_ = plan.skip
    yield plan.stop.why
    yield (
        f"To go on at offset {skip_.next_offset} passes over the offsets {skip_.from_offset} to"
        f" {skip_.next_offset - 1}, {skip_.records:,} records at most. What they hold is lost to"
        " this service, unless its publisher sends it again."
    )
    if plan.stop.cause is StopCause.UNDECODABLE and skip_.records > 1:
        yield (
            "A record that cannot be decoded takes with it what stands behind it in its record"
            " batch."
        )
    if plan.alone:
        yield f"The group {skip_.group} has no members: both offsets are moved from here."
    else:
        yield "The member that has the partition is ordered to do it."


async def _skip(settings: Settings, plan: SkipPlan, why: str) -> SkipState:
    """Raises SkipRefused unless it is done."""
    arguments = {
        "topic": plan.skip.topic,
        "partition": plan.skip.partition,
        "from": plan.skip.from_offset,
        "to": plan.skip.next_offset,
    }
    async with (
        wiring.open_database(settings) as database,
        looking_at_kafka(settings) as kafka,
        recorded(settings, database, "offsets skip", arguments, why) as action,
    ):
        state = await carry_out(settings, kafka, database, plan, action)
        if state.outcome is not OrderOutcome.DONE:
            raise SkipRefused(f"Nothing was changed: {state.answer}.")
        action.counts["passed_over_at_most"] = plan.skip.records
    return state


async def _pause(
    settings: Settings, topics: Sequence[str] | None, why: str
) -> Sequence[str | None]:
    async with wiring.open_database(settings) as database:
        now = _paused((await open_orders(database)).pauses)
        if None in now or (topics is not None and now.issuperset(topics)):
            return []
        async with recorded(settings, database, "offsets pause", {"topics": topics}, why) as action:
            new = await give_pauses(database, action.action_id, topics)
            action.counts["orders"] = len(new)
        return new


async def _resume(
    settings: Settings, topics: Sequence[str] | None, why: str
) -> Sequence[str | None]:
    async with wiring.open_database(settings) as database:
        now = _paused((await open_orders(database)).pauses)
        if not now or (topics is not None and None not in now and not now.intersection(topics)):
            return []
        async with recorded(
            settings, database, "offsets resume", {"topics": topics}, why
        ) as action:
            resumed = await close_pauses(database, action.action_id, topics, _known(settings))
            action.counts["topics"] = len(resumed)
        return resumed


def _paused(pauses: Sequence[Pause]) -> set[str | None]:
    return {pause.topic for pause in pauses}
