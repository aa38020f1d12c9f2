"""Finds what is behind a path: literal segments, `{name}` for one segment, `{name...}` for all the rest."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar
from urllib.parse import unquote

from intermute.errors import InvalidRequest, NotFound

LONGEST = 1000  #: characters of one parameter

Target = TypeVar("Target")


class WrongMethod(NotFound):
    """The path is good for other methods only."""

    code = "method_not_allowed"

    def __init__(self, allowed: tuple[str, ...]) -> None:
        super().__init__(f"This path takes {' and '.join(allowed)} only.")
        self.allowed = allowed


@dataclass(slots=True)
class _Place(Generic[Target]):
    literal: dict[str, "_Place[Target]"] = field(default_factory=dict)
    any: "_Place[Target] | None" = None
    rest: "_Place[Target] | None" = None
    targets: dict[str, tuple[Target, tuple[str, ...]]] = field(default_factory=dict)


class Routes(Generic[Target]):
    """Literal segments hide parameters, whatever the order they were added in."""

    def __init__(self) -> None:
        self._root: _Place[Target] = _Place()
        self._plain: dict[tuple[str, str], Target] = {}

    def add(self, method: str, path: str, target: Target) -> None:
        """Raises ValueError where there is something already."""
        place, names = self._root, []
        for segment in path.removeprefix("/").split("/"):
            if not segment.startswith("{"):
                place = place.literal.setdefault(segment, _Place())
                continue
            name, _, pattern = segment[1:-1].partition(":")
            names.append(name.removesuffix("..."))
            if name.endswith("...") or pattern:
                place.rest = place.rest or _Place()
                place = place.rest
            else:
                place.any = place.any or _Place()
                place = place.any
        if method in place.targets:
            raise ValueError(f"{method} {path} is served twice")
        place.targets[method] = (target, tuple(names))
        if not names:
            self._plain[method, path] = target

    def find(self, method: str, path: str) -> tuple[Target, Mapping[str, str]]:
        """What serves the raw path, and its parameters. Raises NotFound, WrongMethod, InvalidRequest."""
        plain = self._plain.get((method, path))
        if plain is not None:
            return plain, {}
        segments = path.removeprefix("/").split("/")
        for place, values in _matches(self._root, segments, 0):
            found = place.targets.get(method)
            if found is None:
                raise WrongMethod(tuple(sorted(place.targets)))
            target, names = found
            return target, {name: _decoded(value) for name, value in zip(names, values, strict=True)}
        raise NotFound("There is nothing at this path.")


def _matches(
    place: _Place[Target], segments: list[str], at: int
) -> Iterator[tuple[_Place[Target], tuple[str, ...]]]:
    if at == len(segments):
        if place.targets:
            yield place, ()
        return
    literal = place.literal.get(segments[at])
    if literal is not None:
        yield from _matches(literal, segments, at + 1)
    if place.any is not None:
        for found, values in _matches(place.any, segments, at + 1):
            yield found, (segments[at], *values)
    if place.rest is not None and place.rest.targets:
        yield place.rest, ("/".join(segments[at:]),)


def _decoded(value: str) -> str:
    try:
        text = unquote(value, errors="strict") if "%" in value else value
    except UnicodeDecodeError:
        raise InvalidRequest("The path is not UTF-8.") from None
    if not text.strip() or len(text) > LONGEST or "\0" in text:
        raise InvalidRequest("The path names nothing: a part of it is empty, too long or holds a NUL.")
    return text
