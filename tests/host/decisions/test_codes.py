"""Codes as they are made, printed, typed and carried by buttons."""

import secrets

import pytest
from hypothesis import given
from hypothesis import strategies as st

from host.decisions.codes import (
    ALPHABET,
    Verb,
    button_data,
    is_code,
    new_code,
    parse_code,
    parse_data,
    parse_keyword,
)


def test_codes_are_unambiguous_and_never_a_word() -> None:
    for _ in range(500):
        code = new_code(secrets.randbelow)
        assert is_code(code)
        assert not set(code) & set("0O1IL")
        assert any(letter.isdigit() for letter in code)


@pytest.mark.parametrize("typed", ["K7Q2MD", "k7q2md", "  K7Q2MD ", "k7q 2md", "K7Q-2MD"])
def test_a_code_is_read_as_people_type_it(typed: str) -> None:
    assert parse_code(typed) == "K7Q2MD"


@pytest.mark.parametrize(
    "typed", ["", "K7Q2M", "K7Q2MDX", "K7Q2M0", "CHANGE", "234567", "2 weeks", "K7 Q2MD"]
)
def test_what_is_no_code(typed: str) -> None:
    assert parse_code(typed) is None


@pytest.mark.parametrize(
    "text", ["APPROVE K7Q2MD", "approve  k7q2md", " Approve\nK7Q2MD.", "approve k7q 2md"]
)
def test_a_decision_in_any_case(text: str) -> None:
    keyword = parse_keyword(text)
    assert keyword is not None
    assert (keyword.verb, keyword.code) == (Verb.APPROVE, "K7Q2MD")


@pytest.mark.parametrize(
    "text",
    [
        "please APPROVE K7Q2MD",
        "APPROVE K7Q2MD and then start the next run",
        "I would approve K7Q2MD if I were you",
        "approve change",
        "view budget",
        "approved",
        "",
        "APPROVE K7Q2MD " + "x" * 10_000,
    ],
)
def test_what_is_no_decision(text: str) -> None:
    assert parse_keyword(text) is None


@given(verb=st.sampled_from(list(Verb)), code=st.text(ALPHABET, min_size=6, max_size=6).filter(is_code))
def test_buttons_carry_what_they_say_within_64_bytes(verb: Verb, code: str) -> None:
    data = button_data(verb, code)
    assert len(data.encode()) <= 64
    found = parse_data(data)
    assert found is not None
    assert (found.verb, found.code) == (verb, code)


@given(st.text(max_size=200))
def test_no_text_breaks_the_parsers(text: str) -> None:
    parse_keyword(text)
    parse_data(text)
    parse_code(text)
