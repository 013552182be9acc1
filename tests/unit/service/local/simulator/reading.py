"""Reads simulated messages back by plain means, good ones and spoiled ones."""

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from typing import Any, NamedTuple

from service.local.simulator import FLAWLESS, OutgoingEvent, Simulator
from tests.oracle import PlainEvent, broken_rules

NOW = datetime(2025, 6, 18, 16, 30, tzinfo=UTC)  # a Wednesday
TYPES = {
    "claim-saved": "ca.meritum.claim.saved.v1",
    "claim-submitted": "ca.meritum.claim.submitted.v1",
    "claim-assessed": "ca.meritum.claim.assessed.v1",
    "claim-paid": "ca.meritum.claim.paid.v1",
    "claim-rejected": "ca.meritum.claim.rejected.v1",
    "claim-adjusted": "ca.meritum.claim.adjusted.v1",
    "claim-written-off": "ca.meritum.claim.written-off.v1",
    "claim-expired": "ca.meritum.claim.expired.v1",
    "claim-withdrawn": "ca.meritum.claim.withdrawn.v1",
    "ai-suggestion": "ca.meritum.ai.suggestion.v1",
}


class ReadEvent(NamedTuple):
    """A good event: the topic it came by, its attributes and its data."""

    topic_key: str
    ce_id: str
    ce_type: str
    at: datetime
    data: dict[str, Any]

    @property
    def of_a_claim(self) -> bool:
        return self.topic_key != "ai-suggestion"

    @property
    def state(self) -> str:
        """Of the claim, after the event."""
        stated = self.data.get("stage", self.topic_key.removeprefix("claim-"))
        return str(stated).upper().replace("-", "_")

    @property
    def identity(self) -> tuple[str, int]:
        if not self.of_a_claim:
            return self.data["event_id"], 0
        return self.data["claim_id"], self.data["claim_version"]

    @property
    def served(self) -> date:
        return date.fromisoformat(self.data["date_of_service"])

    @property
    def paid_on(self) -> date:
        return date.fromisoformat(self.data["payment_date"])

    def plain(self) -> PlainEvent:
        return {"type": self.ce_type, "data": self.data}


def simulator(**options: Any) -> Simulator:
    """A small one without imperfections, unless told otherwise."""
    usual = {"seed": 7, "providers": 5, "now": NOW, "months": 6, "imperfections": FLAWLESS}
    return Simulator(**{**usual, **options})


def lives_of(events: Iterable[ReadEvent]) -> list[list[ReadEvent]]:
    """The claim events of each claim, in the order in which they come."""
    lives: dict[str, list[ReadEvent]] = {}
    for event in events:
        if event.of_a_claim:
            lives.setdefault(event.data["claim_id"], []).append(event)
    return list(lives.values())


def events_of(messages: Iterable[OutgoingEvent]) -> Iterator[ReadEvent]:
    """The good events; the rest is passed over."""
    for message in messages:
        if reason(message) is None:
            yield read(message)


def read(message: OutgoingEvent) -> ReadEvent:
    headers = dict(message.headers)
    value = json.loads(message.value)
    if headers["content-type"] == b"application/cloudevents+json":
        time = datetime.fromisoformat(value["time"])
        return ReadEvent(message.topic_key, value["id"], value["type"], time, value["data"])
    time = datetime.fromisoformat(headers["ce_time"].decode())
    ce_id, ce_type = headers["ce_id"].decode(), headers["ce_type"].decode()
    return ReadEvent(message.topic_key, ce_id, ce_type, time, value)


def reason(message: OutgoingEvent) -> str | None:
    """Why a message must become a dead letter, or None for a good event."""
    headers = dict(message.headers)
    structured = headers["content-type"] == b"application/cloudevents+json"
    if not structured and "ce_specversion" not in headers:
        return "not-cloudevent"
    try:
        event = read(message)
    except json.JSONDecodeError:
        return "not-json"
    own = TYPES[message.topic_key]
    if event.ce_type != own:
        same_kind = event.ce_type.rpartition(".")[0] == own.rpartition(".")[0]
        return "unsupported-version" if same_kind else "unknown-type"
    return "invalid-field" if broken_rules(event.ce_type, event.data, event.at) else None
