"""Where an index finds the patterns that may overlap one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intermute.globs.anchors import ancestors, below
from intermute.globs.outline import Outline
from intermute.globs.pattern import ANCHOR_BYTES, Pattern


@pytest.mark.parametrize(
    ("text", "anchor"),
    [
        ("src/a.go", "src/a.go/"),
        ("./src//a/", "src/a/"),
        ("src/*.go", "src/"),
        ("src/a*/b", "src/"),
        ("src/{a,b}/c", "src/"),
        (r"src/\*/x?", "src/*/"),
        ("src/./[a]/x*", "src/a/"),
        ("src/a/**", "src/a/"),
        ("**/x", ""),
        ("*", ""),
        ("x" * 4000, ""),
        ("dir/" + "ü" * 600, "dir/"),
    ],
)
def test_the_anchor_is_the_literal_beginning_in_whole_segments(text: str, anchor: str) -> None:
    assert Pattern.read(text).anchor == anchor


def test_a_long_anchor_is_cut_between_segments_to_what_an_index_keeps() -> None:
    anchor = Pattern.read("segment/" * 400).anchor
    assert anchor == "segment/" * 125
    assert len(anchor.encode()) <= ANCHOR_BYTES


def test_ancestors_are_the_shorter_anchors_it_begins_with() -> None:
    assert ancestors("") == []
    assert ancestors("a/") == [""]
    assert ancestors("a/b/c/") == ["", "a/", "a/b/"]


@given(st.lists(st.text("ab0!\U0010ffff", min_size=1, max_size=2), max_size=3), st.data())
def test_what_lies_below_is_what_begins_with_the_anchor(segments: list[str], data: st.DataObject) -> None:
    anchor = "".join(f"{segment}/" for segment in segments)
    other = data.draw(st.lists(st.text("ab0!\U0010ffff", min_size=1, max_size=2), max_size=4).map("/".join))
    other = f"{other}/" if other else ""
    low, high = below(anchor)
    assert (low.encode() <= other.encode() < high.encode()) is other.startswith(anchor)
    part = anchor + data.draw(st.text("ab0!\U0010ffff", max_size=2))
    low, high = below(part)
    assert (low.encode() <= other.encode() < high.encode()) is other.startswith(part)


@pytest.mark.parametrize(
    ("text", "beginning", "ending", "most"),
    [
        ("src/a.go", "src/a.go/", "", None),
        ("src/*.go", "src/", ".go/", 2),
        ("src/a*", "src/a", "/", 2),
        ("src/*/x.go", "src/", "", None),
        ("src/**/*.go", "src/", ".go/", None),
        ("src/a{b,c/d}*.go", "src/a", ".go/", 3),
        ("*.{go,py}", "", "/", 1),
        ("src/[x]*/y?", "src/x", "/", 3),
        ("{a,*}.go", "", "", None),
    ],
)
def test_an_outline_says_how_paths_begin_and_end_and_how_deep_they_go(
    text: str, beginning: str, ending: str, most: int | None
) -> None:
    assert Pattern.read(text).outline == Outline(beginning=beginning, ending=ending, most=most)


@pytest.mark.parametrize(
    ("text", "landmark"),
    [
        ("src/*/x.go", (3, "x.go")),
        ("./*//src/**", (2, "src")),
        ("a/*/b*/c/d*", (4, "c")),
        ("src/x.go", None),
        ("src/*", None),
        ("src/**/x", None),
        (r"*/\./x", None),
        ("*/{a,b}/x", None),
    ],
)
def test_a_landmark_is_a_literal_segment_behind_wildcards(
    text: str, landmark: tuple[int, str] | None
) -> None:
    assert Pattern.read(text).landmark == landmark
