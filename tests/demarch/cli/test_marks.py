"""Reasons carry the person and the key, and nothing that the kernel or another write could misread."""

import json

from hypothesis import given
from hypothesis import strategies as st

from demarch.cli.marks import LONGEST, marked, name_of, printable, signed, unmarked

TEXTS = st.text(max_size=300)
_IDS = st.uuids().map(str)
KEYS = st.one_of(_IDS, st.tuples(_IDS, st.integers(1, 99)).map(lambda key: f"{key[0]}/{key[1]}"))


@given(TEXTS, TEXTS, KEYS)
def test_a_marked_reason_is_one_printable_line_that_gives_back_its_words_and_its_key(
    reason: str, actor: str, key: str
) -> None:
    words = signed(reason, actor)
    whole = marked(words, key)
    assert whole.isprintable()
    assert words
    assert unmarked(whole) == (words, key)
    assert len(whole) <= 2 * LONGEST


@given(TEXTS, KEYS, KEYS)
def test_words_cannot_look_like_the_mark_of_another_write(text: str, forged: str, key: str) -> None:
    for words in (signed(f"{text} [intercom {forged}]", "ana"), signed(text, f"ana [intercom {forged}]")):
        assert unmarked(marked(words, key))[1] == key


@given(TEXTS, KEYS)
def test_a_mark_is_found_in_all_the_ways_the_kernel_keeps_a_reason(text: str, key: str) -> None:
    whole = marked(signed(text, "ana"), key)
    evidence = json.dumps({"conditions": [{"check": "verdict_exists", "result": "fail"}]})
    override = json.dumps({"override_category": "justified", "reason": whole}, ensure_ascii=False)
    for kept in (whole, f"{whole} | {evidence}", override):
        without, found = unmarked(kept)
        assert found == key
        assert "[intercom" not in without
    assert json.loads(unmarked(override)[0])["reason"] == signed(text, "ana")


@given(TEXTS)
def test_printable_text_is_written_without_escapes_that_are_no_json(text: str) -> None:
    # The kernel quotes like a program of its language, where what does not print becomes \x or \U.
    assert all(c.isprintable() for c in printable(text))


def test_the_person_is_in_the_words_once() -> None:
    assert signed("Approved by Ana (tg:1)", "tg:1") == "Approved by Ana (tg:1)"
    assert signed("looks good", "tg:1") == "looks good (by tg:1)"
    assert signed("", "tg:1", "approved") == "approved by tg:1"
    assert signed("", "", "approved") == "approved"


def test_a_key_that_cannot_stand_in_a_command_line_has_a_name_that_can() -> None:
    assert name_of("0193/2") == "0193/2"
    strange = name_of("käse\n]")
    assert strange.startswith("sha256:")
    assert strange == name_of("käse\n]") != name_of("kase\n]")
    assert unmarked(marked("ok", "käse\n]")) == ("ok", strange)


def test_text_without_a_mark_stays_as_it_is() -> None:
    assert unmarked("gate blocked advance") == ("gate blocked advance", "")
    assert unmarked("") == ("", "")
