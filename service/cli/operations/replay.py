"""`claim-analytics replay`: read topics again, beside live consumption."""

import asyncio
import dataclasses
import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

import typer
from rich.console import Console

from consumers.replay.ranges import Bound
from repositories.postgres.database import Database
from repositories.replaying.replay import provider_is_known
from service import wiring
from service.cli.common import Exit, complain, fail, load_settings
from service.cli.operations.interruptible import end_broken_off, run_interruptible
from service.cli.progress import Progress
from service.kafka import kafka_explained
from service.memory import calm_the_garbage_collector
from service.operations.errors import UnknownProviders
from service.operations.recorded import recorded
from service.operations.replaying.replay import Part, Replay
from service.operations.replaying.request import (
    BEGINNING,
    NOW,
    ReplayRequest,
    RequestWrong,
    bound_of,
    check,
    topics_named,
)
from service.operations.replaying.show import show

TELL_SECONDS = 0.5


def replay(
    topic: Annotated[
        list[str] | None,
        typer.Option("--topic", help="Read this topic alone; may be given several times."),
    ] = None,
    begin: Annotated[
        str,
        typer.Option(
            "--from",
            metavar="TIME|beginning|PARTITION:OFFSET",
            help="The first record: by its timestamp (2026-03-01T00:00:00-07:00), or its place.",
        ),
    ] = BEGINNING,
    end: Annotated[
        str,
        typer.Option(
            "--to",
            metavar="TIME|now|PARTITION:OFFSET",
            help="Where to stop: before the first record of that time, or before that place.",
        ),
    ] = NOW,
    provider: Annotated[
        UUID | None, typer.Option(metavar="ID", help="Events of this provider alone.")
    ] = None,
    redecode: Annotated[
        bool,
        typer.Option(
            "--redecode", help="Correct what is stored wrongly, by the records that it came from."
        ),
    ] = False,
    identity: Annotated[
        bool,
        typer.Option(
            "--identity",
            help="With --redecode: move what was stored as another claim, version or provider.",
        ),
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would happen; change and lock nothing.")
    ] = False,
    rate: Annotated[
        float | None, typer.Option(metavar="N", help="At most so many events a second.")
    ] = None,
    whatever_is_left: Annotated[
        bool,
        typer.Option(
            "--whatever-is-left", help="Go on where the broker has not all of the range any more."
        ),
    ] = False,
    why: Annotated[
        str | None, typer.Option(help="The reason, to be kept; no personal data.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object, for programs.")] = False,
) -> None:
    """Read topics again, beside live consumption: those of claims and of the AI coach.

    What the history has already changes nothing; what it lacks is applied, with its figures. No
    offset of any group moves, in Kafka or in the database, and no dead letter is sent a second
    time: those that are met are counted and listed. What was erased stays erased. Times are the
    records' timestamps; whose those are, the log's or the publisher's, is said of each topic.

    First have a look, then do it:

    \b
      claim-analytics replay --topic claim-paid --from 2026-03-03T00:00:00-07:00 \\
          --to 2026-03-04T00:00:00-07:00 --dry-run
      claim-analytics replay … --why "case 17: payments of Tuesday were dead-lettered"

    After a decoder was mended, or for a field that is stored only since today, --redecode
    corrects each row that came from the very record that is read, makes its claim anew, and moves
    the figures by the difference. A record that the row did not come from corrects nothing: it is
    listed as not correctable from here, with the record that could. One that was stored as another
    claim, version or provider is listed as identity changed; --identity moves it.

    Ctrl-C leaves nothing half done and shows what was done; repeat the command, and it does the
    rest: what is done already changes nothing.

    \b
    Exit codes:
      0  done
      1  some records are other events than their rows say: see --identity
      2  wrong usage or settings
      3  Kafka or PostgreSQL did not answer
      4  a partition cannot be read to the end of the range
      5  no such topic, provider or range, or some rows are not correctable from here
    """
    settings = load_settings()
    try:
        request = ReplayRequest(
            topics_named(settings, topic or []),
            bool(topic),
            bound_of(begin, BEGINNING),
            bound_of(end, NOW),
            provider,
            redecode,
            identity,
            dry_run,
            rate,
            whatever_is_left,
        )
        check(request)
    except RequestWrong as error:
        fail(str(error), Exit.USAGE)
    if not (why or dry_run):
        fail("Say --why it is done, or look first with --dry-run.", Exit.USAGE)
    again = Replay.of(settings, request)
    finished = run_interruptible(lambda: _run(again, as_json, why))
    _print(again, as_json)
    if not finished:
        end_broken_off("What is shown is done and stays; repeat the command for the rest.")
    sys.exit(_exit_code(again))


async def _run(again: Replay, as_json: bool, why: str | None) -> bool:
    calm_the_garbage_collector()
    settings, request = again.settings, again.request
    async with wiring.open_database(settings) as database:
        if request.provider and not await provider_is_known(database, request.provider):
            raise UnknownProviders([request.provider])
        with kafka_explained(again.connection):
            parts = await again.find()
            complain(_intention(again))
            if request.dry_run:
                await _read(again, database, parts, as_json)
                return True
            async with recorded(settings, database, "replay", _arguments(request), why) as action:
                try:
                    await _read(again, database, parts, as_json)
                finally:
                    action.counts.update(again.tally.counts())
    return True


async def _read(again: Replay, database: Database, parts: Sequence[Part], as_json: bool) -> None:
    """All of it, telling how far it is; what was done is shown also where it fails."""
    with Progress("messages") as progress:
        telling = asyncio.create_task(_tell(again, progress))
        try:
            await again.run(database, parts)
        except Exception:  # what was done is shown; raised on
            _print(again, as_json)
            raise
        finally:
            telling.cancel()


async def _tell(again: Replay, progress: Progress) -> None:
    total = again.tally.left
    while True:
        progress.tell(total - again.tally.left, total)
        await asyncio.sleep(TELL_SECONDS)  # between two lines


def _intention(again: Replay) -> str:
    request, topics = again.request, ", ".join(sorted(again.tally.topics))
    whose = f" of provider {request.provider}" if request.provider else ""
    does = ["what the history lacks is applied"]
    if request.redecode:
        does.append("rows are corrected by the records that they came from")
    if request.identity:
        does.append("rows that are other events are moved")
    end = ". This is a dry run: nothing is changed." if request.dry_run else "."
    return f"Reads up to {again.tally.left:,} messages of {topics} again{whose}: " + (
        "; ".join(does) + end
    )


def _arguments(request: ReplayRequest) -> dict[str, Any]:
    asked = dataclasses.asdict(request) | {
        "provider": request.provider and str(request.provider),
        "begin": _readable(request.begin),
        "end": _readable(request.end),
    }
    return {name: value for name, value in asked.items() if value not in (None, False)}


def _readable(bound: Bound) -> str | None:
    if isinstance(bound, int):
        return datetime.fromtimestamp(bound / 1000, UTC).isoformat()
    return bound and f"{bound.partition}:{bound.offset}"


def _print(again: Replay, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(again.tally.plain(), default=str))
    else:
        show(again.tally, Console(), dry_run=again.request.dry_run)


def _exit_code(again: Replay) -> int:
    if again.tally.total("identity_changed"):
        return Exit.FAILED
    return Exit.NOT_FOUND if again.tally.total("not_correctable") else 0
