"""What follows what, and when: the course that claims take from the desk to the money.

`PLATFORM` is the platform's own, with everything that can happen to a claim. `PAYMENTS` knows
submissions and payments alone; benchmarks compare with former versions on it, so its bytes stay.
"""

from bisect import bisect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from typing import Final, NamedTuple, Protocol

from service.local.simulator.claims import Claim, friday_from, next_working_day
from service.local.simulator.lifecycle import Step

WCB_SHARE: Final = 0.18
THURSDAY: Final = 3
# A claim is paid on the first Friday eight days or more after it was sent, or weeks after that.
_FIRST_PAYMENT: Final = timedelta(days=8)
_PAYMENT_WEEKS: Final = (0.5, 0.78, 0.9, 0.96, 0.99, 1.0)  # running total of the shares, by week


class Course(Protocol):
    """What happens to claims."""

    @property
    def new_share(self) -> float:
        """The share of live changes that begin a claim."""
        ...

    def first_step(self, rng: Random) -> Step: ...

    def following_steps(
        self, step: Step, rng: Random, claim: Claim, day: date
    ) -> Iterator[tuple[date, Step]]:
        """What comes of a step taken on a day, and on which later working days."""
        ...

    def expected_changes(self, day: date, end: date) -> float:
        """How many changes a claim that begins on a day will have had by the end, on average."""
        ...


def submission_share(day: date) -> float:
    """The plan takes claims on Thursdays, the compensation board on every working day."""
    return WCB_SHARE / 5 + (1 - WCB_SHARE if day.weekday() == THURSDAY else 0)


class Payments:
    """Submitted, perhaps corrected, paid, now and then paid again."""

    new_share = 0.5
    _corrected_share = 0.05  # submitted once more before they are paid
    _paid_share = 0.93  # the rest stay open
    _paid_again_share = 0.03  # payments that the payer corrects later

    def first_step(self, rng: Random) -> Step:
        del rng
        return Step.SUBMIT

    def following_steps(
        self, step: Step, rng: Random, claim: Claim, day: date
    ) -> Iterator[tuple[date, Step]]:
        """A correction always comes before payment."""
        if step is Step.SUBMIT:
            if rng.random() < self._corrected_share:
                yield _soon(rng, claim, day), Step.CORRECT
            if rng.random() < self._paid_share:
                yield _on_a_payment_day(rng, claim, day), Step.PAY
        elif step is Step.PAY and rng.random() < self._paid_again_share:
            yield _weeks_later(rng, claim, day), Step.PAY_AGAIN

    def expected_changes(self, day: date, end: date) -> float:
        paid_by_end = 0.0
        if (weeks := (end - _first_payment_day(day)).days // 7) >= 0:
            paid_by_end = self._paid_share * _PAYMENT_WEEKS[min(weeks, len(_PAYMENT_WEEKS) - 1)]
        corrected_by_end = self._corrected_share if (end - day).days > 4 else 0.0
        return 1 + corrected_by_end + paid_by_end * (1 + self._paid_again_share)


When = Callable[[Random, Claim, date], date | None]


def _soon(rng: Random, _: Claim, day: date) -> date:
    return next_working_day(day + timedelta(days=rng.randint(1, 4)))


def _some_weeks_later(rng: Random, _: Claim, day: date) -> date:
    return next_working_day(day + timedelta(days=rng.randint(5, 25)))


def _with_the_next_transmission(_: Random, claim: Claim, day: date) -> date:
    tomorrow = next_working_day(day + timedelta(days=1))
    if claim.is_wcb:
        return tomorrow
    return tomorrow + timedelta(days=(THURSDAY - tomorrow.weekday()) % 7)


def _first_payment_day(submitted_on: date) -> date:
    return friday_from(submitted_on + _FIRST_PAYMENT)


def _on_a_payment_day(rng: Random, _: Claim, day: date) -> date:
    return _first_payment_day(day) + timedelta(weeks=bisect(_PAYMENT_WEEKS, rng.random()))


def _weeks_later(rng: Random, _: Claim, day: date) -> date:
    return friday_from(day + timedelta(weeks=rng.randint(1, 9)))


def _before_the_deadline(rng: Random, claim: Claim, day: date) -> date | None:
    if claim.deadline is None:
        return None
    return max(
        _soon(rng, claim, day), next_working_day(claim.deadline - timedelta(days=rng.randint(3, 9)))
    )


def _after_the_deadline(_: Random, claim: Claim, day: date) -> date | None:
    """Never, where there is none."""
    if claim.deadline is None:
        return None
    return next_working_day(max(claim.deadline, day) + timedelta(days=1))


class _Branch(NamedTuple):
    share: float
    step: Step
    when: When


_ANSWERS: Final = (
    _Branch(0.155, Step.REJECT, _on_a_payment_day),
    _Branch(0.175, Step.ASSESS, _soon),
    _Branch(0.64, Step.PAY, _on_a_payment_day),
)
# What becomes of a claim after each step: one of these, or nothing more.
_NEXT: Final[Mapping[Step, tuple[_Branch, ...]]] = {
    Step.SAVE: (
        _Branch(0.4, Step.EDIT, _soon),
        _Branch(0.3, Step.VALIDATE, _soon),
        _Branch(0.05, Step.WITHDRAW, _soon),
        _Branch(0.2, Step.EXPIRE, _after_the_deadline),
    ),
    Step.EDIT: (
        _Branch(0.1, Step.EDIT, _some_weeks_later),
        _Branch(0.75, Step.VALIDATE, _soon),
        _Branch(0.15, Step.EXPIRE, _after_the_deadline),
    ),
    Step.VALIDATE: (
        _Branch(0.03, Step.EDIT, _soon),
        _Branch(0.4, Step.QUEUE, _soon),
        _Branch(0.5, Step.SUBMIT, _with_the_next_transmission),
        _Branch(0.07, Step.EXPIRE, _after_the_deadline),
    ),
    Step.QUEUE: (
        _Branch(0.98, Step.SUBMIT, _with_the_next_transmission),
        _Branch(0.02, Step.WITHDRAW, _soon),
    ),
    Step.SUBMIT: (
        _Branch(0.03, Step.CORRECT, _soon),
        _Branch(0.008, Step.WITHDRAW, _soon),
        *_ANSWERS,
    ),
    Step.CORRECT: _ANSWERS,
    Step.ASSESS: (
        _Branch(0.02, Step.REJECT, _on_a_payment_day),
        _Branch(0.95, Step.PAY, _on_a_payment_day),
    ),
    Step.PAY: (_Branch(0.022, Step.ADJUST, _weeks_later),),
    Step.ADJUST: (_Branch(0.05, Step.ADJUST, _weeks_later),),
    Step.REJECT: (
        _Branch(0.1, Step.REVISE, _soon),
        _Branch(0.45, Step.RESUBMIT, _some_weeks_later),
        _Branch(0.07, Step.RESUBMIT, _before_the_deadline),
        _Branch(0.1, Step.WRITE_OFF, _some_weeks_later),
        _Branch(0.15, Step.EXPIRE, _after_the_deadline),
    ),
    Step.REVISE: (
        _Branch(0.8, Step.RESUBMIT, _with_the_next_transmission),
        _Branch(0.05, Step.WRITE_OFF, _some_weeks_later),
        _Branch(0.05, Step.WITHDRAW, _some_weeks_later),
        _Branch(0.1, Step.EXPIRE, _after_the_deadline),
    ),
    Step.RESUBMIT: (
        _Branch(0.12, Step.REJECT, _on_a_payment_day),
        _Branch(0.15, Step.ASSESS, _soon),
        _Branch(0.68, Step.PAY, _on_a_payment_day),
    ),
}
# What becomes of a suggestion, beside that.
_COACHING: Final[Mapping[Step, tuple[_Branch, ...]]] = {
    Step.GENERATED: (
        _Branch(0.5, Step.ACCEPTED, _soon),
        _Branch(0.3, Step.DISMISSED, _soon),
    ),
    Step.DISMISSED: (_Branch(0.2, Step.SUPPRESSED, _soon),),
    Step.SUPPRESSED: (_Branch(0.4, Step.UNSUPPRESSED, _some_weeks_later),),
}
# How many changes claims have had on average, by the weeks since their first (measured).
_BY_WEEK: Final = (1.4, 1.85, 2.2, 2.4, 2.5, 2.55, 2.6, 2.65, 2.7)


@dataclass(frozen=True)
class Platform:
    """The platform's state machine and its coach.

    `drafted` is the share of new claims that are seen as drafts before they are sent, `coached`
    that of claims of which the coach has something to say.
    """

    drafted: float = 0.02
    coached: float = 0.1
    new_share: float = 0.35

    def first_step(self, rng: Random) -> Step:
        return Step.SAVE if rng.random() < self.drafted else Step.SUBMIT

    def following_steps(
        self, step: Step, rng: Random, claim: Claim, day: date
    ) -> Iterator[tuple[date, Step]]:
        yield from _drawn(_NEXT.get(step, ()), rng, claim, day)
        yield from _drawn(_COACHING.get(step, ()), rng, claim, day)
        suggestion = claim.suggestion
        if step is Step.SUBMIT and suggestion is None and rng.random() < self.coached:
            yield _soon(rng, claim, day), Step.GENERATED
        if step is Step.REJECT and suggestion is not None and suggestion.dismissed:
            yield _soon(rng, claim, day), Step.REJECTION_FEEDBACK

    def expected_changes(self, day: date, end: date) -> float:
        return _BY_WEEK[min((end - day).days // 7, len(_BY_WEEK) - 1)]


def _drawn(
    branches: tuple[_Branch, ...], rng: Random, claim: Claim, day: date
) -> Iterator[tuple[date, Step]]:
    """One of the branches, or none."""
    draw = rng.random() if branches else 1.0
    for share, step, when in branches:
        if draw < share:
            on = when(rng, claim, day)
            if on is not None:
                yield on, step
            return
        draw -= share


PAYMENTS: Final = Payments()
PLATFORM: Final = Platform()
