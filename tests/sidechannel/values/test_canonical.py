"""The signed text is the one that JavaScript prints."""

import json
import math
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidechannel.values.canonical import _printed, canonical, canonical_bytes, wire_bytes
from sidechannel.values.numbers import as_integer, js_number
from sidechannel.values.parsing import Json, normalised, parse
from tests.sidechannel.captured import VECTORS

scalars = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.text(st.characters(), max_size=3)
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.parametrize("vector", VECTORS["canonical"], ids=lambda vector: vector["json"][:40])
def test_a_vector_is_printed_as_the_original_prints_it(vector: dict[str, str]) -> None:
    value = parse(vector["json"].encode(), max_bytes=1000)

    assert canonical_bytes(value).decode() == vector["canonical"]
    assert _printed(value).encode("utf-8", "backslashreplace").decode() == vector["canonical"]


# Numbers from ECMA-262's Number::toString and where its forms change; expectations were printed by V8.
@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0.000001, "0.000001"),
        (0.00000123, "0.00000123"),
        (1e-7, "1e-7"),
        (1.23e-7, "1.23e-7"),
        (123456789.125, "123456789.125"),
        (1e16, "10000000000000000"),
        (999999999999999900000.0, "999999999999999900000"),
        (1e21, "1e+21"),
        (1.5e300, "1.5e+300"),
        (-1.5e-300, "-1.5e-300"),
        (2**53, "9007199254740992"),
        (2**53 + 1, "9007199254740992"),
        (2**64, "18446744073709552000"),
        (10**400, "null"),
        (math.inf, "null"),
        (math.nan, "null"),
        (-0.0, "0"),
        (4.35, "4.35"),
        (100.5, "100.5"),
    ],
)
def test_a_number_is_printed_as_javascript_prints_it(number: float, text: str) -> None:
    assert js_number(number) == text


@given(st.binary(min_size=8, max_size=8))
def test_any_double_reads_back_as_itself(bits: bytes) -> None:
    (number,) = struct.unpack("<d", bits)

    text = js_number(number)

    assert text == "null" if not math.isfinite(number) else float(text) == number


@given(values)
def test_the_fast_way_prints_what_the_slow_way_prints(value: object) -> None:
    plain = normalised(value)

    assert canonical(plain) == _printed(plain)


@given(values)
def test_what_was_printed_reads_back_the_same(value: object) -> None:
    plain = normalised(value)

    for data in (canonical_bytes(plain), wire_bytes(plain)):
        again = parse(data, max_bytes=10**6)
        assert again == plain
        assert canonical(again) == canonical(plain)


@given(st.lists(st.dictionaries(st.text(), st.integers(-5, 5), min_size=1)))
def test_the_order_of_keys_does_not_matter(objects: list[dict[str, int]]) -> None:
    turned = [dict(reversed(each.items())) for each in objects]

    assert canonical(normalised(objects)) == canonical(normalised(turned))


def test_keys_are_ordered_by_their_utf16_units() -> None:
    value: Json = {"\uff5e": 1, "\U0001f600": 2, "\ue000": 3, "z": 4}

    assert list(json.loads(canonical(value))) == ["z", "\U0001f600", "\ue000", "\uff5e"]


def test_a_number_too_large_for_a_double_is_null() -> None:
    assert parse(b'[1e400, -1e400, {"a": 1e999}]', max_bytes=100) == [None, None, {"a": None}]
    assert as_integer("9" * 400) is None


def test_halves_of_a_pair_that_a_program_wrote_apart_become_one_letter() -> None:
    assert canonical(normalised("\ud83d\ude00")) == '"\U0001f600"'
    assert canonical_bytes(normalised("\ude00\ud83d")) == b'"\\ude00\\ud83d"'
