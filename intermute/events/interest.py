"""Which types of events a listener wants: everything, until it says otherwise."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

MOST = 100  #: types a listener may name
LONGEST = 100  #: characters of a type


class NotUnderstood(ValueError):
    """What came is not JSON."""


class TooMany(ValueError):
    """More types than a listener may name, or longer ones."""


@dataclass(frozen=True, slots=True)
class Wish:
    """A client's word on what it wants to hear."""

    wanted: bool
    types: tuple[str, ...]


class Interest:
    """Subscribing names what is wanted instead of everything; unsubscribing takes something away."""

    __slots__ = ("_only", "_without")

    def __init__(self, only: Iterable[str] = ()) -> None:
        self._only: set[str] | None = set(only) or None
        self._without: set[str] = set()
        self._check()

    def __contains__(self, kind: str) -> bool:
        return (self._only is None or kind in self._only) and kind not in self._without

    @property
    def only(self) -> list[str] | None:
        """The types named, for a query; None is all of them."""
        return None if self._only is None else sorted(self._only)

    def heed(self, wish: Wish) -> None:
        """Without types a wish is about all of them. Raises TooMany."""
        match wish:
            case Wish(wanted=True, types=()):
                self._only, self._without = None, set()
            case Wish(wanted=False, types=()):
                self._only, self._without = set(), set()
            case Wish(wanted=True):
                self._want(wish.types)
            case _:
                self._refuse(wish.types)
        self._check()

    def _want(self, types: tuple[str, ...]) -> None:
        self._only = (self._only or set()).union(types)
        self._without.difference_update(types)

    def _refuse(self, types: tuple[str, ...]) -> None:
        if self._only is None:
            self._without.update(types)
        else:
            self._only.difference_update(types)

    def _check(self) -> None:
        named = self._without | (self._only or set())
        if len(named) > MOST or any(len(kind) > LONGEST for kind in named):
            raise TooMany(f"A listener may name {MOST} types of {LONGEST} characters.")


def types_of(text: str) -> list[str]:
    """The types in a list with commas, as a query has it."""
    return [kind for kind in (part.strip() for part in text.split(",")) if kind]


def wish(text: str) -> Wish | None:
    """What a client's frame asks for; None where it is JSON that we have no use for. Raises NotUnderstood."""
    try:
        frame: Any = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise NotUnderstood("Only JSON is understood here.") from error
    if not isinstance(frame, dict):
        return None
    kind, types = frame.get("type"), frame.get("event_types")
    if kind not in ("subscribe", "unsubscribe") or not isinstance(types, list | None):
        return None
    named = tuple(name for name in types or () if isinstance(name, str))
    return Wish(kind == "subscribe", named) if named or not types else None
