"""The way in: a seed, a number of providers and a now make a claim service's messages."""

from collections import deque
from collections.abc import Iterator
from datetime import UTC, datetime
from random import Random
from typing import Final

from service.local.simulator import messages
from service.local.simulator.courses import PLATFORM, Course
from service.local.simulator.imperfections import (
    USUAL,
    Disorder,
    Imperfections,
    Kind,
    Tally,
    endless_kinds,
    exact_kinds,
)
from service.local.simulator.messages import Change, OutgoingEvent
from service.local.simulator.providers import make_providers, stream, uuid_text
from service.local.simulator.timeline import ClinicPicker, History, OpenStep, live_changes

# How far a late event may fall behind, in messages.
_LATE_BY_LIVE: Final = 50
_LATE_BY_HISTORY: Final = 5_000
_LATE_PART_OF_HISTORY: Final = 50  # and in a short history no more than this part of it
_REMEMBERED: Final = 500  # the latest events; one of them is copied or spoiled


class Simulator:
    """Makes the same bytes for the same arguments and the same calls, however it is paced.

    So two simulators of one seed and another `now` contradict each other (other content for the
    same claims): give each its own seed if both publish to the same topics.

    `now` is an aware time: the history ends on the day before it, the live events begin with it.
    `structured_share` is the share of messages in CloudEvents' structured mode; `course` says what
    happens to claims. `tally` counts what was handed out, history and live together.
    """

    def __init__(
        self,
        seed: int,
        providers: int,
        now: datetime,
        months: int = 18,
        imperfections: Imperfections = USUAL,
        structured_share: float = 0.0,
        course: Course = PLATFORM,
    ) -> None:
        if providers < 1:
            raise ValueError(f"the simulator needs at least 1 provider, not {providers}")
        if months < 1:
            raise ValueError(f"the simulator needs at least 1 month of history, not {months}")
        if now.tzinfo is None:
            raise ValueError("now must bear a time zone: use datetime.now(UTC)")
        if not 0 <= structured_share <= 1:
            raise ValueError(f"structured_share lies between 0 and 1, not {structured_share}")
        self._seed = seed
        self._now = now.astimezone(UTC)
        self._months = months
        self._imperfections = imperfections
        self._structured_share = structured_share
        self._course = course
        self._left_open: deque[OpenStep] = deque()
        self._live_streams = 0
        self.providers = make_providers(seed, providers)
        self.tally = Tally()

    def history(self, events: int) -> Iterator[OutgoingEvent]:
        """Exactly `events` messages of the months up to now, in the order of their publishing."""
        if events < 0:
            raise ValueError(f"a history has 0 messages or more, not {events}")
        return self._history(events)

    def live(self, per_second: float = 5.0) -> Iterator[OutgoingEvent]:
        """Endless messages from now on; simulated time passes at so many events a second.

        They go on with the claims that a history of this simulator left open, if one was read to
        its end. The caller sets the pace at which they are published.
        """
        if per_second <= 0:
            raise ValueError(f"live events need a rate above 0 a second, not {per_second}")
        return self._live(per_second)

    def _history(self, total: int) -> Iterator[OutgoingEvent]:
        rates = self._imperfections
        duplicates, garbage = int(total * rates.duplicates), int(total * rates.garbage)
        events = total - duplicates - garbage
        rng = self._stream("history")
        history = History(rng, self._clinics(), self._course, self._now, self._months, events)
        late_by = min(_LATE_BY_HISTORY, total // _LATE_PART_OF_HISTORY)
        kinds = exact_kinds(self._stream("history kinds"), events, duplicates, garbage)
        yield from self._publish("history", kinds, iter(history), late_by)
        self._left_open = history.left_open()

    def _live(self, per_second: float) -> Iterator[OutgoingEvent]:
        self._live_streams += 1  # each makes claims of its own
        part = f"live {self._live_streams}"
        rng = self._stream(part)
        changes = live_changes(
            rng, self._clinics(), self._course, self._now, self._left_open, per_second
        )
        kinds = endless_kinds(self._stream(f"{part} kinds"), self._imperfections)
        yield from self._publish(part, kinds, changes, _LATE_BY_LIVE)

    def _publish(
        self, part: str, kinds: Iterator[Kind], changes: Iterator[Change], late_by: int
    ) -> Iterator[OutgoingEvent]:
        """The changes in some disorder, with copies and garbage between them."""
        rates, tally = self._imperfections, self.tally
        changes = Disorder(self._stream(f"{part} order"), rates, late_by, tally).apply(changes)
        rng = self._stream(f"{part} messages")
        recent: deque[tuple[Change, OutgoingEvent]] = deque(maxlen=_REMEMBERED)

        def encode(change: Change) -> OutgoingEvent:
            is_structured = rng.random() < self._structured_share
            write = messages.structured if is_structured else messages.binary
            return write(change, uuid_text(rng))

        for kind in kinds:
            if kind is Kind.EVENT:
                change = next(changes)
                message = encode(change)
                recent.append((change, message))
                tally.add_event(change)
            elif kind is Kind.DUPLICATE:
                change, message = rng.choice(recent)
                tally.duplicates += 1
                message = encode(change) if rng.random() < rates.another_id else message
            else:
                reason, message = messages.make_garbage(rng, rng.choice(recent)[0])
                tally.garbage[reason] += 1
            yield message

    def _clinics(self) -> ClinicPicker:
        return ClinicPicker(self._stream("activity"), self.providers)

    def _stream(self, purpose: str) -> Random:
        return stream(self._seed, purpose)
