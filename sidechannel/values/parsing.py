"""Reading JSON from strangers: bounded in bytes and depth before it is parsed, numbers as doubles.

What comes out holds only None, bool, str, list, dict with str keys, int within 2^53 and finite floats that no
such int equals, so that it can be printed again exactly as a JavaScript peer would print it.
"""

import json
import re
from collections.abc import Mapping, Sequence
from itertools import accumulate

from sidechannel.errors import BadJson
from sidechannel.values.numbers import as_double, as_integer

# Sequence and Mapping, not list and dict: values travel through the machine and nobody changes them.
Json = None | bool | int | float | str | Sequence["Json"] | Mapping[str, "Json"]

MAX_DEPTH = 100

# Possessive, and content with an end of input, so that a hostile text takes linear time.
_STRINGS = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)', re.DOTALL)
# Read as signed bytes: one up, one down.
_STEPS = bytes.maketrans(b"[{]}", b"\x01\x01\xff\xff")
_OTHERS = bytes(set(range(256)) - set(b"[]{}"))


def _refuse(text: str) -> None:
    raise ValueError(text)


def _none(_text: str) -> None:
    return None


_READER = json.JSONDecoder(parse_float=as_double, parse_int=as_integer, parse_constant=_refuse)
_OWN_READER = json.JSONDecoder(parse_float=as_double, parse_int=as_integer, parse_constant=_none)


def parse(data: bytes, *, max_bytes: int) -> Json:
    """Parse JSON that somebody else wrote. Broken UTF-8 is replaced, as in a JavaScript peer."""
    if len(data) > max_bytes:
        raise BadJson(f"More than {max_bytes} bytes.")
    if _too_deep(data):
        raise BadJson(f"Nested deeper than {MAX_DEPTH}.")
    try:
        value: Json = _READER.decode(data.decode("utf-8", "replace"))
    except (ValueError, RecursionError) as error:
        raise BadJson("Not JSON.") from error
    return value


def normalised(value: object) -> Json:
    """What is left of a program's own value after a trip through JSON, as the receiver will see it."""
    try:
        text = json.dumps(value, separators=(",", ":"))
    except (TypeError, ValueError, RecursionError) as error:
        raise BadJson("The message cannot be written as JSON.") from error
    if _too_deep(text.encode()):
        raise BadJson(f"Nested deeper than {MAX_DEPTH}.")
    own: Json = _OWN_READER.decode(text)
    return own


def _too_deep(data: bytes) -> bool:
    """Whether brackets nest deeper than MAX_DEPTH, found at the speed of C.

    One bracket too many to the right makes later ones look less deep, but there the parser has given up.
    """
    if data.count(b"[") + data.count(b"{") <= MAX_DEPTH:
        return False
    steps = memoryview(_STRINGS.sub(b"", data).translate(_STEPS, _OTHERS)).cast("b")
    return max(accumulate(steps), default=0) > MAX_DEPTH
