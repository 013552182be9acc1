"""The ordinary claim event, from its JSON straight to a line of PostgreSQL's COPY text format.

Most events look alike: binary mode, known fields, their usual spelling. For these, one regular
expression per contract, made from the JSON Schema of its model, says that every value is right.
It is narrower than the rules: what it does not match is for the strict way to decide. So nothing
is refused here, and nothing is taken that the strict way would refuse or understand differently.
"""

import json
import re
from collections.abc import Iterator
from functools import lru_cache
from operator import itemgetter

import msgspec
from pydantic.json_schema import JsonSchemaValue

from consumers.contracts.claims import ClaimData
from consumers.contracts.refusal import Record
from repositories.claims.rows import ClaimEventRow, copy_text
from repositories.vocabulary import ClaimState

_COLUMNS = ClaimEventRow._fields[: ClaimEventRow._fields.index("occurred_at")]
_CONTENT_TYPES = {
    None,
    b"application/json",
    b"application/json; charset=utf-8",
    b"application/json; charset=UTF-8",
}


def _plain(pattern: str) -> str:
    """A pattern of a schema without its anchors, with groups that capture nothing."""
    return re.sub(r"\((?!\?)", "(?:", pattern.removeprefix("^").removesuffix("$"))


# Years and days whose meaning needs no arithmetic: no 29 February, and UTC stays within 2000 to
# 2100. As PostgreSQL reads times too: it rounds a seventh digit and takes no offset of 16 hours.
_DAY = (
    r"20(?:0[1-9]|[1-9][0-9])-(?:(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])"
    r"|(?:0[13-9]|1[0-2])-(?:29|30)|(?:0[13578]|1[02])-31)"
)
_TIME_OF_DAY = (
    r"T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]{1,6})?"
    r"(?:Z|[+-](?:0[0-9]|1[0-4]):[0-5][0-9])"
)
_UUID = "-".join(f"[0-9A-Fa-f]{{{length}}}" for length in (8, 4, 4, 4, 12))
_CHARACTER = r"[ !#->@-Z^-~]"  # printable ASCII without quote, backslash, brackets and _ABSENT
_ABSENT = b"?"  # stands after the default of a field that the event leaves out
_NULL = msgspec.Raw(b"null")
_HEADERS = itemgetter("ce_specversion", "ce_type", "ce_id", "ce_source", "ce_time")
_BRACES = bytes.maketrans(b"[]", b"{}")


class OrdinaryEvent:
    """What the ordinary event of one contract looks like."""

    def __init__(self, event_type: str, data: type[ClaimData], state: ClaimState) -> None:
        if data.cross_rules is not ClaimData.cross_rules or data.derived is not ClaimData.derived:
            raise ValueError(f"the fast way does not know what {data.__name__} adds in Python")
        fixed = {"state": state.value.encode()}
        fixed |= {name: rb"\N" for name in _COLUMNS if name not in {*data.model_fields, "state"}}
        if "explanatory_codes" in fixed:
            fixed["explanatory_codes"] = b"{}"  # the one column that is never NULL
        absent = {
            name: json.dumps(field.get_default(call_default_factory=True), default=str).encode()
            + _ABSENT
            for name, field in data.model_fields.items()
            if not field.is_required()
        }
        # All columns, in their order. The fixed ones are no JSON, so that a member of the same
        # name, which the strict way ignores as an unknown one, never passes for them.
        defaults = {name: msgspec.Raw(text) for name, text in (fixed | absent).items()}
        members = [(name, msgspec.Raw, defaults.get(name, msgspec.NODEFAULT)) for name in _COLUMNS]
        values = msgspec.defstruct(
            data.__name__, members, forbid_unknown_fields=True, kw_only=True, gc=False
        )
        patterns = {name: re.escape(text.decode()) for name, text in fixed.items()}
        for name, field in data.model_json_schema()["properties"].items():
            default = f"|{re.escape(absent[name].decode())}" if name in absent else ""
            patterns[name] = f"(?:{_value(field)}{default})"
        patterns["claim_type"] = f"(?:{'|'.join(_claim_types(data))})"
        for name in {"date_of_service", *data.not_before, *data.not_before.values()}:
            patterns[name] = f'"(?P<{name}>{_DAY})"'
        line = r"\t".join(patterns[name] for name in _COLUMNS)
        self._match = re.compile(rf"{line}\t(?P<day>{_DAY}){_TIME_OF_DAY}".encode()).fullmatch
        self._values = msgspec.json.Decoder(values).decode
        self._type = event_type.encode()
        self._members = len(data.model_fields)
        self._not_before = tuple(data.not_before.items())
        # Where null counts as a default that is none: the column, and the default.
        self._null_means = [
            (_COLUMNS.index(name), text.removesuffix(_ABSENT))
            for name, text in absent.items()
            if not text.startswith(b"null")
        ]

    def line(self, record: Record) -> bytes | None:
        """The record's line, columns as in `ClaimEventRow`; None: the strict way decides."""
        value = record.value or b""
        try:
            version, event_type, event_id, source, time = _HEADERS(headers := dict(record.headers))
            values = msgspec.structs.astuple(self._values(value))
        except (KeyError, UnicodeDecodeError, RecursionError, msgspec.DecodeError):
            return None
        if (
            version != b"1.0"
            or event_type != self._type
            or headers.get("content-type") not in _CONTENT_TYPES
            or not (event_id and event_id.isascii() and source and source.isascii() and time)
        ):
            return None
        line = b"\t".join((*self._nulls_replaced(values), time))
        # A member that comes twice has a colon too many, whatever else comes or does not.
        members = self._members - line.count(_ABSENT)
        if value.count(b":") + time.count(b":") != members + line.count(b":"):
            return None
        match = self._match(line)
        # The day as written is at most a day after the day in UTC: the bound, or before it.
        if match is None or match["date_of_service"] > match["day"]:
            return None
        for later, earlier in self._not_before:
            if match[later] < match[earlier]:
                return None
        line = line.replace(b"\tnull", b"\t\\N").translate(_BRACES, b'"' + _ABSENT)
        return b"%b%b%d" % (line, _source(record.topic, record.partition), record.offset)

    def _nulls_replaced(self, values: tuple[msgspec.Raw, ...]) -> tuple[bytes, ...]:
        for column, default in self._null_means:
            if values[column] == _NULL:
                values = (*values[:column], msgspec.Raw(default), *values[column + 1 :])
        return values


def _value(schema: JsonSchemaValue) -> str:
    """What matches the usual ways to write a value of the schema."""
    match schema:
        case {"anyOf": [{"type": "string"} as text, {"type": "number"}, *others]}:
            return "|".join([f'"{_text(text)}"|(?!0[0-9]){_text(text)}', *map(_value, others)])
        case {"anyOf": alternatives}:
            return "|".join(map(_value, alternatives))
        case {"type": "string"}:
            return f'"{_text(schema)}"'
        case {"type": "integer", "minimum": 1, "maximum": most}:
            return f"[1-9][0-9]{{0,{len(str(most)) - 2}}}"
        case {"type": "array", "maxItems": most, "items": {"minLength": 1, "maxLength": length}}:
            item = f'"(?!NULL")[0-9A-Z]{{1,{length}}}"'  # needs no quotes in an array of PostgreSQL
            return rf"\[(?:{item}(?:, ?{item}){{0,{most - 1}}})?\]"
        case {"type": "null"}:
            return "null"
    raise ValueError(f"no pattern for the values of {schema}")


def _text(schema: JsonSchemaValue) -> str:
    match schema:
        case {"enum": words}:
            return f"(?:{'|'.join(words)})"
        case {"format": "uuid"}:
            return _UUID
        case {"format": "date"}:
            return _DAY
        case {"format": "date-time"}:
            return _DAY + _TIME_OF_DAY
        case {"minLength": least, "maxLength": most}:
            return f"{_CHARACTER}{{{least},{most}}}"
    return _plain(schema["pattern"])


def _claim_types(data: type[ClaimData]) -> Iterator[str]:
    """Each claim type, followed by what must be in the columns after it and what must not."""
    after = _COLUMNS[_COLUMNS.index("claim_type") + 1 :]
    starts = {True: '"', False: "null", None: ""}
    for word, rules in data.by_claim_type.items():
        columns = after[: 1 + max(map(after.index, rules), default=-1)]
        ahead = "".join(rf"\t{starts[rules.get(name)]}[^\t]*" for name in columns)
        yield f'"{word}"(?={ahead})'


@lru_cache(maxsize=1024)
def _source(topic: str, partition: int) -> bytes:
    return f"\t{copy_text(topic)}\t{partition}\t".encode()
