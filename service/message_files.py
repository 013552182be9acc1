"""Reading messages from JSON Lines: CloudEvents, or raw messages as `docs/contracts` describes."""

import base64
import binascii
import json
from pathlib import Path
from typing import Any

from consumers.contracts.registry import CONTRACT_BY_TYPE
from service.kafka import Message
from service.settings import Settings

ATTRIBUTES = ("specversion", "id", "source", "type", "time")


class MessageFileError(Exception):
    """A line of the file is no message; the text says which, and what it lacks."""


def read_messages(file: Path, settings: Settings) -> list[Message]:
    """The messages of a file, one a line; empty lines are passed over. Raises MessageFileError."""
    messages = []
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
        if line.strip():
            try:
                messages.append(_message(json.loads(line), settings))
            except (ValueError, KeyError, TypeError, binascii.Error) as error:
                raise MessageFileError(f"{file}, line {number}: {_what(error)}") from None
    return messages


def _what(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return "not JSON"
    return f"lacks {error}" if isinstance(error, KeyError) else str(error)


def _message(line: dict[str, Any], settings: Settings) -> Message:
    return _raw(line, settings) if "topic" in line else _event(line, settings)


def _event(event: dict[str, Any], settings: Settings) -> Message:
    """A CloudEvent in binary mode: attributes as headers, data as the value."""
    headers = [(f"ce_{name}", str(event[name]).encode()) for name in ATTRIBUTES]
    contract = CONTRACT_BY_TYPE.get(event["type"])
    if contract is None:
        raise ValueError(f"the type is none of {', '.join(CONTRACT_BY_TYPE)}")
    return Message(
        settings.topic(contract.topic),
        str(event["data"]["provider_id"]).encode(),
        json.dumps(event["data"], ensure_ascii=False).encode(),
        [*headers, ("content-type", b"application/json")],
    )


def _raw(line: dict[str, Any], settings: Settings) -> Message:
    if "value_base64" in line:
        value: bytes | None = base64.b64decode(line["value_base64"], validate=True)
    else:
        value = None if line["value"] is None else line["value"].encode()
    key = line.get("key")
    return Message(
        settings.topic(line["topic"]),
        None if key is None else key.encode(),
        value,
        [(name, text.encode()) for name, text in line.get("headers", [])],
    )
