"""Reads the lines of `docs/contracts/examples`, in both formats of its README."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from consumers.contracts.registry import CONTRACT_BY_TOPIC, CONTRACT_BY_TYPE, Contract
from consumers.engine.subscription import Subscription
from consumers.topics.cache_refresh_requests import CACHE_REFRESH_REQUESTS
from consumers.topics.claims import CLAIMS
from consumers.topics.providers import PROVIDER_UPDATES
from consumers.topics.report_requests import REPORT_REQUESTS
from consumers.topics.suggestions import AI_SUGGESTIONS
from tests.unit.consumers.copy_lines import row_of
from tests.unit.consumers.records import STRUCTURED, KafkaRecord

SUBSCRIPTIONS: tuple[Subscription[Any], ...] = (
    CLAIMS,
    AI_SUGGESTIONS,
    REPORT_REQUESTS,
    PROVIDER_UPDATES,
    CACHE_REFRESH_REQUESTS,
)
DECODERS = {
    topic: decode
    for subscription in SUBSCRIPTIONS
    for topic, decode in subscription.decoders.items()
}
EXAMPLES = Path(__file__).parents[3] / "docs" / "contracts" / "examples"


def lines(directory: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every line below a directory, with the name of its file without the suffix."""
    for path in sorted((EXAMPLES / directory).glob("*.jsonl")):
        for line in path.read_text("utf-8").splitlines():
            yield path.stem, json.loads(line)


def contract_of(line: dict[str, Any]) -> Contract[BaseModel]:
    return CONTRACT_BY_TOPIC[line["topic"]] if "topic" in line else CONTRACT_BY_TYPE[line["type"]]


def outcome_of(record: KafkaRecord, line: dict[str, Any]) -> Any:
    """What the consumer of the line's topic makes of the record: an event or a dead letter."""
    outcome = DECODERS[contract_of(line).topic](record)
    return row_of(outcome) if isinstance(outcome, bytes) else outcome


def record_of(line: dict[str, Any]) -> KafkaRecord:
    """As `publish` sends the line: a raw message as it stands, an event in binary mode."""
    return _raw(line) if "topic" in line else _in_binary_mode(line)


def in_structured_mode(line: dict[str, Any]) -> KafkaRecord:
    event = {name: value for name, value in line.items() if name != "comment"}
    return KafkaRecord(json.dumps(event).encode(), [("content-type", STRUCTURED.encode())])


def _in_binary_mode(line: dict[str, Any]) -> KafkaRecord:
    headers = [
        (f"ce_{name}", value.encode())
        for name, value in line.items()
        if name not in {"comment", "data"}
    ]
    content_type = ("content-type", b"application/json")
    return KafkaRecord(json.dumps(line["data"]).encode(), [*headers, content_type])


def _raw(line: dict[str, Any]) -> KafkaRecord:
    headers = [(name, _header_value(value)) for name, value in line["headers"]]
    return KafkaRecord(_value(line), headers, topic=line["topic"])


def _header_value(value: Any) -> Any:
    if isinstance(value, dict):
        return base64.b64decode(value["base64"])
    return None if value is None else value.encode()


def _value(line: dict[str, Any]) -> bytes | None:
    if "value_base64" in line:
        return base64.b64decode(line["value_base64"])
    text: str | None = line["value"]
    return None if text is None else text.encode()
