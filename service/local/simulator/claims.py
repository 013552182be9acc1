"""What a made-up claim says: dates, codes, fees and forms that go together.

A practice works from Monday to Friday and is paid on Fridays; statutory holidays are not modelled.
"""

from bisect import bisect
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Final, NamedTuple

from service.local.simulator.providers import FAMILY, SimulatedProvider, uuid_text
from service.local.simulator.suggestions import Suggestion

CENT: Final = Decimal("0.01")
FRIDAY: Final = 4
SUBMISSION_WINDOW: Final = timedelta(days=90)
_FORGOTTEN_SHARE: Final = 0.06  # visits that missed their week's submission


class _Modifier(NamedTuple):
    code: str
    factor: Decimal


class _Form(NamedTuple):
    form_id: str
    fee: Decimal
    tiered: bool  # invoices have no timing tier


class _Tier(NamedTuple):
    name: str
    factor: Decimal
    earliest: int  # working days between the visit and the form
    latest: int


_MODIFIERS: Final = (
    _Modifier("CMGP01", Decimal("1.35")),
    _Modifier("CMGP02", Decimal("1.70")),
    _Modifier("AGE", Decimal("1.20")),
    _Modifier("TEV", Decimal("1.25")),
    _Modifier("TELES", Decimal("1.00")),
    _Modifier("LVP75", Decimal("0.75")),
)
# Family physicians report on C050E and C151, specialists on their S forms; the rest are invoices.
_INVOICES: Final = (
    _Form("C568", Decimal("48.20"), tiered=False),
    _Form("C568A", Decimal("61.75"), tiered=False),
    _Form("C569", Decimal("35.00"), tiered=False),
    _Form("C570", Decimal("27.50"), tiered=False),
)
_FAMILY_FORMS: Final = (
    _Form("C050E", Decimal("94.00"), tiered=True),
    _Form("C151", Decimal("57.25"), tiered=True),
    *_INVOICES,
)
_SPECIALIST_FORMS: Final = (
    _Form("C050S", Decimal("112.40"), tiered=True),
    _Form("C151S", Decimal("70.10"), tiered=True),
    *_INVOICES,
)
_FORM_USE: Final = (0.45, 0.75, 0.87, 0.92, 0.97, 1.0)  # running total of the shares
_TIERS: Final = (
    _Tier("SAME_DAY", Decimal("1.00"), 0, 0),
    _Tier("ON_TIME", Decimal("0.90"), 1, 3),
    _Tier("LATE", Decimal("0.60"), 4, 25),
)
_TIER_USE: Final = (0.45, 0.85, 1.0)
_FORM_BY_ID: Final = {form.form_id: form for form in (*_FAMILY_FORMS, *_SPECIALIST_FORMS)}
# What the author of a draft may have left open, beside the fee.
_LEFT_OPEN: Final = {"AHCIP": ("ba_number", "hsc_code"), "WCB": ("form_id",)}


@dataclass(slots=True)
class Claim:
    """One claim over its life; `data` has the fields that every claim event carries.

    `unfinished` names those of them that its author has still to fill in.
    """

    provider: SimulatedProvider
    claim_id: str
    data: dict[str, object]
    fee: Decimal
    rrnp_rate: Decimal
    version: int = 0
    published: bool = False  # whether any of its events went out
    created_at: datetime | None = None
    unfinished: tuple[str, ...] = ()
    assessed_fee: Decimal | None = None  # what the payer has said that it will pay
    refused_on: date | None = None  # the latest time
    suggestion: Suggestion | None = None  # the coach's latest on it

    @property
    def is_wcb(self) -> bool:
        return self.data["claim_type"] == "WCB"

    @property
    def deadline(self) -> date | None:
        """The plan takes claims for 90 days after the service, and again for 90 days after it
        refused one; a WCB form's tier is its deadline."""
        if self.is_wcb:
            return None
        visited = date.fromisoformat(str(self.data["date_of_service"]))
        return (self.refused_on or visited) + SUBMISSION_WINDOW

    def as_it_stands(self) -> dict[str, object]:
        return {**self.data, **dict.fromkeys(self.unfinished)}


def ahcip_claim(rng: Random, provider: SimulatedProvider, submitted_on: date) -> Claim:
    """A claim to the provincial plan for a visit in the working week up to the submission."""
    forgotten = rng.random() < _FORGOTTEN_SHARE
    days = rng.randint(5, 40) if forgotten else int(rng.random() * 5)
    visited = working_days_before(last_working_day(submitted_on), days)
    location = provider.draw_location(rng)
    claim = _claim(rng, provider, "AHCIP", visited)
    claim.rrnp_rate = location.rrnp_rate
    claim.data["ba_number"] = provider.draw_ba_number(rng)
    claim.data["location_id"] = location.location_id
    price_by_code(rng, claim)
    return claim


def wcb_claim(rng: Random, provider: SimulatedProvider, submitted_on: date) -> Claim:
    """A form to the workers' compensation board; the later it is sent, the less it pays."""
    forms = _FAMILY_FORMS if provider.specialty == FAMILY else _SPECIALIST_FORMS
    form = forms[bisect(_FORM_USE, rng.random())]
    tier = _TIERS[bisect(_TIER_USE, rng.random())]
    days = rng.randint(tier.earliest, tier.latest)
    visited = working_days_before(last_working_day(submitted_on), days)
    claim = _claim(rng, provider, "WCB", visited)
    claim.data["form_id"] = form.form_id
    claim.data["timing_tier"] = tier.name if form.tiered else None
    _fill_wcb_blanks(rng, claim)
    set_fee(claim, form.fee * tier.factor if form.tiered else form.fee)
    return claim


def price_by_code(rng: Random, claim: Claim) -> None:
    """Gives an AHCIP claim a code of its provider's repertoire, modifiers, and the fee of both."""
    code = claim.provider.draw_code(rng)
    modifiers = _draw_modifiers(rng)
    claim.data["hsc_code"] = code.hsc_code
    claim.data["modifiers"] = [modifier.code for modifier in modifiers]
    fee = code.base_fee
    for modifier in modifiers:
        fee *= modifier.factor
    set_fee(claim, fee)


def set_fee(claim: Claim, fee: Decimal) -> None:
    claim.fee = fee.quantize(CENT)
    claim.data["submitted_fee"] = str(claim.fee)


def leave_unfinished(rng: Random, claim: Claim) -> None:
    """A draft before its author has asked for a fee, and perhaps chosen what for."""
    left_open = _LEFT_OPEN[str(claim.data["claim_type"])]
    claim.unfinished = ("submitted_fee", *(name for name in left_open if rng.random() < 0.5))


def hold_back(claim: Claim) -> None:
    """A form that is not sent yet has no tier."""
    claim.data["timing_tier"] = None


def send_on(claim: Claim, day: date) -> None:
    """What was held back goes out; for a form, the days since the visit set tier and fee."""
    if not claim.is_wcb:
        return
    form = _FORM_BY_ID[str(claim.data["form_id"])]
    if form.tiered:
        visited = date.fromisoformat(str(claim.data["date_of_service"]))
        waited = sum(
            is_working_day(visited + timedelta(n + 1)) for n in range((day - visited).days)
        )
        tier = next((tier for tier in _TIERS if waited <= tier.latest), _TIERS[-1])
        claim.data["timing_tier"] = tier.name
        set_fee(claim, form.fee * tier.factor)


def _claim(rng: Random, provider: SimulatedProvider, claim_type: str, visited: date) -> Claim:
    claim_id = uuid_text(rng)
    data: dict[str, object] = {
        "claim_id": claim_id,
        "claim_version": 0,
        "provider_id": provider.provider_id,
        "claim_type": claim_type,
        "date_of_service": visited.isoformat(),
        "patient_phn": f"{rng.randrange(10**9):09d}",
        "ba_number": None,
        "location_id": None,
        "hsc_code": None,
        "modifiers": [],
        "form_id": None,
        "timing_tier": None,
        "submitted_fee": "0.00",
    }
    return Claim(provider, claim_id, data, Decimal(0), Decimal(0))


def _fill_wcb_blanks(rng: Random, claim: Claim) -> None:
    """WCB asks for less than the plan: each of these is left out now and then."""
    provider, data = claim.provider, claim.data
    if rng.random() < 0.1:
        data["patient_phn"] = None
    if rng.random() < 0.85:
        data["ba_number"] = provider.draw_ba_number(rng)
    if rng.random() < 0.8:
        data["location_id"] = provider.draw_location(rng).location_id
    if rng.random() < 0.6:
        data["hsc_code"] = provider.draw_code(rng).hsc_code


def _draw_modifiers(rng: Random) -> tuple[_Modifier, ...]:
    draw = rng.random()
    if draw < 0.78:
        return ()
    if draw < 0.96:
        return (rng.choice(_MODIFIERS),)
    return tuple(rng.sample(_MODIFIERS, 2))


def is_working_day(day: date) -> bool:
    return day.weekday() <= FRIDAY


def last_working_day(day: date) -> date:
    """The day itself, or the Friday before when it is a weekend."""
    return day - timedelta(days=max(0, day.weekday() - FRIDAY))


def next_working_day(day: date) -> date:
    """The day itself, or the Monday after when it is a weekend."""
    return day if is_working_day(day) else day + timedelta(days=7 - day.weekday())


def working_days_before(day: date, count: int) -> date:
    """The working day that lies `count` working days before a working day."""
    weeks, rest = divmod(count, 5)
    weekend = 2 if rest > day.weekday() else 0
    return day - timedelta(days=7 * weeks + rest + weekend)


def friday_from(day: date) -> date:
    """The day itself when it is a Friday, or else the next Friday."""
    return day + timedelta(days=(FRIDAY - day.weekday()) % 7)
