"""`claim-analytics receipt`: was this claim counted?"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

import typer
from rich.console import Console
from rich.table import Table

from repositories.operations.receipts import ClaimReceipt, CountedRow
from service import wiring
from service.cli.common import Exit, fail, load_settings, run_async
from service.cli.operations.times import moment
from service.operations.receipt import Answer, Receipt, became
from service.operations.receipt import receipt as find
from service.settings import Settings

CODES = {
    Answer.REMOVED: Exit.NOT_FOUND,
    Answer.DEAD: Exit.NOT_FOUND,
    Answer.NO: Exit.NOT_FOUND,
    Answer.NOT_YET: Exit.NOT_YET,
}


def receipt(
    claim_id: Annotated[UUID, typer.Argument(metavar="CLAIM_ID")],
    version: Annotated[
        int | None, typer.Option(min=1, help="Ask for this version of the claim.")
    ] = None,
    at: Annotated[
        datetime | None,
        typer.Option(
            parser=moment,
            metavar="TIME",
            help="If the claim is unknown: was all read that topics held by then? Such as"
            " 2026-03-01T14:30:00Z, when it was published. Without it: that they hold now.",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object, for programs.")] = False,
) -> None:
    """Say what became of a claim's events, and in which figures the claim counts now.

    The first line answers whether it was counted:

    \b
      yes        it makes the claim what it is now
      overtaken  it was taken in, and a higher version counts
      removed    it was over its time: `retention` removed it whole, and when is said
      dead       it could not be used: a dead letter names the claim
      no         it was not among what topics held by --at, all of which was read
      not yet    some of that was not read; the partitions are listed

    Then come the versions in the history, each with the record that it came from; dead letters
    that name the claim; and the rows of analytics_cache in which it counts, with what it adds to
    each. Lists such as top_hsc_codes follow from these rows and are not shown. Nothing is changed,
    and no patient's number is shown. Kafka is asked only where no event answers.

    --at goes by the records' timestamps: the broker's, or the publisher's where the topic is set
    to CreateTime. Times are in UTC.

    Exit codes: 0 yes or overtaken; 5 removed, dead or no; 7 not yet.
    """
    if at and at > datetime.now(UTC):
        fail(f"--at {at} is in the future, and what topics will hold is not known.", Exit.USAGE)
    found = run_async(_receipt(load_settings(), claim_id, version, at))
    if as_json:
        typer.echo(json.dumps(plain(found), default=str))
    else:
        show(found, Console(highlight=False, soft_wrap=True))
    if code := CODES.get(found.answer):
        raise typer.Exit(code)


async def _receipt(
    settings: Settings, claim_id: UUID, version: int | None, at: datetime | None
) -> Receipt:
    async with wiring.open_database(settings) as database:
        return await find(settings, database, claim_id, version, at)


def plain(found: Receipt) -> dict[str, Any]:
    """For programs; each event with what became of it."""
    claim = found.claim
    return {
        "claim_id": claim.claim_id,
        "version": found.version,
        "answer": found.answer,
        "provider_id": claim.provider_id,
        "counting_version": claim.counting_version,
        "removed_at": claim.removed_at,
        "events": [asdict(event) | {"became": became(event, claim)} for event in claim.events],
        "dead_letters": [asdict(letter) for letter in claim.letters],
        "rows": [asdict(row) for row in claim.rows],
        "read_by": found.at,
        "behind": [asdict(each) for each in found.behind],
        "missing_topics": list(found.missing),
        "letters_without_claim": found.unnamed_letters,
    }


def show(found: Receipt, console: Console) -> None:
    console.print(_answer(found))
    for line in _unread(found):
        console.print(line)
    claim = found.claim
    if claim.events:
        console.print("", _events(claim), sep="\n")
    for letter in claim.letters:
        console.print(
            f"\nDead letter ({letter.state}): {letter.reason}, {letter.detail}\n  from"
            f" {letter.source_topic} {letter.source_partition} {letter.source_offset},"
            f" first seen {_time(letter.first_seen_at)}"
        )
    if claim.counting_version is not None:
        console.print("", _rows(claim), sep="\n")


def _answer(found: Receipt) -> str:
    claim = found.claim
    what = f"Claim {claim.claim_id}"
    if found.version:
        what += f", version {found.version}"
    hold = f"held by {_time(found.at)} UTC" if found.at else "hold now"
    said = {
        Answer.YES: f"version {claim.counting_version} makes it what it is now.",
        Answer.OVERTAKEN: f"it was taken in, and version {claim.counting_version} counts.",
        Answer.REMOVED: "it was over its time, and `claim-analytics retention` removed it with all"
        f" its versions at {_time(claim.removed_at) if claim.removed_at else ''} UTC.",
        Answer.DEAD: "it could not be used, see the dead letter.",
        Answer.NO: f"it is not among what the claim topics {hold}, and all of that was read.",
        Answer.NOT_YET: f"it is not known, and not all was read that the claim topics {hold}.",
    }
    owner = f"\nProvider {claim.provider_id}" if claim.provider_id else ""
    return f"{found.answer}. {what}: {said[found.answer]}{owner}"


def _unread(found: Receipt) -> Iterator[str]:
    for each in found.behind:
        stands = "nothing of it was read" if each.next_offset is None else f"{each.next_offset:,}"
        yield (
            f"  not read: {each.topic} {each.partition}, {each.messages:,} messages at most"
            f" (next offset: {stands}; to be read: up to {each.until:,})"
        )
    for topic in found.missing:
        yield f"  there is no topic {topic} in Kafka"
    if found.unnamed_letters:
        yield (
            f"  {found.unnamed_letters:,} open dead letters name no claim, since no id could be"
            " read in them; each could be about this one: claim-analytics dlq list"
        )


def _events(claim: ClaimReceipt) -> Table:
    """Two lines each, so that nothing is cut on 80 columns."""
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
    for head in ("version\nstate", "happened (UTC)\napplied", "what became of it\nfrom"):
        table.add_column(head, overflow="fold")
    for event in claim.events:
        table.add_row(
            f"{event.claim_version}\n{event.state}",
            f"{_time(event.occurred_at)}\n{_time(event.applied_at)}",
            f"{became(event, claim)}\n{event.source_topic} {event.source_partition}"
            f" {event.source_offset}",
        )
    return table


def _rows(claim: ClaimReceipt) -> Table | str:
    if not claim.rows:
        return (
            "It counts in no figure now: none counts a claim in this state, or its month lies"
            " before the horizon, or its provider's figures are to be filled in."
        )
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
    for head in ("counts in\nperiod, of", "with", "of all\nclaims there"):
        table.add_column(head, overflow="fold")
    for row in claim.rows:
        table.add_row(
            f"{row.metric_key}\n{_period(row)}",
            _value(row.claim_value),
            _value(row.row_value) if row.row_value else "no such row",
        )
    return table


def _period(row: CountedRow) -> str:
    day = row.period_start == row.period_end
    period = f"{row.period_start}" if day else f"{row.period_start:%Y-%m}"
    only = [f"{name} {value}" for name, value in (row.dimensions or {}).items()]
    return ", ".join([period, *only])


def _value(value: Mapping[str, Any]) -> str:
    return "\n".join(f"{name} {number}" for name, number in value.items())


def _time(time: datetime) -> str:
    return f"{time.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
