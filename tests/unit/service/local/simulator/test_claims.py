"""What single claims say: the rules of the events, and figures that go together."""

from collections import Counter
from datetime import date, timedelta
from decimal import Decimal

import pytest

from service.local.simulator import SimulatedProvider
from service.local.simulator.providers import load_fee_codes
from tests.oracle import broken_rules
from tests.unit.service.local.simulator.reading import TYPES, ReadEvent, read, simulator

THURSDAY, FRIDAY = 3, 4
PROVIDERS = 40
BASE_FEES = {code.hsc_code: code.base_fee for code in load_fee_codes()}


@pytest.fixture(scope="module")
def events() -> list[ReadEvent]:
    read_events = map(read, simulator(providers=PROVIDERS).history(5_000))
    return [event for event in read_events if event.of_a_claim]


@pytest.fixture(scope="module")
def providers() -> dict[str, SimulatedProvider]:
    return {one.provider_id: one for one in simulator(providers=PROVIDERS).providers}


def of_type(events: list[ReadEvent], claim_type: str) -> list[ReadEvent]:
    return [event for event in events if event.data["claim_type"] == claim_type]


def payments(events: list[ReadEvent]) -> list[ReadEvent]:
    return [event for event in events if event.topic_key == "claim-paid"]


def sent(events: list[ReadEvent]) -> list[ReadEvent]:
    """All events but those of claims that are not finished."""
    return [event for event in events if event.data["submitted_fee"] is not None]


def first_submissions(events: list[ReadEvent]) -> list[ReadEvent]:
    """Of claims that were not seen as drafts before."""
    return [e for e in events if e.data["claim_version"] == 1 and e.state == "SUBMITTED"]


def test_every_event_keeps_the_rules(events: list[ReadEvent]) -> None:
    for event in events:
        assert event.ce_type == TYPES[event.topic_key]
        assert broken_rules(event.ce_type, event.data, event.at) == []


def test_every_event_is_a_cloudevent_keyed_by_its_provider() -> None:
    for message in simulator().history(50):
        headers = dict(message.headers)
        assert message.key.decode() == read(message).data["provider_id"]
        assert headers["ce_specversion"] == b"1.0"
        assert headers["content-type"] == b"application/json"
        assert headers["ce_source"]


def test_event_ids_are_unique(events: list[ReadEvent]) -> None:
    assert len({event.ce_id for event in events}) == len(events)


def test_every_provider_publishes_claims(
    events: list[ReadEvent], providers: dict[str, SimulatedProvider]
) -> None:
    assert {event.data["provider_id"] for event in events} == set(providers)


def test_about_four_claims_in_five_go_to_the_provincial_plan(events: list[ReadEvent]) -> None:
    first = first_submissions(events)
    assert 0.78 < len(of_type(first, "AHCIP")) / len(first) < 0.87


def test_providers_have_few_places_and_a_personal_repertoire(
    providers: dict[str, SimulatedProvider],
) -> None:
    for provider in providers.values():
        assert 1 <= len(provider.ba_numbers) <= 3
        assert 1 <= len(provider.locations) <= 4
        assert 15 <= len(set(provider.repertoire)) == len(provider.repertoire) <= 40
        assert provider.name.startswith("Dr. ")
    assert len({provider.repertoire for provider in providers.values()}) == PROVIDERS


def test_a_provider_bills_from_own_places_and_repertoire(
    events: list[ReadEvent], providers: dict[str, SimulatedProvider]
) -> None:
    for event in events:
        provider = providers[event.data["provider_id"]]
        assert event.data["ba_number"] in (*provider.ba_numbers, None)
        assert event.data["hsc_code"] in (*(code.hsc_code for code in provider.repertoire), None)
        places = {location.location_id for location in provider.locations}
        assert event.data["location_id"] in {*places, None}


def test_few_codes_make_up_most_of_a_providers_claims(events: list[ReadEvent]) -> None:
    busiest = Counter(event.data["provider_id"] for event in events).most_common(1)[0][0]
    codes = Counter(
        event.data["hsc_code"]
        for event in first_submissions(of_type(events, "AHCIP"))
        if event.data["provider_id"] == busiest
    )
    assert sum(count for _, count in codes.most_common(5)) > codes.total() / 3


def test_a_claim_without_modifiers_costs_its_base_fee(events: list[ReadEvent]) -> None:
    claims = of_type(sent(events), "AHCIP")
    plain = [event for event in claims if event.data["hsc_code"] and not event.data["modifiers"]]
    assert len(plain) > 1_000
    for event in plain:
        assert Decimal(event.data["submitted_fee"]) == BASE_FEES[event.data["hsc_code"]]


def test_modifiers_change_the_fee(events: list[ReadEvent]) -> None:
    modified = [event for event in sent(events) if event.data["modifiers"]]
    assert 0.15 < len(modified) / len(of_type(events, "AHCIP")) < 0.3
    changed = [
        event
        for event in modified
        if Decimal(event.data["submitted_fee"]) != BASE_FEES.get(event.data["hsc_code"])
    ]
    assert len(changed) > len(modified) / 2


def test_money_has_two_decimals(events: list[ReadEvent]) -> None:
    names = ("submitted_fee", "assessed_fee", "rrnp_premium")
    money = [event.data[name] for event in events for name in names if event.data.get(name)]
    assert all(text[-3] == "." for text in money)


def test_most_claims_are_paid_in_full_some_in_part_and_few_at_zero(
    events: list[ReadEvent],
) -> None:
    paid = payments(events)
    ratios = [
        Decimal(event.data["assessed_fee"]) / Decimal(event.data["submitted_fee"]) for event in paid
    ]
    assert 0.88 < sum(ratio == 1 for ratio in ratios) / len(paid) < 0.96
    assert 0.02 < sum(0 < ratio < 1 for ratio in ratios) / len(paid) < 0.09
    assert 0.01 < sum(ratio == 0 for ratio in ratios) / len(paid) < 0.06


def test_the_premium_is_paid_at_rural_locations_only(
    events: list[ReadEvent], providers: dict[str, SimulatedProvider]
) -> None:
    rates = {
        place.location_id: place.rrnp_rate for p in providers.values() for place in p.locations
    }
    paid = payments(of_type(events, "AHCIP"))
    for event in paid:
        exact = Decimal(event.data["assessed_fee"]) * rates[event.data["location_id"]]
        assert abs(Decimal(event.data["rrnp_premium"]) - exact) <= Decimal("0.005")
    assert any(Decimal(event.data["rrnp_premium"]) > 0 for event in paid)


def test_visits_are_on_working_days(events: list[ReadEvent]) -> None:
    assert all(event.served.weekday() <= FRIDAY for event in events)


def test_the_plan_is_billed_on_thursdays_mostly_for_the_week_before(
    events: list[ReadEvent],
) -> None:
    first = first_submissions(of_type(events, "AHCIP"))
    assert {event.at.weekday() for event in first} == {THURSDAY}
    ages = [(event.at.date() - event.served).days for event in first]
    assert min(ages) >= 0
    assert max(ages) < 90
    assert 0.9 < sum(age < 7 for age in ages) / len(ages) < 0.98


def test_payments_are_on_fridays_some_weeks_after(events: list[ReadEvent]) -> None:
    for event in payments(events):
        assert event.paid_on == event.at.date()
        assert event.paid_on.weekday() == FRIDAY
        assert (event.paid_on - event.served).days >= 8


def test_the_plan_takes_claims_for_ninety_days(events: list[ReadEvent]) -> None:
    for event in first_submissions(of_type(events, "AHCIP")):
        deadline = date.fromisoformat(event.data["submission_deadline"])
        assert deadline == event.served + timedelta(days=90)


def test_wcb_forms_are_sent_in_time_or_pay_less(events: list[ReadEvent]) -> None:
    forms = first_submissions(of_type(events, "WCB"))
    tiers = Counter(event.data["timing_tier"] for event in forms)
    assert min(tiers["SAME_DAY"], tiers["ON_TIME"]) > tiers["LATE"] > 0
    reports = [event for event in forms if event.data["form_id"] == "C050E"]
    fees = {event.data["timing_tier"]: Decimal(event.data["submitted_fee"]) for event in reports}
    assert fees["SAME_DAY"] > fees["ON_TIME"] > fees["LATE"]


def test_a_form_of_the_same_day_is_of_the_same_day(events: list[ReadEvent]) -> None:
    forms = [e for e in first_submissions(events) if e.data["timing_tier"] == "SAME_DAY"]
    assert all(event.served == event.at.date() for event in forms)


def test_every_form_is_used_and_wcb_leaves_fields_out(events: list[ReadEvent]) -> None:
    forms = first_submissions(of_type(events, "WCB"))
    assert len({event.data["form_id"] for event in forms}) == 8
    for name in ("patient_phn", "ba_number", "location_id", "hsc_code", "timing_tier"):
        blank = sum(event.data[name] is None for event in forms)
        assert 0 < blank < len(forms) / 2


def test_the_schedule_holds_every_code_with_its_inner_blanks() -> None:
    assert len(BASE_FEES) == 3049
    assert BASE_FEES["49.5 A"] == Decimal("5366.41")
    assert BASE_FEES["01.01A"] == Decimal("52.43")
