"""Whole lives of claims, by every event that there is, through the real process."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any, NamedTuple
from uuid import UUID, uuid5

from consumers.contracts.registry import CONTRACT_BY_TOPIC
from service.kafka import Message
from tests.harness.deployment import Deployment
from tests.harness.kafka import dead_letters, publish
from tests.harness.process import running
from tests.harness.rows import all_applied, assert_tables_equal_oracle, connected
from tests.oracle import PlainEvent

PROVIDER = UUID("7d1c0b52-6a0e-4f6e-9c55-1f0d1b7a2c01")
BEGUN = datetime(2026, 1, 17, 6, 30, tzinfo=UTC)  # 23:30 of the day before in Alberta
_AHCIP: dict[str, Any] = {
    "claim_type": "AHCIP",
    "date_of_service": "2026-01-15",
    "ba_number": "1234567",
    "hsc_code": "03.03A",
    "submitted_fee": "25.09",
}
_EDITED = {**_AHCIP, "hsc_code": "03.04A", "submitted_fee": "40.14"}
_WCB = {
    "claim_type": "WCB",
    "date_of_service": "2026-01-20",
    "form_id": "C050E",
    "timing_tier": "ON_TIME",
    "submitted_fee": "94.15",
}
_DRAFT = {"claim_type": "AHCIP", "date_of_service": "2026-01-15"}
_SAVED = {"created_at": BEGUN.isoformat(), "submission_deadline": "2026-04-15"}
_SENT = {"submitted_at": "2026-01-18T16:00:00Z", "submission_deadline": "2026-04-15"}
_PAID = {"payment_date": "2026-03-06", "rrnp_premium": "1.50"}

# Claims by name; their events, the first of version 1: what follows `claim-`, and the data.
STORY: Mapping[str, Sequence[tuple[str, dict[str, Any]]]] = {
    "paid in the end": [
        ("saved", {**_DRAFT, **_SAVED, "stage": "DRAFT"}),
        ("saved", {**_AHCIP, **_SAVED, "stage": "QUEUED"}),
        ("submitted", {**_AHCIP, **_SENT}),
        ("rejected", {**_AHCIP, "explanatory_codes": ["05BB", "39A", "05BB"]}),
        ("saved", {**_EDITED, **_SAVED, "stage": "VALIDATED"}),
        ("submitted", {**_EDITED, **_SENT}),
        ("assessed", {**_EDITED, "assessed_fee": "36.00"}),
        ("paid", {**_EDITED, **_PAID, "assessed_fee": "36.00"}),
        ("adjusted", {**_EDITED, **_PAID, "assessed_fee": "30", "explanatory_codes": ["25A"]}),
    ],
    "expired as a draft": [
        ("saved", {**_DRAFT, **_SAVED, "stage": "DRAFT"}),
        ("expired", _DRAFT),
    ],
    "withdrawn": [("submitted", {**_AHCIP, **_SENT}), ("withdrawn", _AHCIP)],
    "written off": [("submitted", {**_WCB, **_SENT}), ("rejected", _WCB), ("written-off", _WCB)],
}


class Event(NamedTuple):
    """An event of the story, as it is published and as the oracle's helpers know it."""

    message: Message
    plain: PlainEvent


async def test_every_event_is_kept_and_the_highest_version_says_what_a_claim_is(
    deployment: Deployment,
) -> None:
    """In the order of what happened, in none, and one by one from the last to the first."""
    in_order, in_none, backwards = (_told(deployment, n) for n in range(3))
    Random(1).shuffle(in_none)
    events = [*in_order, *in_none]
    async with running(deployment.having(batch_max_events=5)):
        await publish(deployment, [event.message for event in events])
        for event in reversed(backwards):
            await publish(deployment, [event.message])
            events.append(event)
            await all_applied(deployment, [event.plain for event in events])
    assert await dead_letters(deployment) == []
    await assert_tables_equal_oracle(deployment, [event.plain for event in events])
    for telling in range(3):
        assert await _states(deployment, telling) == {
            "paid in the end": [
                *("DRAFT", "QUEUED", "SUBMITTED", "REJECTED", "VALIDATED"),
                *("SUBMITTED", "ASSESSED", "PAID", "ADJUSTED"),
            ],
            "expired as a draft": ["DRAFT", "EXPIRED"],
            "withdrawn": ["SUBMITTED", "WITHDRAWN"],
            "written off": ["SUBMITTED", "REJECTED", "WRITTEN_OFF"],
        }
        await _assert_claims_are_right(deployment, telling)
        await _assert_what_was_added_is_in_the_history(deployment, telling)


async def _assert_claims_are_right(deployment: Deployment, telling: int) -> None:
    found = await _rows(deployment, "claims", telling)
    facts = ("first_sent_version", "first_rejected_version", "last_sent_version")
    assert {name: tuple(row[fact] for fact in facts) for (name, _), row in found.items()} == {
        "paid in the end": (3, 4, 9),
        "expired as a draft": (None, None, None),
        "withdrawn": (1, None, 1),
        "written off": (1, 2, 1),
    }
    money = ("submitted_fee", "assessed_fee", "rrnp_premium")
    assert {name: tuple(row[column] for column in money) for (name, _), row in found.items()} == {
        "paid in the end": (Decimal("40.14"), Decimal("30.00"), Decimal("1.50")),
        "expired as a draft": (None, None, None),
        "withdrawn": (Decimal("25.09"), None, None),
        "written off": (Decimal("94.15"), None, None),
    }
    paid = found["paid in the end", 9]
    assert (paid["hsc_code"], paid["explanatory_codes"]) == ("03.04A", ["25A"])
    assert paid["created_at"] is None  # a claim is what its highest version carries


async def _assert_what_was_added_is_in_the_history(deployment: Deployment, telling: int) -> None:
    found = await _rows(deployment, "claim_events", telling)
    assert [found["paid in the end", n]["explanatory_codes"] for n in (3, 4, 7)] == [
        [],
        ["05BB", "39A", "05BB"],
        [],
    ]
    draft, queued = found["paid in the end", 1], found["paid in the end", 2]
    assert (draft["submitted_fee"], draft["hsc_code"]) == (None, None)
    assert (queued["created_at"], queued["created_day"]) == (BEGUN, date(2026, 1, 16))
    assert queued["submission_deadline"] == date(2026, 4, 15)
    for (name, version), row in found.items():
        assert row["source_topic"] == deployment.topic(f"claim-{STORY[name][version - 1][0]}")


def _told(deployment: Deployment, telling: int) -> list[Event]:
    """The story, of claims of its own each time that it is told."""
    return [
        _event(deployment, word, version, {**data, "claim_id": str(_claim_id(name, telling))})
        for name, changes in STORY.items()
        for version, (word, data) in enumerate(changes, start=1)
    ]


def _event(deployment: Deployment, word: str, version: int, data: dict[str, Any]) -> Event:
    """Keyed by the version, so that a claim's events are in different partitions."""
    contract = CONTRACT_BY_TOPIC[f"claim-{word}"]
    data |= {"claim_version": version, "provider_id": str(PROVIDER)}
    headers = {
        "ce_specversion": "1.0",
        "ce_id": f"{data['claim_id']}-{version}",
        "ce_source": "/tests",
        "ce_type": contract.event.name,
        "ce_time": (BEGUN + timedelta(days=version * 7)).isoformat(),
    }
    encoded = [(name, text.encode()) for name, text in headers.items()]
    topic, value = deployment.topic(contract.topic), json.dumps(data).encode()
    message = Message(topic, b"%d" % version, value, encoded)
    return Event(message, {"type": contract.event.name, "data": data})


def _claim_id(name: str, telling: int) -> UUID:
    return uuid5(PROVIDER, f"{name} {telling}")


async def _states(deployment: Deployment, telling: int) -> dict[str, list[str]]:
    """The states of each claim in its history, by version."""
    rows = await _rows(deployment, "claim_events", telling)
    return {
        name: [rows[name, version]["state"] for version in range(1, len(changes) + 1)]
        for name, changes in STORY.items()
    }


async def _rows(
    deployment: Deployment, table: str, telling: int
) -> dict[tuple[str, int], Mapping[str, Any]]:
    """The rows of one telling, by the claim's name and the version."""
    names = {_claim_id(name, telling): name for name in STORY}
    async with connected(deployment) as connection:
        rows = await connection.fetch(f"SELECT * FROM {table}")
    return {
        (names[row["claim_id"]], row["claim_version"]): row
        for row in rows
        if row["claim_id"] in names
    }
