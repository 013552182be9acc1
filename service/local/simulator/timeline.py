"""When what happens to claims: months of history up to yesterday, then what happens now."""

from bisect import bisect
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from itertools import accumulate, islice
from operator import itemgetter
from random import Random
from typing import Final, NamedTuple

from service.local.simulator.claims import Claim, ahcip_claim, is_working_day, wcb_claim
from service.local.simulator.courses import WCB_SHARE, Course, submission_share
from service.local.simulator.lifecycle import BY_THE_PAYER, Step, take
from service.local.simulator.messages import Change
from service.local.simulator.providers import SimulatedProvider

_MOST_WAITING: Final = 20_000  # live claims that wait beyond this are never answered
# Seconds of the UTC day: the payer answers before the practices open, 8 to 18 o'clock in Alberta.
_PAYERS_HOURS: Final = (11 * 3600, 13 * 3600)
_OFFICE_HOURS: Final = (14 * 3600, 24 * 3600 - 1)


class OpenStep(NamedTuple):
    """A step that is still to come when the history ends."""

    claim: Claim
    step: Step


class ClinicPicker:
    """Draws the provider of a new claim; some practices are three times as busy as others."""

    def __init__(self, rng: Random, providers: Sequence[SimulatedProvider]) -> None:
        self._providers = providers
        self._activity = list(accumulate(rng.uniform(0.5, 1.5) for _ in providers))

    def draw(self, rng: Random) -> SimulatedProvider:
        mark = rng.random() * self._activity[-1]
        return self._providers[min(bisect(self._activity, mark), len(self._providers) - 1)]


class History:
    """Exactly `count` changes between `now - months` and the start of now's day.

    How many claims are new on a day follows from what is still missing, divided over the days
    left by the number of changes that a claim of each day may be expected to have until the end.
    So the pace is even, and the last working day comes out exact.
    """

    def __init__(
        self,
        rng: Random,
        clinics: ClinicPicker,
        course: Course,
        now: datetime,
        months: int,
        count: int,
    ) -> None:
        self._rng = rng
        self._course = course
        self._clinics = clinics
        self._days = working_days_until(now.date(), months)
        self._count = count
        self._due: dict[date, list[OpenStep]] = {}
        self._due_count = 0
        self._beyond: list[tuple[date, OpenStep]] = []

    def __iter__(self) -> Iterator[Change]:
        return islice(self._changes(), self._count)

    def left_open(self) -> deque[OpenStep]:
        """What remains to be done after the last day, the earliest first."""
        return deque(item for _, item in sorted(self._beyond, key=itemgetter(0)))

    def _changes(self) -> Iterator[Change]:
        made, rng, course = 0, self._rng, self._course
        for day, share in zip(self._days, _shares_of_days(self._days, course), strict=True):
            wanted = (self._count - made - self._due_count) * share
            new = max(0, int(wanted + rng.random()))  # right on average, and when whole
            due = self._due.pop(day, [])
            self._due_count -= len(due)
            wcb_share = WCB_SHARE / 5 / submission_share(day)
            todo: list[tuple[int, Claim | None, Step]]  # None: the claim begins with this step
            todo = [(_moment(rng, step), claim, step) for claim, step in due]
            firsts = (course.first_step(rng) for _ in range(new))
            todo += [(_moment(rng, step), None, step) for step in firsts]
            for milliseconds, known, step in sorted(todo, key=itemgetter(0)):
                at = datetime.combine(day, time(), UTC) + timedelta(milliseconds=milliseconds)
                claim = known or _new_claim(rng, self._clinics, day, wcb_share)
                yield self._happen(claim, step, day, at)
                made += 1

    def _happen(self, claim: Claim, step: Step, day: date, at: datetime) -> Change:
        change = take(step, self._rng, claim, at)
        for on, following in self._course.following_steps(step, self._rng, claim, day):
            if on > self._days[-1]:
                self._beyond.append((on, OpenStep(claim, following)))
            else:
                self._due.setdefault(on, []).append(OpenStep(claim, following))
                self._due_count += 1
        return change


def live_changes(
    rng: Random,
    clinics: ClinicPicker,
    course: Course,
    now: datetime,
    left_open: Iterable[OpenStep],
    per_second: float,
) -> Iterator[Change]:
    """Endless: some of the changes are new claims, the others go on with the oldest open.

    They come evenly, on every day of the week: a live view is to show all of it at any time. What
    waits for a day of the calendar, as deadlines do, does not come.
    """
    waiting: deque[OpenStep] = deque(maxlen=_MOST_WAITING)

    def wait(steps: Iterable[OpenStep]) -> None:
        waiting.extend(open_step for open_step in steps if open_step.step is not Step.EXPIRE)

    wait(left_open)
    while True:
        now += timedelta(seconds=rng.expovariate(per_second))
        if waiting and rng.random() >= course.new_share:
            claim, step = waiting.popleft()
        else:
            claim, step = _new_claim(rng, clinics, now.date(), WCB_SHARE), course.first_step(rng)
        yield take(step, rng, claim, now)
        steps = course.following_steps(step, rng, claim, now.date())
        wait(OpenStep(claim, following) for _, following in steps)


def _new_claim(rng: Random, clinics: ClinicPicker, day: date, wcb_share: float) -> Claim:
    write = ahcip_claim if rng.random() >= wcb_share else wcb_claim
    return write(rng, clinics.draw(rng), day)


def working_days_until(today: date, months: int) -> list[date]:
    """The working days of that many months before today."""
    span = months * 487 // 16  # a month has 30.4375 days
    days = (today - timedelta(days=back) for back in range(span, 0, -1))
    return [day for day in days if is_working_day(day)]


def _shares_of_days(days: Sequence[date], course: Course) -> list[float]:
    """For each day, the share of what is missing then that its own new claims make good."""
    per_claim = [submission_share(day) * course.expected_changes(day, days[-1]) for day in days]
    until_end = list(accumulate(reversed(per_claim)))[::-1]
    shares = [submission_share(day) / rest for day, rest in zip(days, until_end, strict=True)]
    return [*shares[:-1], 1.0]


def _moment(rng: Random, step: Step) -> int:
    """A time of the UTC day, in milliseconds."""
    first, last = _PAYERS_HOURS if step in BY_THE_PAYER else _OFFICE_HOURS
    return int((first + rng.random() * (last - first)) * 1000)
