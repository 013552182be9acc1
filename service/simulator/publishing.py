"""From changes of claims to messages, with the copies and the garbage between them."""

from collections import deque
from collections.abc import Iterator
from random import Random
from typing import Final

from service.simulator.garbage import make_garbage
from service.simulator.messages import Change, OutgoingEvent, binary, structured
from service.simulator.plan import Kind
from service.simulator.randomness import uuid_text
from service.simulator.tally import Tally

_REMEMBERED: Final = 500  # the latest events; one of them is copied or spoiled


class Publisher:
    """Writes messages as a plan asks for them, and counts what it handed out."""

    def __init__(
        self, rng: Random, another_id: float, structured_share: float, tally: Tally
    ) -> None:
        self._rng = rng
        self._another_id = another_id
        self._structured_share = structured_share
        self._tally = tally
        self._recent: deque[tuple[Change, OutgoingEvent]] = deque(maxlen=_REMEMBERED)

    def publish(self, kinds: Iterator[Kind], changes: Iterator[Change]) -> Iterator[OutgoingEvent]:
        for kind in kinds:
            if kind is Kind.EVENT:
                yield self._event(next(changes))
            elif kind is Kind.DUPLICATE:
                yield self._duplicate()
            else:
                yield self._garbage()

    def _event(self, change: Change) -> OutgoingEvent:
        message = self._encode(change)
        self._recent.append((change, message))
        self._tally.add_event(change)
        return message

    def _duplicate(self) -> OutgoingEvent:
        change, message = self._rng.choice(self._recent)
        self._tally.duplicates += 1
        return self._encode(change) if self._rng.random() < self._another_id else message

    def _garbage(self) -> OutgoingEvent:
        change, _ = self._rng.choice(self._recent)
        reason, message = make_garbage(self._rng, change)
        self._tally.garbage[reason] += 1
        return message

    def _encode(self, change: Change) -> OutgoingEvent:
        write = structured if self._rng.random() < self._structured_share else binary
        return write(change, uuid_text(self._rng))
