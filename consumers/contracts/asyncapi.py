"""The AsyncAPI 3 document: topics, messages in both content modes, dead letters."""

from collections.abc import Iterator

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaValue

from consumers.contracts.registry import READ_CONTRACTS, SENT_CONTRACTS, Contract
from consumers.contracts.rfc3339 import RFC3339_PATTERN
from consumers.contracts.schemas import data_schema
from consumers.dead_letters import DeadLetterReason

_NOT_EMPTY: JsonSchemaValue = {"type": "string", "minLength": 1}
_DIGITS: JsonSchemaValue = {"type": "string", "pattern": "^-?[0-9]+$"}
_KAFKA_VERSION = "0.5.0"  # of AsyncAPI's Kafka bindings
_KEY: JsonSchemaValue = {
    "type": "string",
    "format": "uuid",
    "description": "The provider's id. It spreads the load; no result depends on it.",
}
_DLQ_HEADERS: JsonSchemaValue = {
    "dlq-reason": {"type": "string", "enum": [reason.value for reason in DeadLetterReason]},
    "dlq-detail": {
        "type": "string",
        "description": "Field and rule, never a value of the message.",
    },
    "dlq-topic": _NOT_EMPTY,
    "dlq-partition": _DIGITS,
    "dlq-offset": _DIGITS,
    "dlq-timestamp": {**_DIGITS, "description": "Of the original, in milliseconds since 1970."},
    "dlq-group": {"type": "string", "description": "The consumer group that gave it up."},
    "dlq-attempts": {**_DIGITS, "description": "1 the first time, more after each redrive."},
}


def asyncapi_document() -> JsonSchemaValue:
    contracts = (*READ_CONTRACTS, *SENT_CONTRACTS)
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Claim Analytics",
            "version": "1.0.0",
            "description": "The events that Claim Analytics reads from Apache Kafka, its dead "
            "letters, and what it announces. Topic names are settings; these are the defaults.",
        },
        "defaultContentType": "application/json",
        "channels": {
            **dict(channel for c in READ_CONTRACTS for channel in _channels(c)),
            **{topic: _sent_channel(topic) for topic in SENT_TOPICS},
        },
        "operations": {
            **dict(operation for c in READ_CONTRACTS for operation in _operations(c)),
            **{f"send-{t}": _operation("send", t, _sent_messages(t)) for t in SENT_TOPICS},
        },
        "components": {
            "messages": {
                **dict(message for c in READ_CONTRACTS for message in _messages(c)),
                **{c.event.name: _binary(_attributes(c), _data(c)) for c in SENT_CONTRACTS},
            },
            "schemas": {c.event.name: data_schema(c) for c in contracts},
        },
    }


_Named = tuple[str, JsonSchemaValue]
SENT_TOPICS = tuple(dict.fromkeys(contract.topic for contract in SENT_CONTRACTS))


def _channels(contract: Contract[BaseModel]) -> Iterator[_Named]:
    topic = contract.topic
    yield topic, _channel(topic, f"{contract.event.name} events.", _modes(topic))
    dlq = f"{topic}.dlq"
    yield dlq, _channel(dlq, f"Messages of {topic} that can never succeed.", [dlq])


def _sent_channel(topic: str) -> JsonSchemaValue:
    """What this service sends is in binary mode."""
    return _channel(topic, "What became of reports.", _sent_messages(topic))


def _sent_messages(topic: str) -> list[str]:
    return [contract.event.name for contract in SENT_CONTRACTS if contract.topic == topic]


def _channel(address: str, description: str, messages: list[str]) -> JsonSchemaValue:
    return {
        "address": address,
        "description": description,
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in messages},
    }


def _operations(contract: Contract[BaseModel]) -> Iterator[_Named]:
    topic = contract.topic
    yield f"receive-{topic}", _operation("receive", topic, _modes(topic))
    yield f"send-{topic}.dlq", _operation("send", f"{topic}.dlq", [f"{topic}.dlq"])


def _operation(action: str, channel: str, messages: list[str]) -> JsonSchemaValue:
    return {
        "action": action,
        "channel": {"$ref": f"#/channels/{channel}"},
        "messages": [{"$ref": f"#/channels/{channel}/messages/{name}"} for name in messages],
    }


def _modes(topic: str) -> list[str]:
    return [f"{topic}.binary", f"{topic}.structured"]


def _messages(contract: Contract[BaseModel]) -> Iterator[_Named]:
    attributes, data = _attributes(contract), _data(contract)
    binary, structured = _modes(contract.topic)
    yield binary, _binary(attributes, data)
    yield structured, _structured(attributes, data)
    yield f"{contract.topic}.dlq", _dead_letter()


def _data(contract: Contract[BaseModel]) -> JsonSchemaValue:
    return {"$ref": f"#/components/schemas/{contract.event.name}"}


def _attributes(contract: Contract[BaseModel]) -> JsonSchemaValue:
    """The required CloudEvents attributes."""
    return {
        "specversion": {"type": "string", "const": "1.0"},
        "id": _NOT_EMPTY,
        "source": _NOT_EMPTY,
        "type": {"type": "string", "const": contract.event.name},
        "time": {"type": "string", "format": "date-time", "pattern": RFC3339_PATTERN},
    }


def _binary(attributes: JsonSchemaValue, data: JsonSchemaValue) -> JsonSchemaValue:
    headers = {f"ce_{name}": schema for name, schema in attributes.items()}
    optional = {
        "content-type": {
            "type": "string",
            "description": "A JSON media type; without it the data is JSON.",
        },
        "ce_subject": {"type": "string"},
        "traceparent": {"type": "string"},
        "ce_traceparent": {"type": "string"},
    }
    return {
        "title": "CloudEvent 1.0 in binary content mode",
        "contentType": "application/json",
        "headers": _object({**headers, **optional}, required=list(headers)),
        "payload": data,
        "bindings": _key_binding(),
    }


def _structured(attributes: JsonSchemaValue, data: JsonSchemaValue) -> JsonSchemaValue:
    content_type = {"type": "string", "pattern": "^application/cloudevents\\+json"}
    members = {**attributes, "datacontenttype": {"type": "string"}, "data": data}
    return {
        "title": "CloudEvent 1.0 in structured content mode",
        "contentType": "application/cloudevents+json",
        "headers": _object({"content-type": content_type}, required=["content-type"]),
        "payload": _object(members, required=[*attributes, "data"]),
        "bindings": _key_binding(),
    }


def _dead_letter() -> JsonSchemaValue:
    return {
        "title": "The original message, its key, value and headers unchanged",
        "headers": _object(_DLQ_HEADERS, required=list(_DLQ_HEADERS)),
        "payload": {"description": "The original value: any bytes, or none."},
    }


def _object(properties: JsonSchemaValue, required: list[str]) -> JsonSchemaValue:
    return {"type": "object", "properties": properties, "required": required}


def _key_binding() -> JsonSchemaValue:
    return {"kafka": {"key": _KEY, "bindingVersion": _KAFKA_VERSION}}
