"""JSON as Go's encoder writes it. Python's own takes longer to load than most commands take to run."""

from _json import encode_basestring

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_ESCAPES = {"&": "\\u0026", "<": "\\u003c", ">": "\\u003e", "\u2028": "\\u2028", "\u2029": "\\u2029"}
_WORDS = {True: "true", False: "false", None: "null"}


class Raw(str):
    """Is JSON already."""

    __slots__ = ()


def written(value: "Any", indent: int | None = None, level: int = 0) -> str:
    """Fields in the order they have; a map of Go's prints them sorted, which is up to whoever calls."""
    if isinstance(value, Raw):
        return str(value)
    if isinstance(value, str):
        return _text(value)
    if value is None or isinstance(value, bool):
        return _WORDS[value]
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e21 else repr(value)
    if isinstance(value, int):
        return str(value)
    colon = ":" if indent is None else ": "
    if isinstance(value, dict):
        parts = [_text(name) + colon + written(inner, indent, level + 1) for name, inner in value.items()]
        return _enclosed("{", parts, "}", indent, level)
    return _enclosed("[", [written(inner, indent, level + 1) for inner in value], "]", indent, level)


def _text(value: str) -> str:
    text = encode_basestring(value)
    for sign, escape in _ESCAPES.items():
        text = text.replace(sign, escape)
    return text


def _enclosed(first: str, parts: list[str], last: str, indent: int | None, level: int) -> str:
    if indent is None or not parts:
        return first + ",".join(parts) + last
    inner, outer = "\n" + " " * indent * (level + 1), "\n" + " " * indent * level
    return first + inner + ("," + inner).join(parts) + outer + last


def read(text: str) -> "Any":
    """What is written there; ValueError when that is no JSON."""
    import json

    return json.loads(text)
