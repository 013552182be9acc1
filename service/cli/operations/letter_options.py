"""Which dead letters: the options that the commands of `dlq` share, and their mistakes."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

import typer

from consumers.contracts.refusal import DeadLetterReason
from repositories.operations.letter_states import LetterFilter
from repositories.vocabulary import LetterState
from service.cli.common import Exit, fail
from service.cli.operations.times import moment
from service.settings import Settings
from service.topics import READ

Topics = Annotated[
    list[str] | None,
    typer.Option("--topic", help="Of this topic, by its own name or by its default name."),
]
Reasons = Annotated[
    list[DeadLetterReason] | None, typer.Option("--reason", help="For this reason.")
]
States = Annotated[list[LetterState] | None, typer.Option("--state", help="In this state.")]
Since = Annotated[
    datetime | None,
    typer.Option(
        parser=moment,
        metavar="TIME",
        help="Dead-lettered then or later, such as 2026-03-01T08:00:00-07:00.",
    ),
]
Place = Annotated[
    list[str] | None,
    typer.Argument(metavar="[TOPIC PARTITION OFFSET]", help="Where one message was read."),
]


def letter_filter(
    settings: Settings,
    topics: Sequence[str] | None,
    reasons: Sequence[DeadLetterReason] | None,
    states: Sequence[LetterState] | None,
    since: datetime | None,
    place: Sequence[str] | None = None,
) -> LetterFilter:
    """Ends the process with a sentence about what is no topic or place."""
    if place and (topics or reasons or states or since):
        fail(
            "Give TOPIC PARTITION OFFSET, or options that say which letters, not both.", Exit.USAGE
        )
    return LetterFilter(
        [_topic(settings, name) for name in topics or ()],
        [reason.value for reason in reasons or ()],
        states or (),
        since,
        _place(settings, place) if place else None,
    )


def _topic(settings: Settings, name: str) -> str:
    found = _known_topic(settings, name)
    if not found:
        names = ", ".join(settings.topic(each) for each in READ)
        fail(f"{name} is no topic that this service reads: they are {names}.", Exit.USAGE)
    return found


def _known_topic(settings: Settings, name: str) -> str | None:
    if name in {settings.topic(each) for each in READ}:
        return name
    return settings.topic(name) if name in READ else None


def _place(settings: Settings, place: Sequence[str]) -> tuple[str, int, int]:
    """A topic that is not read any more may have letters still."""
    topic, *numbers = place
    if len(numbers) != 2 or not all(number.isdecimal() and len(number) < 19 for number in numbers):
        fail(
            "A place is TOPIC PARTITION OFFSET, such as claim-paid 3 1042: `dlq list --each` names"
            " them.",
            Exit.USAGE,
        )
    partition, offset = map(int, numbers)
    return _known_topic(settings, topic) or topic, min(partition, 2**31 - 1), offset
