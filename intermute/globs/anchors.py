"""Where in an index of anchors the patterns are that may overlap one: at its ancestors and below it.

Two patterns can only overlap when the anchor of one begins with that of the other.
"""

from collections.abc import Sequence

from intermute.globs.pattern import ANCHOR_BYTES

#: sorts after every anchor in the order of bytes
_BEYOND = "\U0010ffff" * (ANCHOR_BYTES // 4 + 1)


def ancestors(anchor: str) -> Sequence[str]:
    """The anchors this one begins with, itself left out."""
    segments = anchor.split("/")[:-1]
    return ["".join(f"{segment}/" for segment in segments[:count]) for count in range(len(segments))]


def below(anchor: str) -> tuple[str, str]:
    """From where to where (left out) the anchors lie that begin with this one, in the order of bytes."""
    # "0" is the character after "/"
    return (anchor, f"{anchor[:-1]}0") if anchor else ("", _BEYOND)
