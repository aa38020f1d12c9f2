"""A path pattern: which paths it covers, whether it overlaps another, and where an index finds it."""

import re
from functools import lru_cache

from intermute.globs import letters
from intermute.globs.automaton import Automaton, automaton
from intermute.globs.outline import Outline, outline, plain
from intermute.globs.tokens import LENGTH, refused
from intermute.globs.walker import Walker, overlaps

ANCHOR_BYTES = 1000  #: an index entry has room for no more
HEAVY = 256  #: characters of a pattern with wildcards from which on it is work for a thread
_SURROGATES = re.compile("[\ud800-\udfff]")
_SPECIAL = frozenset("*?[{\\")
_OPAQUE = frozenset("{\\")  #: with these a segment may be none, or several
_REMEMBERED = 100  #: characters of a pattern whose machine is kept for the next time


class Pattern:
    """A plain one covers its `path`, which ends with a slash; any other has none and needs a machine."""

    __slots__ = ("_built", "_outline", "_walked", "path", "text")

    def __init__(self, text: str) -> None:
        """For a pattern on record; its machine is built when it is needed."""
        self.text = text
        self.path = _plain(text) if _SPECIAL.isdisjoint(text) else ""
        self._built: Automaton | None = None
        self._outline: Outline | None = None
        self._walked: Walker | None = None

    @classmethod
    def read(cls, text: str) -> "Pattern":
        """For one that somebody sent. Raises InvalidRequest with the code `invalid_pattern`."""
        _storable(text)
        pattern = cls(text)
        if not pattern.path:
            pattern.machine  # noqa: B018 - what cannot be read is said now
        return pattern

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Pattern) and other.text == self.text

    def __hash__(self) -> int:
        return hash(self.text)

    @property
    def heavy(self) -> bool:
        """Whether to keep it off the loop."""
        return not self.path and len(self.text) > HEAVY

    @property
    def machine(self) -> Automaton:
        if self._built is None:
            self._built = _remembered(self.text) if len(self.text) <= _REMEMBERED else automaton(self.text)
        return self._built

    @property
    def outline(self) -> Outline:
        if self._outline is None:
            self._outline = plain(self.path) if self.path else outline(self.machine)
        return self._outline

    @property
    def landmark(self) -> tuple[int, str] | None:
        """The first literal segment behind one with wildcards, and its number, where that is plain to see."""
        wild = False
        segments = (segment for segment in self.text.split("/") if segment not in ("", "."))
        for number, segment in enumerate(segments, 1):
            if segment == "**" or not _OPAQUE.isdisjoint(segment):
                return None
            if _SPECIAL.isdisjoint(segment):
                if wild:
                    return number, segment
            else:
                wild = True
        return None

    @property
    def anchor(self) -> str:
        """The literal beginning in whole segments, each ended by a slash."""
        anchor = self.outline.folder
        while len(anchor.encode()) > ANCHOR_BYTES:
            anchor = anchor[: anchor.rindex("/", 0, -1) + 1] if "/" in anchor[:-1] else ""
        return anchor

    def overlaps(self, other: "Pattern") -> bool:
        """Whether there is a path both cover. What is learnt of this pattern serves the next question."""
        if self.path and other.path:
            return self.path.startswith(other.path) or other.path.startswith(self.path)
        if other.path:
            return self._walked_by(other.path)
        if self.path:
            return other.overlaps(self)
        return overlaps(other.machine, self._walker)

    def covers(self, other: "Pattern") -> bool:
        """Whether all that the other covers is covered: exactly for a path, for a pattern only where it is
        plain to see."""
        folder = self.path or (self.outline.beginning if self._is_folder else "")
        if folder or not other.path:
            return self.text == other.text or (bool(folder) and other.outline.beginning.startswith(folder))
        states = self._walker.start
        for character in other.path:
            states = self._walker.step(states, letters.letter(character))
        return bool(states & self._walker.accepting)

    @property
    def _is_folder(self) -> bool:
        """`src/**` says what `src` says."""
        return self.text.endswith("/**") and _SPECIAL.isdisjoint(self.text[:-3])

    @property
    def _walker(self) -> Walker:
        if self._walked is None:
            self._walked = Walker(self.machine)
        return self._walked

    def _walked_by(self, path: str) -> bool:
        """A path covers everything below, so it is enough that this pattern goes on from there somehow."""
        walker = self._walker
        states = walker.start
        for character in path:
            states = walker.step(states, letters.letter(character))
            if not states:
                return False
        return True


def overlap(a: str, b: str) -> bool:
    """Whether two patterns overlap. Raises InvalidRequest where one of them cannot be read."""
    return Pattern.read(a).overlaps(Pattern.read(b))


def _storable(text: str) -> None:
    """No database keeps a NUL or half a surrogate pair."""
    if len(text) > LENGTH:
        raise refused(f"it is longer than {LENGTH:,} characters")
    if "\x00" in text or (not text.isascii() and _SURROGATES.search(text)):
        raise refused("it has a character that no path has")


def _plain(text: str) -> str:
    segments = [segment for segment in text.split("/") if segment not in ("", ".")]
    if ".." in segments:
        raise refused("it leaves its folder by `..`")
    if not "".join(segments).strip():
        raise refused("it names no path")
    return "/".join(segments) + "/"


@lru_cache(maxsize=512)
def _remembered(text: str) -> Automaton:
    return automaton(text)
