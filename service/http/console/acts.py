"""What operators do in the console: ask what it would do, say why, do it. Each is recorded."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Response
from fastapi.responses import RedirectResponse

from repositories.operations.letter_states import (
    WAITING,
    LetterFilter,
    count_letters,
    park_letters,
)
from repositories.reports.generated_reports import provider_of_report, report_by_id
from repositories.vocabulary import LetterState
from service.http.console.access import Acting, Operator, Refused
from service.http.console.pages import Chosen
from service.http.console.rendering import url
from service.http.console.state import Console, Shared, asking
from service.http.console.work import Begun
from service.operations.recorded import recorded
from service.operations.redrive import MOST_REDRIVES, Verdict, forecast, redrive
from service.reports.retrying import NotRetried, retry_by_operator

acts = APIRouter(include_in_schema=False)

FORECAST_LETTERS = 500
FORECAST_SECONDS = 5.0
EXAMPLES = 10

Why = Annotated[str, Form(max_length=500)]


@dataclass
class Forecast:
    """What would become of letters: how many of each verdict, and the first few; `whole` if all of
    them were tried."""

    counts: Counter[str] = field(default_factory=Counter)
    examples: list[Verdict] = field(default_factory=list)
    whole: bool = True


@acts.get("/letters/redrive")
async def ask_redrive(
    console: Shared, _: Operator, chosen: Chosen, again: bool = False
) -> Response:
    which = _redrivable(chosen)
    async with asking():
        count = await count_letters(console.database, which)
    return await console.answer(
        "redrive.html",
        which=which,
        count=count,
        again=again,
        most=MOST_REDRIVES,
        forecast=await _forecast(console, which, again=again),
    )


@acts.post("/letters/redrive")
async def do_redrive(
    console: Shared, visitor: Acting, chosen: Chosen, why: Why = "", again: bool = False
) -> Response:
    which, reason = _redrivable(chosen), _reason(why)
    settings, database = console.settings, console.database

    async def work(begun: Begun) -> None:
        counts: Counter[str] = Counter()
        asked = which.given | {"again": again}
        async with recorded(
            settings, database, "dlq redrive", asked, reason, who=visitor.name
        ) as action:
            begun(action.action_id)
            try:
                await redrive(settings, database, which, counts, again=again)
            finally:
                action.counts.update(+counts)

    action_id = await console.work.begin(work)
    return RedirectResponse(url("letters", did=action_id), 303)


@acts.get("/letters/park")
async def ask_park(console: Shared, _: Operator, chosen: Chosen, lift: bool = False) -> Response:
    which = _parkable(chosen, lift=lift)
    async with asking():
        count = await count_letters(console.database, which)
    return await console.answer("park.html", which=which, count=count, lift=lift)


@acts.post("/letters/park")
async def do_park(
    console: Shared, visitor: Acting, chosen: Chosen, why: Why = "", lift: bool = False
) -> Response:
    which, reason = _parkable(chosen, lift=lift), _reason(why)
    command = "dlq park --lift" if lift else "dlq park"
    settings, database = console.settings, console.database

    async def work(begun: Begun) -> None:
        async with recorded(
            settings, database, command, which.given, reason, who=visitor.name
        ) as action:
            begun(action.action_id)
            action.counts["letters"] = await park_letters(database, which, lift=lift)

    action_id = await console.work.begin(work)
    return RedirectResponse(url("letters", did=action_id), 303)


@acts.get("/reports/{report_id}/retry")
async def ask_retry(console: Shared, _: Operator, report_id: UUID) -> Response:
    async with asking(), console.database.snapshot() as connection:
        provider = await provider_of_report(connection, report_id)
        report = await report_by_id(connection, provider, report_id) if provider else None
    if report is None:
        raise Refused(404, f"There is no report {report_id}.")
    return await console.answer("retry.html", report=report)


@acts.post("/reports/{report_id}/retry")
async def do_retry(console: Shared, visitor: Acting, report_id: UUID, why: Why = "") -> Response:
    reason = _reason(why)

    async def work(begun: Begun) -> None:
        begun(
            await retry_by_operator(
                console.settings, console.database, report_id, reason, who=visitor.name
            )
        )

    try:
        action_id = await console.work.begin(work)
    except NotRetried as refused:
        raise Refused(409, str(refused)) from None
    return RedirectResponse(url("reports", did=action_id), 303)


async def _forecast(console: Console, which: LetterFilter, *, again: bool) -> Forecast:
    """By the first few hundred letters, and for a few seconds: a person waits for it. Raises
    KafkaFailed."""
    found = Forecast()
    verdicts = forecast(console.settings, console.database, which, again=again)
    try:
        async with asyncio.timeout(FORECAST_SECONDS), aclosing(verdicts):
            async for verdict in verdicts:
                if found.counts.total() >= FORECAST_LETTERS:
                    found.whole = False
                    break
                found.counts[verdict.what] += 1
                if len(found.examples) < EXAMPLES:
                    found.examples.append(verdict)
    except TimeoutError:
        found.whole = False
    return found


def _redrivable(chosen: LetterFilter) -> LetterFilter:
    """Open ones alone, as `dlq redrive` without --state."""
    if not _rules(chosen):
        raise Refused(400, "Choose which letters: by topic and reason, or by place.")
    return replace(chosen, states=[LetterState.OPEN])


def _parkable(chosen: LetterFilter, *, lift: bool) -> LetterFilter:
    if not _rules(chosen):
        raise Refused(400, "Choose which letters: by topic and reason, or by place.")
    candidates = (LetterState.PARKED,) if lift else WAITING
    states = [state for state in candidates if state in (chosen.states or candidates)]
    if not states:
        raise Refused(400, "Letters in this state can be neither parked nor opened again.")
    return replace(chosen, states=states)


def _rules(chosen: LetterFilter) -> Sequence[object]:
    return [rule for rule in (chosen.topics, chosen.reasons, chosen.place) if rule]


def _reason(why: str) -> str:
    if not why.strip():
        raise Refused(400, "Say why: it is kept with the record of what operators did.")
    return " ".join(why.split())
