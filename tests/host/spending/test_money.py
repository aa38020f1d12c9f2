"""Money as people read and write it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from host.spending.money import CENT, DOLLAR, MOST, from_usd, parse_usd, short_usd, usd


@pytest.mark.parametrize(
    ("amount", "read"),
    [
        (0, "$0.00"),
        (1, "less than $0.01"),
        (CENT, "$0.01"),
        (1_204_999, "$1.20"),
        (1_205_000, "$1.21"),
        (12_345 * DOLLAR, "$12,345.00"),
        (-2 * DOLLAR, "-$2.00"),
    ],
)
def test_an_amount_is_read_in_dollars_and_cents(amount: int, read: str) -> None:
    assert usd(amount) == read


@pytest.mark.parametrize(
    ("typed", "amount"),
    [
        ("10", 10 * DOLLAR),
        ("$2.50", 2_500_000),
        ("2,5 USD", 2_500_000),
        ("0", 0),
        ("0.000001", 1),
        ("1000000", MOST),
        ("1000001", None),
        ("-1", None),
        ("ten", None),
        ("1e9", None),
        ("\u0661\u0660", None),
        ("", None),
    ],
)
def test_an_amount_is_typed_in_the_usual_ways(typed: str, amount: int | None) -> None:
    assert parse_usd(typed) == amount


@given(st.integers(0, MOST))
def test_what_is_shown_in_whole_cents_can_be_typed_again(amount: int) -> None:
    whole = amount // CENT * CENT
    assert parse_usd(usd(whole).replace(",", "")) == whole


def test_an_axis_is_short() -> None:
    assert [short_usd(amount) for amount in (0, 15 * DOLLAR, 1_500_000, 2000)] == [
        "$0",
        "$15",
        "$1.50",
        "$0.002",
    ]


def test_a_setting_in_dollars_is_whole_millionths() -> None:
    assert from_usd(0.1) == 100_000
    assert from_usd(10.0) == 10 * DOLLAR
