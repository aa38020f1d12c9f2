"""JSON from strangers is bounded before it is parsed."""

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sidechannel.errors import BadJson
from sidechannel.values.parsing import MAX_DEPTH, normalised, parse


def nested(depth: int, left: str = "[", right: str = "]", inside: str = "") -> bytes:
    return (left * depth + inside + right * depth).encode()


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"NaN",
        b"[Infinity]",
        b"-Infinity",
        b"01",
        b"'a'",
        b'"\x01"',
        b"[1,]",
        b"{a:1}",
        b'"\\x"',
        b"\xef\xbb\xbf1",
    ],
)
def test_what_javascript_does_not_read_is_refused(text: bytes) -> None:
    with pytest.raises(BadJson):
        parse(text, max_bytes=100)


def test_more_bytes_than_allowed_are_refused_unread() -> None:
    with pytest.raises(BadJson, match="More than 10 bytes"):
        parse(b'"123456789"', max_bytes=10)
    assert parse(b'"12345678"', max_bytes=10) == "12345678"


@pytest.mark.parametrize(
    ("left", "right", "inside"), [("[", "]", ""), ('{"a":', "}", "1"), ('[{"[":', "}]", "0")]
)
def test_depth_is_bounded_exactly(left: str, right: str, inside: str) -> None:
    levels = left.count("[") - left.count('"[') + left.count("{")

    parse(nested(MAX_DEPTH // levels, left, right, inside), max_bytes=10**6)
    with pytest.raises(BadJson, match="deeper"):
        parse(nested(MAX_DEPTH // levels + 1, left, right, inside), max_bytes=10**6)


def test_brackets_in_texts_are_no_depth() -> None:
    text = json.dumps(["[[{" * 200, '\\"[' * 200, "\\"])

    assert parse(text.encode(), max_bytes=10**6) == ["[[{" * 200, '\\"[' * 200, "\\"]


def test_many_flat_brackets_are_no_depth() -> None:
    assert len(parse(b"[" + b"[]," * 5000 + b"{}]", max_bytes=10**6)) == 5001  # type: ignore[arg-type]


@pytest.mark.parametrize("data", [b"[" * 500_000, b'"\\"' * 200_000 + b"[" * 200, b"]" * 1000 + b"[" * 1000])
def test_a_hostile_megabyte_is_refused_in_time(data: bytes) -> None:
    with pytest.raises(BadJson):
        parse(data, max_bytes=10**6)


def test_broken_utf8_is_replaced() -> None:
    assert parse(b'"a\xff\xc3"', max_bytes=100) == "a\ufffd\ufffd"


@given(st.binary(max_size=200) | st.text(alphabet='[]{}",:0123eE.-\\u d8tfn', max_size=200).map(str.encode))
@example(b'"\\')
@example(b'["\\ud800", "\\ud83d\\ude00"]')
def test_any_bytes_are_json_or_refused(data: bytes) -> None:
    try:
        value = parse(data, max_bytes=200)
    except BadJson:
        return
    assert normalised(value) == value


def test_what_is_no_json_of_a_program_is_refused() -> None:
    loop: list[object] = []
    loop.append(loop)
    deep: list[object] = []
    for _ in range(MAX_DEPTH):
        deep = [deep]

    for value in (loop, deep, {1, 2}, b"bytes", object()):
        with pytest.raises(BadJson):
            normalised(value)
    assert normalised({1: (2, float("inf"), float("nan"))}) == {"1": [2, None, None]}
