"""What an operator asks to be read again, in his words and in Kafka's."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from consumers.engine.subscription import AnySubscription
from consumers.replay.ranges import Bound, InPartition
from consumers.topics.claims import CLAIMS
from consumers.topics.suggestions import AI_SUGGESTIONS
from service.settings import Settings

SUBSCRIPTIONS: tuple[AnySubscription, ...] = (CLAIMS, AI_SUGGESTIONS)
BEGINNING, NOW = "beginning", "now"
PLACE = re.compile(r"([0-9]{1,9}):([0-9]{1,18})")


class RequestWrong(ValueError):
    """What is asked for makes no sense; the message says why."""


@dataclass(frozen=True)
class ReplayRequest:
    """`topics` are default names; `begin` and `end` as `consumers.replay.ranges` has them."""

    topics: Sequence[str]
    named: bool  # or all of them, those that are there
    begin: Bound
    end: Bound
    provider: UUID | None = None
    redecode: bool = False
    identity: bool = False
    dry_run: bool = False
    rate: float | None = None
    whatever_is_left: bool = False


def bound_of(text: str, default: str) -> Bound:
    """An ISO time with an offset, PARTITION:OFFSET, or the default word. Raises RequestWrong."""
    if text == default:
        return None
    if place := PLACE.fullmatch(text):
        return InPartition(int(place[1]), int(place[2]))
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise RequestWrong(
            f"{text} is neither {default}, nor a time such as 2026-03-01T00:00:00-07:00, nor"
            " PARTITION:OFFSET such as 3:1200."
        ) from None
    if time.tzinfo is None:
        raise RequestWrong(
            f"{text} has no offset from UTC, so it could be several moments: write"
            f" {time.isoformat()}Z for UTC, or an offset such as -07:00 at its end."
        )
    return int(time.timestamp() * 1000)


def check(request: ReplayRequest) -> None:
    """Raises RequestWrong for ranges upside down, and for what does not go together."""
    begin, end = request.begin, request.end
    places = [bound for bound in (begin, end) if isinstance(bound, InPartition)]
    if places and not (request.named and len(request.topics) == 1):
        raise RequestWrong("PARTITION:OFFSET is a place in one topic: name it with --topic.")
    if len({place.partition for place in places}) > 1:
        raise RequestWrong("--from and --to name different partitions: replay them one by one.")
    upside_down = (
        begin.offset >= end.offset
        if isinstance(begin, InPartition) and isinstance(end, InPartition)
        else isinstance(begin, int) and isinstance(end, int) and begin >= end
    )
    if upside_down:
        raise RequestWrong("--from does not lie before --to: there is nothing between them.")
    if request.rate is not None and not request.rate > 0:
        raise RequestWrong("--rate is events a second: it must be more than 0.")
    if request.identity and not request.redecode:
        raise RequestWrong("--identity goes with --redecode alone.")


def topics_named(settings: Settings, given: Sequence[str]) -> Sequence[str]:
    """The default names of topics that are named by those, or as the settings name them; all if
    none are given. Raises RequestWrong for what cannot be replayed."""
    ours = {name: name for each in SUBSCRIPTIONS for name in each.decoders}
    ours |= {settings.topic(name): name for name in tuple(ours)}
    for topic in given:
        if topic not in ours:
            can = ", ".join(name for each in SUBSCRIPTIONS for name in each.decoders)
            raise RequestWrong(f"{topic} is no topic that can be replayed: those are {can}.")
    return list(dict.fromkeys(ours[topic] for topic in given or ours))
