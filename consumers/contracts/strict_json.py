"""JSON as RFC 8259 has it, numbers kept as they are written.

Python's own reader takes more than JSON (NaN, UTF-16, a byte order mark) and turns numbers into
binary floating point, which money must never pass through.
"""

import json
import re
from typing import NoReturn

MAX_DEPTH = 500  # fixed, so that no outcome depends on how deep the caller's stack happens to be


class NotJsonError(Exception):
    """The text is no JSON; the message says which rule it breaks and quotes nothing of it."""


class JsonNumber:
    """A JSON number as written: `12.50` stays `12.50`, and 5,000 digits cost nothing."""

    __slots__ = ("literal",)

    def __init__(self, literal: str) -> None:
        self.literal = literal


def parse_json(raw: bytes) -> object:
    """Dictionaries, lists, strings, booleans, None and `JsonNumber`; else `NotJsonError`."""
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        raise NotJsonError("must be UTF-8") from None
    if raw.count(b"{") + raw.count(b"[") > MAX_DEPTH and _is_deeper(text):
        raise NotJsonError(_TOO_DEEP)
    try:
        return _parsed(text.strip(_WHITESPACE))
    except RecursionError:
        raise NotJsonError(_TOO_DEEP) from None
    except ValueError:
        raise NotJsonError("must be JSON") from None


def _parsed(text: str) -> object:
    value, end = _DECODER.raw_decode(text)  # `decode` does the same, half a microsecond slower
    if end != len(text):
        raise NotJsonError("must be one JSON value")
    return value


_WHITESPACE = " \t\n\r"
_TOO_DEEP = f"must not be nested deeper than {MAX_DEPTH} levels"


def _unique_names(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Readers disagree on which of two equal names counts, so a claim must not hang on it."""
    members = dict(pairs)
    if len(members) != len(pairs):
        raise NotJsonError("must not name a member twice in one object")
    return members


def _no_constant(_: str) -> NoReturn:
    raise NotJsonError("must be JSON: NaN and Infinity are no numbers")


def _is_deeper(text: str) -> bool:
    """By its brackets outside of strings, before it is read: of text that is no JSON, too, as a
    reader that meets the fault only below its own limit would say something else."""
    depth = deepest = 0
    for token in _BRACKET_OR_STRING.finditer(text):
        match token[0][0]:
            case "{" | "[":
                depth += 1
                deepest = max(deepest, depth)
            case "}" | "]":
                depth -= 1
    return deepest > MAX_DEPTH


# A string without an end goes to the end of the text, so that no quote is looked at twice.
_BRACKET_OR_STRING = re.compile(r'[][{}]|"[^"\\]*(?:\\.[^"\\]*)*(?:"|\\?\Z)', re.DOTALL)

_DECODER = json.JSONDecoder(
    object_pairs_hook=_unique_names,
    parse_float=JsonNumber,
    parse_int=JsonNumber,
    parse_constant=_no_constant,
)
