"""JSON Schemas of the events' data, and the AsyncAPI 3 document of topics and messages."""

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaValue

from consumers.contracts.fields import RFC3339_PATTERN
from consumers.contracts.letters import COPY_PATTERN, REDRIVE_OF
from consumers.contracts.refusal import DeadLetterReason
from consumers.contracts.registry import READ_CONTRACTS, SENT_CONTRACTS, Contract

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_NOT_EMPTY: JsonSchemaValue = {"type": "string", "minLength": 1}
_DIGITS: JsonSchemaValue = {"type": "string", "pattern": "^-?[0-9]+$"}
_KEY_BINDING: JsonSchemaValue = {
    "kafka": {
        "key": {
            "type": "string",
            "format": "uuid",
            "description": "The provider's id. It spreads the load; no result depends on it.",
        },
        "bindingVersion": "0.5.0",
    }
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
# Of a copy that `dlq redrive` has sent back to its topic, and of one that has died once more.
_COPY_HEADER: JsonSchemaValue = {
    REDRIVE_OF: {
        "type": "string",
        "pattern": COPY_PATTERN,
        "description": "The last header of a copy that a redrive has sent: topic, partition, "
        "offset and timestamp of the message that it is a copy of. Publishers do not set it.",
    }
}


def data_schema(contract: Contract[BaseModel]) -> JsonSchemaValue:
    """The schema of the data alone, the same in both content modes, without references."""
    schema = contract.data.model_json_schema()
    return {**schema, "title": contract.event.name}


def schema_file(contract: Contract[BaseModel]) -> JsonSchemaValue:
    return {"$schema": DIALECT, **data_schema(contract)}


def asyncapi_document() -> JsonSchemaValue:
    """The document; what this service sends itself is in binary mode alone."""
    channels, operations, messages = {}, {}, {}
    for contract in READ_CONTRACTS:
        topic, dlq = contract.topic, f"{contract.topic}.dlq"
        modes = binary, structured = [f"{topic}.binary", f"{topic}.structured"]
        channels[topic] = _channel(topic, f"{contract.event.name} events.", modes)
        channels[dlq] = _channel(dlq, f"Messages of {topic} that can never succeed.", [dlq])
        operations[f"receive-{topic}"] = _operation("receive", topic, modes)
        operations[f"send-{dlq}"] = _operation("send", dlq, [dlq])
        messages[binary] = _binary(contract, _COPY_HEADER)
        messages[structured] = _structured(contract)
        messages[dlq] = _DEAD_LETTER
    for topic in dict.fromkeys(contract.topic for contract in SENT_CONTRACTS):
        sent = {c.event.name: _binary(c) for c in SENT_CONTRACTS if c.topic == topic}
        channels[topic] = _channel(topic, "What became of reports.", list(sent))
        operations[f"send-{topic}"] = _operation("send", topic, list(sent))
        messages |= sent
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Claim Analytics",
            "version": "1.0.0",
            "description": "The events that Claim Analytics reads from Apache Kafka, its dead "
            "letters, and what it announces. Topic names are settings; these are the defaults.",
        },
        "defaultContentType": "application/json",
        "channels": channels,
        "operations": operations,
        "components": {
            "messages": messages,
            "schemas": {c.event.name: data_schema(c) for c in (*READ_CONTRACTS, *SENT_CONTRACTS)},
        },
    }


def _channel(address: str, description: str, messages: list[str]) -> JsonSchemaValue:
    return {
        "address": address,
        "description": description,
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in messages},
    }


def _operation(action: str, channel: str, messages: list[str]) -> JsonSchemaValue:
    return {
        "action": action,
        "channel": {"$ref": f"#/channels/{channel}"},
        "messages": [{"$ref": f"#/channels/{channel}/messages/{name}"} for name in messages],
    }


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


def _binary(
    contract: Contract[BaseModel], others: JsonSchemaValue | None = None
) -> JsonSchemaValue:
    headers = {f"ce_{name}": schema for name, schema in _attributes(contract).items()}
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
        "headers": _object({**headers, **optional, **(others or {})}, required=list(headers)),
        "payload": _data(contract),
        "bindings": _KEY_BINDING,
    }


def _structured(contract: Contract[BaseModel]) -> JsonSchemaValue:
    attributes = _attributes(contract)
    content_type = {"type": "string", "pattern": "^application/cloudevents\\+json"}
    members = {**attributes, "datacontenttype": {"type": "string"}, "data": _data(contract)}
    return {
        "title": "CloudEvent 1.0 in structured content mode",
        "contentType": "application/cloudevents+json",
        "headers": _object(
            {"content-type": content_type, **_COPY_HEADER}, required=["content-type"]
        ),
        "payload": _object(members, required=[*attributes, "data"]),
        "bindings": _KEY_BINDING,
    }


def _object(properties: JsonSchemaValue, required: list[str]) -> JsonSchemaValue:
    return {"type": "object", "properties": properties, "required": required}


_DEAD_LETTER: JsonSchemaValue = {
    "title": "The original message, its key, value and headers unchanged",
    "headers": _object({**_DLQ_HEADERS, **_COPY_HEADER}, required=list(_DLQ_HEADERS)),
    "payload": {"description": "The original value: any bytes, or none."},
}
