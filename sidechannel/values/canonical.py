"""The text that is signed and hashed: JSON with sorted keys, exactly as a JavaScript peer prints it."""

import json
import re
from collections.abc import Mapping
from json.encoder import encode_basestring as quoted

from sidechannel.values.numbers import js_number
from sidechannel.values.parsing import Json

_SORTED = json.JSONEncoder(sort_keys=True, separators=(",", ":"))
_WIRE = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))

# What the two languages might print differently: fractions, exponents, long integers, all but plain ASCII.
# Text that only looks like one of these takes the slow way too, and comes out the same.
_DOUBTFUL = re.compile(r"[0-9]\.[0-9]|[0-9]e[+-][0-9]|[0-9]{16}|NaN|Infinity|\\u")


def canonical(value: Json) -> str:
    """Print value with keys in the order of their UTF-16 code units; lone surrogates stay in the text."""
    if type(value) is str:
        return quoted(value)
    plain = _SORTED.encode(value)
    return _printed(value) if _DOUBTFUL.search(plain) else plain


def to_bytes(text: str) -> bytes:
    """UTF-8, with lone surrogates written as the escapes that JavaScript prints."""
    return text.encode("utf-8", "backslashreplace")


def canonical_bytes(value: Json) -> bytes:
    """The canonical text as it is signed."""
    return to_bytes(canonical(value))


def wire_bytes(value: Json) -> bytes:
    """Print value for the wire: compact, keys in the order they have."""
    return to_bytes(_WIRE.encode(value))


def _printed(value: Json) -> str:
    if isinstance(value, str):
        return quoted(value)
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int | float):
        return js_number(value)
    if isinstance(value, Mapping):
        return (
            "{" + ",".join(f"{quoted(key)}:{_printed(value[key])}" for key in sorted(value, key=_units)) + "}"
        )
    return "[" + ",".join(map(_printed, value)) + "]"


def _units(key: str) -> bytes:
    return key.encode("utf-16-be", "surrogatepass")
