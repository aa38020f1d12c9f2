"""Numbers, times and foreign text in sentences."""

import unicodedata
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demarch.phrases import ago, bar, dots, duration, listing, one_line, tokens
from tests.clock import START


@given(st.text())
def test_foreign_text_stays_on_one_printable_line(text: str) -> None:
    line = one_line(text, 80)
    assert len(line) <= 80
    assert "\n" not in line
    assert not {unicodedata.category(character) for character in line} & {"Cc", "Cs", "Zl", "Zp"}
    assert not set(line) & set("\u202e\u2066\u200f")


@pytest.mark.parametrize(
    ("count", "words"),
    [(0, "0"), (850, "850"), (1_500, "1.5 k"), (90_000, "90 k"), (200_000, "200 k"), (1_250_000, "1.2 M")],
)
def test_tokens_are_said_as_people_say_them(count: int, words: str) -> None:
    assert tokens(count) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(-5, "just now"), (59, "just now"), (300, "5 min ago"), (7200, "2 h ago"), (90_000, "1 day ago")],
)
def test_times_are_relative(seconds: int, words: str) -> None:
    assert ago(START + timedelta(seconds=seconds), START) == words


def test_progress_and_budget_are_drawn() -> None:
    assert dots(3, 9) == "●●●○○○○○○"
    assert bar(82, 200) == "▓▓▓▓░░░░░░ 41 %"
    assert bar(250, 200) == "▓▓▓▓▓▓▓▓▓▓ 125 %"
    assert duration(11_520) == "3 h 12 min"
    assert listing(["a", "b", "c"]) == "a, b and c"
