"""Where in an index of anchors the patterns are that may overlap one: at its ancestors and below it.

Two patterns can only overlap when the anchor of one begins with that of the other. What lies below is found
by all that is literal at the beginning of a pattern, or by what is literal at its end, where it names things
in one folder.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from intermute.globs.pattern import ANCHOR_BYTES, Pattern

#: sorts after every anchor in the order of bytes
_BEYOND = "\U0010ffff" * (ANCHOR_BYTES // 4 + 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """At the anchors `at`, and from `first` up to `end` (left out).

    With a `folder` only the anchors right in it; the bounds are for their last segments written backwards.
    """

    at: Sequence[str]
    first: str
    end: str
    folder: str | None


def search(pattern: Pattern) -> Search:
    """Where all are that may overlap the pattern."""
    outline, anchor = pattern.outline, pattern.anchor
    at = [*ancestors(anchor), anchor]
    in_one_folder = outline.most == anchor.count("/") + 1 and outline.folder == anchor
    name = outline.ending[outline.ending.rfind("/", 0, -1) + 1 :]
    if in_one_folder and len(name) >= len(outline.beginning) - len(anchor):
        first, end = below(name[::-1])
        return Search(at=at, first=first, end=end, folder=anchor)
    beginning = outline.beginning if len(outline.beginning.encode()) <= ANCHOR_BYTES else anchor
    first, end = below(beginning)
    return Search(at=at, first=first, end=end, folder=None)


def ancestors(anchor: str) -> Sequence[str]:
    """The anchors this one begins with, itself left out."""
    segments = anchor.split("/")[:-1]
    return ["".join(f"{segment}/" for segment in segments[:count]) for count in range(len(segments))]


def below(beginning: str) -> tuple[str, str]:
    """From where to where (left out) the anchors lie that begin so, in the order of bytes."""
    if beginning.endswith("/"):
        return beginning, f"{beginning[:-1]}0"  # "0" is the character after "/"
    return beginning, beginning + _BEYOND
