"""JSON as RFC 8259 has it, numbers kept as they are written.

Python's own reader takes more than JSON (NaN, UTF-16, a byte order mark) and turns numbers into
binary floating point, which money must never pass through.
"""

import json
from collections.abc import Iterable
from typing import NoReturn, TypeAlias

MAX_DEPTH = 500  # fixed, so that no outcome depends on how deep the caller's stack happens to be

_Container: TypeAlias = dict[object, object] | list[object]


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
        value = _parsed(raw.decode().strip(_WHITESPACE))
    except UnicodeDecodeError:
        raise NotJsonError("must be UTF-8") from None
    except RecursionError:
        raise NotJsonError(_TOO_DEEP) from None
    except ValueError:
        raise NotJsonError("must be JSON") from None
    if len(raw) > 2 * MAX_DEPTH and _is_deeper(value):  # each level takes two characters
        raise NotJsonError(_TOO_DEEP)
    return value


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


def _is_deeper(value: object) -> bool:
    level = _containers([value])
    for _ in range(MAX_DEPTH):
        level = _containers(child for parent in level for child in _children(parent))
    return bool(level)


def _containers(values: Iterable[object]) -> list[_Container]:
    return [value for value in values if isinstance(value, (dict, list))]


def _children(container: _Container) -> Iterable[object]:
    return container.values() if isinstance(container, dict) else container


_DECODER = json.JSONDecoder(
    object_pairs_hook=_unique_names,
    parse_float=JsonNumber,
    parse_int=JsonNumber,
    parse_constant=_no_constant,
)
