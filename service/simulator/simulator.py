"""The way in: a seed, a number of providers and a now make a claim service's messages."""

from collections import deque
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from service.simulator.history import ClinicPicker, History, OpenStep
from service.simulator.imperfections import USUAL, Disorder, Imperfections
from service.simulator.live import Live
from service.simulator.messages import Change, OutgoingEvent
from service.simulator.plan import Kind, Shares, endless_plan, exact_plan
from service.simulator.providers import SimulatedProvider, make_providers
from service.simulator.publishing import Publisher
from service.simulator.randomness import stream
from service.simulator.tally import Tally

# How far a late event may fall behind, in messages.
_LATE_BY_LIVE: Final = 50
_LATE_BY_HISTORY: Final = 5_000
_LATE_PART_OF_HISTORY: Final = 50  # and in a short history no more than this part of it


class Simulator:
    """Makes the same bytes for the same arguments and the same calls, however it is paced.

    So two simulators of one seed and another `now` contradict each other (other content for the
    same claims): give each its own seed if both publish to the same topics.

    `now` is an aware time: the history ends on the day before it, the live events begin with it.
    `structured_share` is the share of messages in CloudEvents' structured mode. `tally` counts
    what was handed out, history and live together.
    """

    def __init__(
        self,
        seed: int,
        providers: int,
        now: datetime,
        months: int = 18,
        imperfections: Imperfections = USUAL,
        structured_share: float = 0.0,
    ) -> None:
        _check(providers, now, months, structured_share)
        self._seed = seed
        self._now = now.astimezone(UTC)
        self._months = months
        self._imperfections = imperfections
        self._structured_share = structured_share
        self._left_open: deque[OpenStep] = deque()
        self._live_streams = 0
        self.providers: tuple[SimulatedProvider, ...] = make_providers(seed, providers)
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

    def _history(self, messages: int) -> Iterator[OutgoingEvent]:
        shares = Shares.of(messages, self._imperfections)
        rng = stream(self._seed, "history")
        history = History(rng, self._clinics(), self._now, self._months, shares.events)
        late_by = min(_LATE_BY_HISTORY, messages // _LATE_PART_OF_HISTORY)
        kinds = exact_plan(stream(self._seed, "history kinds"), shares)
        yield from self._publish("history", kinds, iter(history), late_by)
        self._left_open = history.left_open()

    def _live(self, per_second: float) -> Iterator[OutgoingEvent]:
        self._live_streams += 1  # each makes claims of its own
        part = f"live {self._live_streams}"
        rng = stream(self._seed, part)
        live = Live(rng, self._clinics(), self._now, self._left_open, per_second)
        kinds = endless_plan(stream(self._seed, f"{part} kinds"), self._imperfections)
        yield from self._publish(part, kinds, iter(live), _LATE_BY_LIVE)

    def _publish(
        self, part: str, kinds: Iterator[Kind], changes: Iterator[Change], late_by: int
    ) -> Iterator[OutgoingEvent]:
        rates = self._imperfections
        disorder = Disorder(stream(self._seed, f"{part} order"), rates, late_by, self.tally)
        publisher = Publisher(
            stream(self._seed, f"{part} messages"),
            rates.another_id,
            self._structured_share,
            self.tally,
        )
        yield from publisher.publish(kinds, disorder.apply(changes))

    def _clinics(self) -> ClinicPicker:
        return ClinicPicker(stream(self._seed, "activity"), self.providers)


def _check(providers: int, now: datetime, months: int, structured_share: float) -> None:
    if providers < 1:
        raise ValueError(f"the simulator needs at least 1 provider, not {providers}")
    if months < 1:
        raise ValueError(f"the simulator needs at least 1 month of history, not {months}")
    if now.tzinfo is None:
        raise ValueError("now must bear a time zone: use datetime.now(UTC)")
    if not 0 <= structured_share <= 1:
        raise ValueError(f"structured_share lies between 0 and 1, not {structured_share}")
