"""Sets of characters: what one place of a pattern accepts, as sorted ranges of code points."""

from collections.abc import Iterable
from functools import lru_cache
from typing import TypeAlias

#: first and last code point of each range, sorted, none touching another
Letters: TypeAlias = tuple[tuple[int, int], ...]

_LAST = 0x10FFFF
_SLASH = ord("/")

SLASH: Letters = ((_SLASH, _SLASH),)
ALL: Letters = ((0, _LAST),)
#: any character of a name
ANY: Letters = ((0, _SLASH - 1), (_SLASH + 1, _LAST))


@lru_cache(maxsize=4096)
def letter(character: str) -> Letters:
    """Exactly this character."""
    return ((ord(character), ord(character)),)


def in_a_name(ranges: Iterable[tuple[int, int]]) -> Letters:
    """These ranges, without the slash: no class reaches into another directory."""
    return _without_slash(_joined(ranges))


def none_of(ranges: Iterable[tuple[int, int]]) -> Letters:
    """Every character of a name outside these ranges."""
    free, begin = [], 0
    for first, last in _joined(ranges):
        if first > begin:
            free.append((begin, first - 1))
        begin = last + 1
    if begin <= _LAST:
        free.append((begin, _LAST))
    return _without_slash(free)


def meet(some: Letters, others: Letters) -> bool:
    """Whether a character is in both."""
    return any(first <= end and begin <= last for first, last in some for begin, end in others)


def _joined(ranges: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    joined: list[tuple[int, int]] = []
    for first, last in sorted(ranges):
        if joined and first <= joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], max(joined[-1][1], last))
        else:
            joined.append((first, last))
    return joined


def _without_slash(ranges: Iterable[tuple[int, int]]) -> Letters:
    kept: list[tuple[int, int]] = []
    for first, last in ranges:
        if first <= _SLASH <= last:
            kept += [(first, _SLASH - 1)] if first < _SLASH else []
            kept += [(_SLASH + 1, last)] if last > _SLASH else []
        else:
            kept.append((first, last))
    return tuple(kept)
