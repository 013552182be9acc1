"""Dead letters as a person reads them, and as JSON."""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import typer
from rich.console import Console
from rich.table import Table

from consumers.contracts.letters import Original
from repositories.operations.letter_states import KnownLetter, LetterGroup
from service.operations.redrive import Verdict


def show_groups(groups: Sequence[LetterGroup], as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps([group._asdict() for group in groups], default=str))
        return
    table = _table("topic", "reason\ndetail", "state", "letters", "first\nlast (UTC)")
    for group in groups:
        table.add_row(
            group.topic,
            f"{group.reason}\n{group.detail}",
            group.state,
            f"{group.letters:,}",
            f"{_minute(group.first)}\n{_minute(group.last)}",
        )
    _print(table, "No such dead letters.")


def show_letters(letters: Sequence[KnownLetter], as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps([plain(letter) for letter in letters], default=str))
        return
    table = _table("topic partition offset", "reason\ndetail", "state\nredrives", "since (UTC)")
    for letter in letters:
        table.add_row(
            _place(letter),
            f"{letter.reason}\n{letter.detail}",
            f"{letter.state}\n{letter.redrives}",
            _minute(letter.state_since),
        )
    _print(table, "No such dead letters.")


def show_verdict(verdict: Verdict) -> None:
    typer.echo(f"{_place(verdict.letter)}: {verdict.what}")


def show_verdicts(counts: Mapping[str, int], verdicts: Sequence[Verdict] | None) -> None:
    """How many of each kind, and as JSON each, if they were not shown already."""
    if verdicts is None:
        for what, count in counts.items():
            typer.echo(f"{count:,} {what}")
        return
    each = [plain(verdict.letter) | {"would": verdict.what} for verdict in verdicts]
    typer.echo(json.dumps({"letters": each, "counts": counts}, default=str))


def show_counts(counts: Mapping[str, int], as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(counts))
    else:
        typer.echo(", ".join(f"{number:,} {what}" for what, number in counts.items()) or "nothing")


def show_whole(letter: dict[str, Any], message: dict[str, Any]) -> None:
    """Every field of a letter, and of its message, if that is shown at all."""
    table = Table.grid(padding=(0, 2))
    for name, value in letter.items():
        table.add_row(name, "" if value is None else str(value))
    _print(table)
    for name, value in message.items():
        typer.echo(f"{name}: {json.dumps(value, ensure_ascii=False)}")


def plain(letter: KnownLetter) -> dict[str, Any]:
    """As JSON: its place apart, and its timestamp as a time."""
    topic, partition, offset, _ = letter.letter_id
    place = {"topic": topic, "partition": partition, "offset": offset}
    fields = {name: value for name, value in asdict(letter).items() if name != "letter_id"}
    return place | {"timestamp": letter.letter_id.moment} | fields


def message(original: Original | None) -> dict[str, Any]:
    """Key, headers and value, in the form that `publish` takes; empty if no topic has it."""
    if original is None:
        return {}
    headers = [[name, _text(value)] for name, value in original.headers]
    return {"key": _text(original.key), "headers": headers, "value": _text(original.value)}


def _text(raw: bytes | None) -> str | dict[str, str] | None:
    try:
        return None if raw is None else raw.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(raw or b"").decode()}


def _place(letter: KnownLetter) -> str:
    topic, partition, offset, _ = letter.letter_id
    return f"{topic} {partition} {offset}"


def _minute(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M}"


def _table(*heads: str) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
    for head in heads:
        table.add_column(head, overflow="fold")
    return table


def _print(table: Table, without_rows: str = "") -> None:
    if table.row_count:
        Console(highlight=False).print(table)
    else:
        typer.echo(without_rows)
