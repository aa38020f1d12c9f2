"""Where an index finds the patterns that may overlap one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intermute.globs.anchors import ancestors, below
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
