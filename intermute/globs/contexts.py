"""What is known of the segment under way while a pattern is read, and what each token makes of it.

The paths of a pattern are written with a slash after every segment: `a/b` is `a/b/`. Empty segments and `.`
vanish, so whoever reads has to know, before a segment is over, whether it will. Instead of looking ahead,
both ways are followed, and the one that turns out wrong ends. `**` is followed as "no directory" and as "any
characters, then a slash" (which, unlike a loop over segments, is a loop of a single state).

That a name has at least one character need not be enforced: wherever two patterns share a path with an empty
name, both have a star there, and share the path with any name in its place too.
"""

from collections.abc import Sequence
from enum import IntEnum, auto

from intermute.globs.letters import ALL, ANY, SLASH, Letters, letter
from intermute.globs.tokens import Kind, Token, refused


class Context(IntEnum):
    # between two segments: nothing before, a plain one before, one with wildcards before
    NOTHING = auto()
    AFTER_PLAIN = auto()
    AFTER_WILD = auto()
    # in a segment `.`, of which nothing is kept
    DROPPED_NOTHING = auto()
    DROPPED_PLAIN = auto()
    DROPPED_WILD = auto()
    # in any other
    DOT = auto()
    TWO_DOTS = auto()
    PLAIN = auto()
    WILD = auto()
    STARRED = auto()  # WILD, and any characters may follow
    # in a segment `**`
    HALF = auto()
    DEEP = auto()
    NO_DIRECTORY = auto()


#: what is read (None: nothing), and what is known then
Move = tuple[Letters | None, Context]

_C = Context
_DOT = letter(".")
_DROPPED = {
    _C.NOTHING: _C.DROPPED_NOTHING,
    _C.AFTER_PLAIN: _C.DROPPED_PLAIN,
    _C.AFTER_WILD: _C.DROPPED_WILD,
}
_KEPT = {dropped: before for before, dropped in _DROPPED.items()}

#: what may be read any number of times
LOOPS = {_C.STARRED: ANY, _C.DEEP: ALL}
#: a plain last segment covers everything below, the end of any other is the end of the path
ENDS = {_C.AFTER_PLAIN: ALL, _C.AFTER_WILD: None}


def moves(context: Context, token: Token) -> Sequence[Move]:
    """How reading goes on with the token; nowhere if it was followed in vain."""
    if token.kind is Kind.SLASH:
        return _slash(context)
    if context in _KEPT:
        return ()
    if context in (_C.HALF, _C.DEEP, _C.NO_DIRECTORY):
        deep: Sequence[Move] = ((None, _C.DEEP), (None, _C.NO_DIRECTORY))
        return deep if context is _C.HALF and token.kind is Kind.STAR else ()
    if token.kind is Kind.STAR:
        starred: Sequence[Move] = ((None, _C.STARRED),)
        return (*starred, (None, _C.HALF)) if context in _DROPPED else starred
    return _character(context, token)


def _slash(context: Context) -> Sequence[Move]:
    if context is _C.TWO_DOTS:
        raise refused("it leaves its folder by `..`")
    if context in _DROPPED:
        return ((None, context),)
    if context in _KEPT:
        return ((None, _KEPT[context]),)
    if context is _C.NO_DIRECTORY:
        return ((None, _C.AFTER_WILD),)
    if context is _C.PLAIN:
        return ((SLASH, _C.AFTER_PLAIN),)
    return ((SLASH, _C.AFTER_WILD),) if context in (_C.WILD, _C.STARRED, _C.DEEP) else ()


def _character(context: Context, token: Token) -> Sequence[Move]:
    if not token.letters:
        return ()
    if token.kind is Kind.CLASS or context in (_C.WILD, _C.STARRED):
        return ((token.letters, _C.WILD),)
    if token.letters == _DOT and context in _DROPPED:
        return ((None, _DROPPED[context]), (token.letters, _C.DOT))
    if token.letters == _DOT and context is _C.DOT:
        return ((token.letters, _C.TWO_DOTS),)
    return ((token.letters, _C.PLAIN),)
