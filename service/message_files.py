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
    # Split as bytes: JSON may hold characters that end a line of text elsewhere.
    for number, line in enumerate(file.read_bytes().splitlines(), start=1):
        if line.strip():
            try:
                messages.append(_message(json.loads(line.decode()), settings))
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                raise MessageFileError(f"{file}, line {number}: {_what(error)}") from None
    return messages


def _what(error: Exception) -> str:
    match error:
        case UnicodeDecodeError():
            return "not UTF-8"
        case json.JSONDecodeError():
            return "not JSON"
        case binascii.Error():
            return "not base64"
        case KeyError():
            return f"lacks {error}"
        case ValueError():
            return str(error)
        case _:
            return "in neither of the forms that docs/contracts/README.md describes"


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
    value = line["value"] if "value_base64" not in line else {"base64": line["value_base64"]}
    return Message(
        settings.topic(line["topic"]),
        _bytes(line.get("key")),
        _bytes(value),
        [(name, _bytes(text)) for name, text in line.get("headers", [])],
    )


def _bytes(text: str | dict[str, str] | None) -> bytes | None:
    """Text as UTF-8; `{"base64": …}` for bytes that are no text."""
    if isinstance(text, dict):
        return base64.b64decode(text["base64"], validate=True)
    return None if text is None else text.encode()
