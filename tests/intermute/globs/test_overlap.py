"""Do two patterns overlap? The table of pairs, and brute force over a small alphabet."""

import json
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intermute.errors import InvalidRequest
from intermute.globs.automaton import automaton
from intermute.globs.pattern import Pattern, overlap
from intermute.globs.walker import Walker, overlaps
from tests.intermute.globs import brute

PAIRS: list[dict[str, Any]] = json.loads((Path(__file__).parent / "pairs.json").read_text(encoding="utf-8"))[
    "cases"
]


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: f"{pair['a']} {pair['b']}")
def test_a_pair_of_the_table_is_answered_as_it_says_in_both_orders(pair: dict[str, Any]) -> None:
    a, b, expected = pair["a"], pair["b"], pair["ours"]
    if expected == "error":
        with pytest.raises(InvalidRequest) as refusal:
            overlap(a, b)
        assert refusal.value.code == "invalid_pattern"
        with pytest.raises(InvalidRequest):
            overlap(b, a)
    else:
        assert overlap(a, b) is expected
        assert overlap(b, a) is expected


def test_the_table_is_whole() -> None:
    assert len(PAIRS) == 74


def test_fault_03_deep_and_directory_patterns_cover_what_is_below_them() -> None:
    for wide in ("src", "src/", "src/**", "./src//", "/src", "**", "{lib,src}/**", "s*/**"):
        assert overlap(wide, "src/a/b.go"), wide
        assert overlap("src/a/b.go", wide), wide
    for narrow in ("src/*", "src/*.go", "lib/**", "SRC"):
        assert not overlap(narrow, "src/a/b.go"), narrow


def test_fault_04_a_long_plain_path_is_a_pattern_like_any_other() -> None:
    path = "src/components/dashboard/widgets/UserActivityTimeline/index.test.tsx"
    assert overlap(path, "src/**/*.tsx")
    assert not overlap(path, "lib/**/*.tsx")
    longest = "/".join(["directory"] * 409)
    assert overlap(longest, "**/directory")
    assert not overlap(longest, longest + "s")


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ("{src,lib}/*.py", "lib/a.py", True),
        ("{src/a,lib/b}/*.py", "lib/b/x.py", True),
        ("{src/a,lib/b}/*.py", "lib/a/x.py", False),
        ("src{,/**}", "src/deep/er", True),
        ("{**/x,y}/z", "a/b/x/z", True),
        ("{a,*}{b,*}", "q/r", True),
        ("{a,*}{b,c*}", "q/r", False),
        ("{a,*}{b,c*}", "qqb", True),
        ("{a{b,c},d}.go", "ac.go", True),
        ("{a{b,c},d}.go", "a.go", False),
        ("a/{,b}/c", "a/c", True),
        ("a/{.,b}/c", "a/c", True),
        ("{one}.go", "one.go", False),
        ("{one}.go", r"\{one\}.go", True),
        ("{{cookiecutter.name}}/setup.py", "*/setup.py", True),
        ("a,b", "a[,]b", True),
        ("a}", "a?", True),
        ("*/x", "**/x", True),
        ("**/x/**", "a/b/[c]", False),
        ("**/x/**", "a/x", True),
        ("***", "a/b", False),
        ("a**", "ab/c", False),
        ("[[]", r"\[", True),
        ("[a-c-e]", "-", True),
        ("[^/]", "a", None),
        (r"a\/b", "a/b", None),
        ("[+-9]", "0", True),
        ("{a", "a", None),
        ("../a", "a", None),
        ("a/{.,b}{.,c}/d", "a", None),
        ("..a/b", "..a", True),
        (".", "a", None),
        ("{,.}", "a", None),
        ("  ", "a", None),
        ("a\x00", "a", None),
        ("\ud800", "a", None),
        ("🦊*", "🦊/", True),
    ],
)
def test_what_the_table_leaves_open(a: str, b: str, expected: bool | None) -> None:
    if expected is None:
        with pytest.raises(InvalidRequest):
            overlap(a, b)
    else:
        assert overlap(a, b) is expected
        assert overlap(b, a) is expected


def test_a_pattern_overlaps_itself_and_what_is_too_long_is_refused() -> None:
    for text in ("a" * 4096, "*" * 256, "{a,b}" * 256, "[ab]" * 1000, "a" * 2000 + "*"):
        assert overlap(text, text)
    for text in ("a" * 4097, "*" * 257, "{a,b}" * 257, "a" * 2500 + "*"):
        with pytest.raises(InvalidRequest) as refusal:
            overlap(text, "a")
        assert refusal.value.code == "invalid_pattern"


pieces = st.sampled_from(["a", "b", "a", "b", "*", "**", "?", "/", "/", "[ab]", "[!a]", ".", "*a"])
flat = st.lists(pieces, min_size=1, max_size=5).map("".join)
braced = st.lists(st.lists(pieces, max_size=2).map("".join), min_size=2, max_size=3).map(
    lambda choices: "{" + ",".join(choices) + "}"
)
nested = st.tuples(braced, braced).map(lambda pair: "{" + pair[0] + "," + pair[1][1:])
patterns = st.lists(st.one_of(flat, braced, nested), min_size=1, max_size=2).map("".join)


def read(text: str) -> Pattern | None:
    try:
        return Pattern.read(text)
    except InvalidRequest:
        return None


@given(patterns, patterns)
def test_overlap_is_what_brute_force_finds(a: str, b: str) -> None:
    some, others = read(a), read(b)
    if some is None or others is None:
        return
    found = bool(brute.covered(a) & brute.covered(b))
    assert some.overlaps(others) == others.overlaps(some)
    # A path shared by long patterns may be longer than those tried, and names with dots are not tried.
    if found or (len(a) + len(b) <= brute.LONGEST and "." not in a + b):
        assert some.overlaps(others) is found


@given(patterns)
def test_a_pattern_covers_the_very_paths_that_brute_force_finds(text: str) -> None:
    pattern = read(text)
    if pattern is None:
        # What covers a path of names is refused only for an alternative that leaves its folder.
        assert brute.leaves(text) or not brute.covered(text)
        return
    covered = brute.covered(text)
    for path in brute.paths()[:400]:
        # A plain path covers what is below it, so the question is put without a plain end.
        exactly = Pattern.read(path[:-2] + f"[{path[-2]}]")
        assert pattern.overlaps(exactly) is (path in covered), path


@given(patterns)
def test_every_path_of_a_pattern_fits_its_outline(text: str) -> None:
    pattern = read(text)
    if pattern is None:
        return
    outline = pattern.outline
    for path in brute.covered(text):
        assert path.startswith(outline.beginning), path
        assert path.endswith(outline.ending), path
        assert outline.most is None or path.count("/") <= outline.most, path


@given(patterns)
def test_a_path_is_covered_exactly_where_brute_force_finds_it(text: str) -> None:
    pattern = read(text)
    if pattern is None:
        return
    for path in brute.paths()[:200]:
        assert pattern.covers(Pattern(path)) is (path in brute.covered(text)), path


@pytest.mark.parametrize(
    ("wide", "narrow", "expected"),
    [
        ("src", "src/a/b.go", True),
        ("src/a", "src", False),
        ("src/a*", "src", False),
        ("src/**", "src/*.py", True),
        ("src", "src/**/x?", True),
        ("src/**", "**", False),
        ("src/*.py", "src/*.py", True),
        ("src/*.py", "src/a*.py", False),
        ("/**", "a", True),
        ("./**", "a/b", True),
        ("a/" * 700, "a/" * 800, True),
        ("a/" * 800, "a/" * 700 + "*", False),
        ("**", "a/b", True),
    ],
)
def test_a_pattern_covers_another_where_all_of_it_lies_within(wide: str, narrow: str, expected: bool) -> None:
    assert Pattern.read(wide).covers(Pattern.read(narrow)) is expected


@given(patterns, patterns)
def test_anchors_of_overlapping_patterns_begin_one_with_the_other(a: str, b: str) -> None:
    some, others = read(a), read(b)
    if some and others and some.overlaps(others):
        assert some.anchor.startswith(others.anchor) or others.anchor.startswith(some.anchor)


@given(st.lists(st.sampled_from(["a", "b", ".", "/", ".a"]), min_size=1, max_size=6).map("".join), patterns)
def test_a_plain_path_means_the_same_without_its_short_cut(text: str, other: str) -> None:
    plain, wild = read(text), read(other)
    if plain and wild:
        assert wild.overlaps(plain) is overlaps(automaton(text), Walker(automaton(other)))


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("*a" * 255, "*b" * 255),
        ("*" + "a" * 2000 + "*", "*" + "a" * 1999 + "b*"),
        ("{a,b}" * 256, "{a,c}" * 256),
        ("*{a,b}" * 128 + "x", "*{b,a}" * 128 + "y"),
        ("a/" * 1000 + "*", "**/" * 100 + "b"),
        ("**/a/" * 128 + "x", "**/a/" * 128 + "y"),
        ("{a,{b,{c,{d,e*}*}*}*}*" * 20 + "x", "{a,{b,{c,{d,e*}*}*}*}*" * 20 + "y"),
    ],
)
def test_a_bomb_goes_off_in_no_time(a: str, b: str) -> None:
    begun = time.perf_counter()
    assert overlap(a, b) is overlap(b, a)
    assert time.perf_counter() - begun < 3, "what is not exponential takes a fraction of a second"
