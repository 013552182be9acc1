"""Claims happening now, without the practices' weekly rhythm: someone is watching."""

from collections import deque
from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random
from typing import Final

from service.simulator.claims import Claim, ahcip_claim, wcb_claim
from service.simulator.history import WCB_SHARE, ClinicPicker, OpenStep
from service.simulator.lifecycle import CORRECTED_SHARE, PAID_AGAIN_SHARE, PAID_SHARE, Step, take
from service.simulator.messages import Change

_NEW_SHARE: Final = 0.5
_MOST_WAITING: Final = 20_000  # claims that wait beyond this are never paid


class Live:
    """Endless: half of the changes are new claims, the others pay or correct the oldest open."""

    def __init__(
        self,
        rng: Random,
        clinics: ClinicPicker,
        now: datetime,
        waiting: deque[OpenStep],
        per_second: float,
    ) -> None:
        self._rng = rng
        self._clinics = clinics
        self._now = now
        self._waiting: deque[OpenStep] = deque(waiting, maxlen=_MOST_WAITING)
        self._per_second = per_second

    def __iter__(self) -> Iterator[Change]:
        while True:
            self._now += timedelta(seconds=self._rng.expovariate(self._per_second))
            yield self._advance() if self._pays() else self._begin()

    def _pays(self) -> bool:
        return bool(self._waiting) and self._rng.random() >= _NEW_SHARE

    def _begin(self) -> Change:
        claim = self._new_claim()
        change = take(Step.SUBMIT, self._rng, claim, self._now)
        self._follow(claim, Step.CORRECT, CORRECTED_SHARE)
        self._follow(claim, Step.PAY, PAID_SHARE)
        return change

    def _advance(self) -> Change:
        claim, step = self._waiting.popleft()
        change = take(step, self._rng, claim, self._now)
        if step is Step.PAY:
            self._follow(claim, Step.PAY_AGAIN, PAID_AGAIN_SHARE)
        return change

    def _new_claim(self) -> Claim:
        write = ahcip_claim if self._rng.random() >= WCB_SHARE else wcb_claim
        return write(self._rng, self._clinics.draw(self._rng), self._now.date())

    def _follow(self, claim: Claim, step: Step, share: float) -> None:
        if self._rng.random() < share:
            self._waiting.append(OpenStep(claim, step))
