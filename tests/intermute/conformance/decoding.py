"""JSON read as strictly as Go's programs read it: a member of another type fails the whole answer.

null leaves a member as it was, unknown members are passed over, names match in any case.
"""

import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

Shape = Callable[[Any], Any]
_RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")


class Undecodable(AssertionError):
    """Go's decoder would give an error."""


def text(value: Any) -> Any:
    return _of(value, str)


def flag(value: Any) -> Any:
    return _of(value, bool)


def anything(value: Any) -> Any:
    return value


def whole(value: Any) -> int:
    """int and int64: 1.0 and 1e3 are refused."""
    if value is None:
        return 0
    if type(value) is not int or not -(2**63) <= value < 2**63:
        raise Undecodable(f"{value!r} is no whole number")
    return value


def cursor(value: Any) -> int:
    """uint64."""
    if whole(value) < 0:
        raise Undecodable(f"{value!r} is below zero")
    return whole(value)


def number(value: Any) -> Any:
    if value is not None and type(value) not in (int, float):
        raise Undecodable(f"{value!r} is no number")
    return value


def moment(value: Any) -> datetime | None:
    """time.Time: RFC 3339 to the letter, and never an empty text."""
    if value is None:
        return None
    if not isinstance(value, str) or not _RFC3339.fullmatch(value):
        raise Undecodable(f"{value!r} is no time")
    whole_, _, fraction = value.removesuffix("Z").partition(".")
    assert len(fraction) <= 9, value
    assert value.endswith("Z"), f"{value!r} is not in UTC"
    return datetime.fromisoformat(f"{whole_}+00:00")


def many(shape: Shape) -> Shape:
    """A slice; null is an empty one."""

    def decode(value: Any) -> list[Any]:
        return [shape(each) for each in _of(value, list) or []]

    return decode


def texts_by_name(value: Any) -> Mapping[str, str]:
    """map[string]string."""
    return {name: text(each) for name, each in (_of(value, dict) or {}).items()}


def struct(**members: Shape) -> Shape:
    """A struct: absent members have their zero value, which is what the shape makes of null.

    `from_` stands for `from`.
    """

    def decode(value: Any) -> dict[str, Any]:
        given = {name.lower(): each for name, each in (_of(value, dict) or {}).items()}
        return {name: shape(given.get(name.rstrip("_"))) for name, shape in members.items()}

    return decode


def decode(shape: Shape, content: str) -> Any:
    """The first JSON value of an answer. Raises Undecodable."""
    try:
        value, _ = json.JSONDecoder().raw_decode(content.lstrip())
    except ValueError as error:
        raise Undecodable(f"no JSON: {content[:200]!r}") from error
    return shape(value)


def _of(value: Any, type_: type) -> Any:
    if value is not None and type(value) is not type_:
        raise Undecodable(f"{value!r} is no {type_.__name__}")
    return value
