"""The other pages that are for looking: dead letters, reports, nights, actions, receipts."""

from contextlib import suppress
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response

from repositories.operations.actions import close_abandoned, recorded_actions
from repositories.operations.job_runs import recorded_runs
from repositories.operations.letter_states import (
    WAITING,
    LetterFilter,
    find_letters,
    grouped_letters,
)
from repositories.reports.generated_reports import count_reports, list_all_providers_reports
from repositories.vocabulary import LetterState, ReportStatus
from service.http.console.access import Refused
from service.http.console.state import Shared, asking
from service.operations.nightly import JOB
from service.operations.nights import Nights
from service.operations.receipt import receipt

pages = APIRouter(include_in_schema=False)

MOST_LETTERS = 200
MOST_REPORTS = 100
MOST_ACTIONS = 100
MOST_NIGHTS = 30
HIGHEST_PARTITION, HIGHEST_OFFSET = 2**31 - 1, 2**63 - 1

Text = Annotated[str, Query(max_length=500)]


def chosen_letters(
    topic: Text = "",
    reason: Text = "",
    detail: Text = "",
    state: LetterState | None = None,
    partition: Annotated[int | None, Query(ge=0, le=HIGHEST_PARTITION)] = None,
    offset: Annotated[int | None, Query(ge=0, le=HIGHEST_OFFSET)] = None,
) -> LetterFilter:
    """Those that every given rule fits; of a place all three of its numbers are given."""
    place = None
    if partition is not None and offset is not None:
        place = (topic, partition, offset)
    return LetterFilter(
        topics=[topic] if topic and not place else [],
        reasons=[reason] if reason else [],
        details=[detail] if detail else [],
        states=[state] if state else [],
        place=place,
    )


Chosen = Annotated[LetterFilter, Depends(chosen_letters)]


@pages.get("/letters")
async def letters(console: Shared, chosen: Chosen, did: UUID | None = None) -> Response:
    which = chosen if chosen.states else LetterFilter(states=WAITING)
    async with asking():
        groups = await grouped_letters(console.database, which)
        done = await recorded_actions(console.database, action_id=did) if did else []
    return await console.answer(
        "letters.html",
        live=True,
        groups=groups,
        state_chosen=chosen.states[0] if chosen.states else None,
        total=sum(group.letters for group in groups),
        done=done[0] if done else None,
    )


@pages.get("/letters/each")
async def each_letter(console: Shared, chosen: Chosen) -> Response:
    async with asking():
        found = await find_letters(console.database, chosen, MOST_LETTERS + 1)
    return await console.answer(
        "letters_each.html",
        live=True,
        letters=found[:MOST_LETTERS],
        more=len(found) > MOST_LETTERS,
        chosen=chosen,
    )


@pages.get("/letters/one")
async def one_letter(console: Shared, chosen: Chosen) -> Response:
    if not chosen.place:
        raise Refused(400, "A letter is named by topic, partition and offset.")
    async with asking():
        found = await find_letters(console.database, chosen, MOST_LETTERS)
    if not found:
        raise Refused(404, "No letter is known of a message at this place.")
    return await console.answer("letter.html", live=True, letters=found, place=chosen.place)


@pages.get("/reports")
async def reports(
    console: Shared, status: ReportStatus | None = None, did: UUID | None = None
) -> Response:
    async with asking():
        async with console.database.snapshot() as connection:
            counts = await count_reports(connection)
            found = await list_all_providers_reports(connection, status=status, limit=MOST_REPORTS)
        done = await recorded_actions(console.database, action_id=did) if did else []
    return await console.answer(
        "reports.html",
        live=True,
        reports=found,
        counts=counts,
        statuses=list(ReportStatus),
        status_chosen=status,
        most=MOST_REPORTS,
        done=done[0] if done else None,
    )


@pages.get("/nights")
async def nights(console: Shared) -> Response:
    settings = console.settings
    schedule = Nights.parse(settings.nightly_at, settings.nightly_zone)
    async with asking():
        runs = await recorded_runs(console.database, JOB, MOST_NIGHTS)
    return await console.answer(
        "nights.html",
        live=True,
        runs=runs,
        at=settings.nightly_at if schedule else None,
        zone=settings.nightly_zone,
    )


@pages.get("/actions")
async def actions(console: Shared) -> Response:
    async with asking():
        await close_abandoned(console.database)
        found = await recorded_actions(console.database, limit=MOST_ACTIONS)
    return await console.answer("actions.html", live=True, actions=found, most=MOST_ACTIONS)


@pages.get("/receipt")
async def receipt_page(
    console: Shared,
    claim: Annotated[str, Query(max_length=64)] = "",
    version: Annotated[str, Query(max_length=20)] = "",
) -> Response:
    """No amount, and nothing else that the claim holds but its state, is shown."""
    found, said = None, ""
    claim_id = number = None
    if claim.strip():
        with suppress(ValueError):
            claim_id = UUID(claim.strip())
        said = "" if claim_id else "That is no claim's id: an id is a UUID, 36 characters long."
    if version.strip():
        if version.strip().isascii() and version.strip().isdecimal():
            number = int(version)
        else:
            said = "A version is a whole number."
    if claim_id and not said:
        found = await receipt(console.settings, console.database, claim_id, number, None)
    return await console.answer(
        "receipt.html",
        found=found,
        said=said,
        claim=claim,
        asked_version=version,
        now=datetime.now(UTC),
    )
