"""What a database leaves out as it looks for obstacles is never one."""

import random

import pytest

from intermute.errors import InvalidRequest
from intermute.globs.pattern import Pattern
from intermute.limits import Limits
from intermute.reservations.claim import Wanted
from intermute.reservations.reservations import Granted, Reservations

PIECES = (
    "a",
    "b",
    "ab",
    "b.a",
    "*",
    "**",
    "?",
    "/",
    "/",
    "/",
    "[ab]",
    "[!a]",
    ".",
    "*a",
    "b*",
    "*.b",
    "é",
    "%_",
)
FORKS = ("{a,b}", "{a/b,*}", "{,b}", "{*,**}", "{a,b/}", r"\.", r"\*", r"\a")


@pytest.fixture
def limits() -> Limits:
    return Limits(reservations=100)


def drawn(chance: random.Random) -> str | None:
    """A pattern, if it makes sense; every third one has braces or backslashes."""
    pieces = PIECES + FORKS if chance.random() < 0.3 else PIECES
    text = "".join(chance.choice(pieces) for _ in range(chance.randint(1, 7)))
    try:
        Pattern.read(text)
    except InvalidRequest:
        return None
    return text


@pytest.mark.parametrize("seed", range(5))
async def test_a_search_finds_every_one_that_overlaps(seed: int, reservations: Reservations) -> None:
    chance = random.Random(seed)  # noqa: S311 - chance as a test wants it
    texts = [text for text in (drawn(chance) for _ in range(260)) if text]
    held = list(dict.fromkeys(texts))[:90]
    granted = await reservations.reserve(Wanted(project="p", agent="ada", patterns=held))
    assert isinstance(granted, Granted)
    for text in texts:
        found = await reservations.check("p", (text,), agent="bob")
        expected = {other for other in held if Pattern(text).overlaps(Pattern(other))}
        assert {obstacle.pattern for obstacle in found.found} == expected, text


@pytest.mark.parametrize(
    ("held", "asked", "overlap"),
    [
        ("src/" + "ü" * 600, "src/*ü", True),
        ("src/" + "ü" * 600, "src/ü*x", False),
        ("a/" * 600, "a/" * 599 + "*", True),
        ("a/" * 600, "a/" * 598 + "*", False),
        ("a/" * 600, "a/" * 400 + "*/a", True),
        ("a/" * 600 + "*", "a/" * 599 + "*", False),
        (r"a/*/\./b", "a/x/b", True),
        ("a/x/b", r"a/*/\./b", True),
        ("a/x/b", "a/{x,c}*/b", True),
        ("a/*/{b,c/d}", "a/x/c/d", True),
        ("a/x/c/d", "a/*/{b,c/d}", True),
        ("*", "*.py", True),
        ("a.py", "*.py", True),
        ("\U0010ffff.py", "\U0010ffff*.py", True),
        ("a/b", "a/{,./}[b]", True),
        ("a/" + "".join(map(chr, range(0x4E00, 0x4E00 + 330))), "a/" + "*", True),
    ],
)
async def test_long_and_strange_ones_are_found_as_well(
    held: str, asked: str, overlap: bool, reservations: Reservations
) -> None:
    await reservations.reserve(Wanted(project="p", agent="ada", patterns=(held,)))
    assert Pattern.read(asked).overlaps(Pattern(held)) is overlap
    assert bool((await reservations.check("p", (asked,), agent="bob")).found) is overlap
