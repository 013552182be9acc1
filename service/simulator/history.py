"""Months of claims in the order in which they happened, ending with the day before now."""

from bisect import bisect
from collections import deque
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from itertools import accumulate, islice
from random import Random
from typing import Final, NamedTuple

from service.simulator.claims import Claim, ahcip_claim, wcb_claim
from service.simulator.lifecycle import (
    CORRECTED_SHARE,
    PAID_AGAIN_SHARE,
    PAID_SHARE,
    PAYMENT_WEEKS,
    Step,
    first_payment_day,
    steps_after_payment,
    steps_after_submission,
    take,
)
from service.simulator.messages import Change
from service.simulator.providers import SimulatedProvider
from service.simulator.working_days import THURSDAY, is_working_day

WCB_SHARE: Final = 0.18
# Seconds of the UTC day: the payer pays before the practices open, 8 to 18 o'clock in Alberta.
_PAYMENT_HOURS: Final = (11 * 3600, 13 * 3600)
_OFFICE_HOURS: Final = (14 * 3600, 24 * 3600 - 1)


class OpenStep(NamedTuple):
    """A step that is still to come when the history ends."""

    claim: Claim
    step: Step


class _Entry(NamedTuple):
    """Something that happens on a day; a claim that is not there yet begins with it."""

    milliseconds: int
    claim: Claim | None
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
        self, rng: Random, clinics: ClinicPicker, now: datetime, months: int, count: int
    ) -> None:
        self._rng = rng
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
        return deque(item for _, item in sorted(self._beyond, key=lambda entry: entry[0]))

    def _changes(self) -> Iterator[Change]:
        made = 0
        for day, share in zip(self._days, _shares_of_days(self._days), strict=True):
            wanted = (self._count - made - self._due_count) * share
            new = max(0, int(wanted + self._rng.random()))  # right on average, and when whole
            for entry in self._entries(day, new):
                yield self._happen(day, entry)
                made += 1

    def _entries(self, day: date, new: int) -> list[_Entry]:
        rng = self._rng
        due = self._due.pop(day, [])
        self._due_count -= len(due)
        entries = [_Entry(_moment(rng, item.step), *item) for item in due]
        entries += [_Entry(_moment(rng, Step.SUBMIT), None, Step.SUBMIT) for _ in range(new)]
        entries.sort(key=lambda entry: entry.milliseconds)
        return entries

    def _happen(self, day: date, entry: _Entry) -> Change:
        midnight = datetime.combine(day, time(), UTC)
        claim = entry.claim or self._new_claim(day)
        at = midnight + timedelta(milliseconds=entry.milliseconds)
        change = take(entry.step, self._rng, claim, at)
        self._plan(claim, entry.step, day)
        return change

    def _new_claim(self, day: date) -> Claim:
        write = ahcip_claim if self._rng.random() >= _wcb_share(day) else wcb_claim
        return write(self._rng, self._clinics.draw(self._rng), day)

    def _plan(self, claim: Claim, step: Step, day: date) -> None:
        if step is Step.SUBMIT:
            steps = steps_after_submission(self._rng, day)
        elif step is Step.PAY:
            steps = steps_after_payment(self._rng, day)
        else:
            return
        for on, following in steps:
            self._schedule(on, OpenStep(claim, following))

    def _schedule(self, on: date, item: OpenStep) -> None:
        if on > self._days[-1]:
            self._beyond.append((on, item))
        else:
            self._due.setdefault(on, []).append(item)
            self._due_count += 1


def working_days_until(today: date, months: int) -> list[date]:
    """The working days of that many months before today."""
    span = months * 487 // 16  # a month has 30.4375 days
    days = (today - timedelta(days=back) for back in range(span, 0, -1))
    return [day for day in days if is_working_day(day)]


def _shares_of_days(days: Sequence[date]) -> list[float]:
    """For each day, the share of what is missing then that its own new claims make good."""
    per_claim = [_submission_share(day) * _expected_changes(day, days[-1]) for day in days]
    until_end = list(accumulate(reversed(per_claim)))[::-1]
    shares = [_submission_share(day) / rest for day, rest in zip(days, until_end, strict=True)]
    return [*shares[:-1], 1.0]


def _expected_changes(day: date, end: date) -> float:
    """How many changes a claim submitted on a day will have had by the end, on average."""
    paid_by_end = 0.0
    if (weeks := (end - first_payment_day(day)).days // 7) >= 0:
        paid_by_end = PAID_SHARE * PAYMENT_WEEKS[min(weeks, len(PAYMENT_WEEKS) - 1)]
    corrected_by_end = CORRECTED_SHARE if (end - day).days > 4 else 0.0
    return 1 + corrected_by_end + paid_by_end * (1 + PAID_AGAIN_SHARE)


def _submission_share(day: date) -> float:
    """The plan takes claims on Thursdays, the compensation board on every working day."""
    return WCB_SHARE / 5 + (1 - WCB_SHARE if day.weekday() == THURSDAY else 0)


def _wcb_share(day: date) -> float:
    return WCB_SHARE / 5 / _submission_share(day)


def _moment(rng: Random, step: Step) -> int:
    """A time of the UTC day, in milliseconds."""
    paying = step in (Step.PAY, Step.PAY_AGAIN)
    first, last = _PAYMENT_HOURS if paying else _OFFICE_HOURS
    return int((first + rng.random() * (last - first)) * 1000)
