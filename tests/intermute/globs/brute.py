"""What a pattern means, said a second time: alternatives written out, each one a regular expression."""

import itertools
import re
from functools import cache

ALPHABET = "ab"
LONGEST = 7


@cache
def paths() -> tuple[str, ...]:
    """Every path of the alphabet up to a length, a slash after each segment."""
    texts = (
        "".join(text) for n in range(1, LONGEST + 1) for text in itertools.product(ALPHABET + "/", repeat=n)
    )
    return tuple(f"{text}/" for text in texts if all(text.split("/")))


@cache
def covered(pattern: str) -> frozenset[str]:
    """The paths of the alphabet that the pattern covers."""
    readers = [
        re.compile(expression) for expression in map(_expression, set(_written_out(pattern))) if expression
    ]
    return frozenset(path for path in paths() if any(reader.fullmatch(path) for reader in readers))


def leaves(pattern: str) -> bool:
    """Whether an alternative leaves its folder."""
    return any(".." in text.split("/") for text in _written_out(pattern))


def _written_out(pattern: str) -> list[str]:
    """The pattern without braces; those here have a comma or are nothing special."""
    for opening in re.finditer(r"\{", pattern):
        inside = _inside(pattern, opening.start())
        if inside is not None:
            before, after = (
                pattern[: opening.start()],
                pattern[opening.start() + len("{}" + ",".join(inside)) :],
            )
            return [text for choice in inside for text in _written_out(before + choice + after)]
    return [pattern]


def _inside(pattern: str, opening: int) -> list[str] | None:
    choices, depth, begin = [], 0, opening + 1
    for at in range(opening, len(pattern)):
        depth += {"{": 1, "}": -1}.get(pattern[at], 0)
        if pattern[at] == "," and depth == 1:
            choices.append(pattern[begin:at])
            begin = at + 1
        if depth == 0:
            return [*choices, pattern[begin:at]] if choices else None
    raise AssertionError(pattern)


def _expression(pattern: str) -> str | None:
    segments = [segment for segment in pattern.split("/") if segment not in ("", ".")]
    if not segments:
        return None
    end = "(?:[^/]+/)*" if not re.search(r"[*?\[]", segments[-1]) else ""
    return "".join(map(_segment, segments)) + end


def _segment(segment: str) -> str:
    if segment == "**":
        return "(?:[^/]+/)*"
    return "(?=[^/])" + re.sub(r"[*?.]|\[[^]]*\]", _wildcard, segment) + "/"


def _wildcard(found: re.Match[str]) -> str:
    return {"*": "[^/]*", "?": "[^/]", ".": r"\."}.get(found[0], found[0].replace("[!", "[^/"))
