import pytest

from consumers.contracts.strict_json import MAX_DEPTH, JsonNumber, NotJsonError, parse_json


def _nested(depth: int, innermost: str = "") -> bytes:
    return ("[" * depth + innermost + "]" * depth).encode()


def test_everything_that_json_has_is_read() -> None:
    text = ' {"a": [true, false, null, "x\\u00e9\\ud83d\\ude00é"], "b": {}} \r\n\t'
    assert parse_json(text.encode()) == {"a": [True, False, None, "xé😀é"], "b": {}}


@pytest.mark.parametrize(
    "literal", ["0", "-0", "12.50", "1e2", "1E+2", "-1.5e-3", "1" * 5000, "1e999999"]
)
def test_a_number_is_kept_as_it_is_written(literal: str) -> None:
    number = parse_json(literal.encode())
    assert isinstance(number, JsonNumber)
    assert number.literal == literal


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "NaN",
        "[Infinity]",
        "-Infinity",
        "007",
        "+1",
        "1.",
        ".5",
        "0x10",
        "1_000",
        "'x'",
        '"tab\there"',
        '"\\x41"',
        '"\\ud83"',
        "[1,]",
        '{"a":1,}',
        "{a:1}",
        "{} {}",
        "[] // comment",
        "nul",
        "TRUE",
        "\ufeff{}",
        "\u00a0{}",
        "\x00",
        "{}\x00",
    ],
)
def test_what_is_not_json_is_refused(text: str) -> None:
    with pytest.raises(NotJsonError):
        parse_json(text.encode())


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-8-sig"])
def test_other_encodings_than_utf_8_are_refused(encoding: str) -> None:
    with pytest.raises(NotJsonError):
        parse_json('{"a": 1}'.encode(encoding))


@pytest.mark.parametrize(
    "raw", [b'"\xff"', b'"\xc0\x80"', b'"\xed\xa0\x80"', b'"\xf4\x90\x80\x80"']
)
def test_bytes_that_are_no_utf_8_are_refused(raw: bytes) -> None:
    with pytest.raises(NotJsonError, match="UTF-8"):
        parse_json(raw)


@pytest.mark.parametrize("text", ['{"a": 1, "a": 1}', '[{"x": {"b": 1, "\\u0062": 2}}]'])
def test_a_name_twice_in_one_object_is_refused(text: str) -> None:
    with pytest.raises(NotJsonError, match="twice"):
        parse_json(text.encode())


def test_one_name_in_two_objects_is_fine() -> None:
    assert parse_json(b'[{"a": null}, {"a": {"a": null}}]')


@pytest.mark.parametrize("raw", [_nested(MAX_DEPTH), _nested(MAX_DEPTH - 1, '{"a": 1}')])
def test_the_deepest_nesting_is_read(raw: bytes) -> None:
    parse_json(raw)


@pytest.mark.parametrize(
    "raw",
    [
        _nested(MAX_DEPTH + 1),
        _nested(MAX_DEPTH, '{"a": 1}'),
        _nested(100_000),
        b"[" * 100_000,
        b'{"a":' * 100_000,
    ],
    ids=["one too many", "an object too many", "100,000", "without end", "objects without end"],
)
def test_deeper_nesting_is_refused(raw: bytes) -> None:
    with pytest.raises(NotJsonError, match="deeper than"):
        parse_json(raw)


def test_width_is_not_depth() -> None:
    assert parse_json(b"[" + b"[]," * 5000 + b"[]]")


@pytest.mark.parametrize("frames", range(0, 500, 50))
def test_what_is_said_of_broken_json_does_not_depend_on_the_callers_stack(frames: int) -> None:
    """At 900 levels the reader meets the fault, or its own limit, by what is on the stack."""

    def call(left: int) -> None:
        if left:
            call(left - 1)
        else:
            parse_json(b"[" * 900 + b"nul")

    with pytest.raises(NotJsonError, match="deeper than"):
        call(frames)


def test_brackets_within_text_are_not_depth() -> None:
    text = "[" * 2 * MAX_DEPTH + '\\"{'
    assert parse_json(f'["{text}"]'.encode())
    with pytest.raises(NotJsonError, match=r"must be JSON$"):
        parse_json(b'["' + b"{" * 2 * MAX_DEPTH + b"\\")
