"""Reads what the kernel's binaries print: an object, an array, a line of JSON each, plain text.

The envelope of `bd` may be on or off. What cannot be read at all is `Garbled`, never a traceback.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from demarch.cli.failures import Garbled
from demarch.phrases import one_line

Data = dict[str, Any]

_DECODER = json.JSONDecoder(strict=False, parse_constant=lambda name: None)
_DEEPEST = 32  #: levels; whoever nests deeper wants to break somebody
_ENVELOPE = frozenset({"schema_version", "data"})
#: no talk has that in it; a sentence beside an answer of no rows is no reason to give up
_RUBBISH = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffd{}\[\]<>]")
#: what no text of ours holds: control characters and halves of characters
_UNFIT = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


def objects(text: str) -> Sequence[Data]:
    """All objects, whether they come in an array, an envelope, or one a line. Nothing printed: no objects."""
    return [value for document in _documents(text) for value in _flat(document)]


def an_object(text: str) -> Data:
    """The one object that is expected; an array of one will do. Raises Garbled when there is none."""
    found = objects(text)
    if not found:
        raise Garbled("The kernel answered with nothing where something was expected.")
    return found[0]


def plain(text: str, limit: int = 500) -> str:
    """The last line of plain text, in which such commands answer, safe to show."""
    lines = [line for line in text.splitlines() if line.strip()]
    return one_line(lines[-1], limit) if lines else ""


def complaint(out: str, err: str) -> str:
    """Why a command refused: the `error` of `bd`, a log line of `ic`, or plain text."""
    for text in (out, err):
        try:
            said = [text_of(found, "error") or text_of(found, "msg") for found in objects(text)]
        except Garbled:
            continue
        if any(said):
            return one_line(next(word for word in said if word), 300)
    return _error_line(err) or plain(err, 300) or plain(out, 300)


def _error_line(err: str) -> str:
    """Hints may stand below the error itself."""
    errors = (line for line in err.splitlines() if line.lower().startswith("error"))
    return one_line(next(errors, "").partition(":")[2], 300)


def _flat(document: object) -> Iterator[Data]:
    if isinstance(document, list):
        yield from (value for value in document if isinstance(value, dict))
    elif isinstance(document, dict):
        if document.keys() <= _ENVELOPE and isinstance(document.get("data"), (dict, list)):
            yield from _flat(document["data"])
        else:
            yield document


def _documents(text: str) -> Iterator[object]:
    try:
        for document in _read(text):
            yield _fit(document, _DEEPEST)
    except (RecursionError, ValueError) as error:
        raise Garbled(f"The kernel answered with something unreadable: {plain(text, 120)}") from error


def _read(text: str) -> Iterator[object]:
    """JSON documents one after the other; lines between them that are none are let go by."""
    at, found = 0, False
    while (at := _next_line(text, at)) < len(text):
        try:
            document, at = _DECODER.raw_decode(text, at)
        except json.JSONDecodeError:
            end = text.find("\n", at)
            at = len(text) if end < 0 else end
            continue
        found = True
        if isinstance(document, (dict, list)) or document is None:
            yield document
    if not found and _RUBBISH.search(text):
        raise ValueError("no JSON in it")


def _fit(value: object, depth: int) -> object:
    """The same without what no text of ours holds, and no deeper than anybody reads."""
    if isinstance(value, str):
        return _UNFIT.sub("", value) if _UNFIT.search(value) else value
    if isinstance(value, dict):
        return {_fit(key, 0): _fit(inner, depth - 1) for key, inner in value.items()} if depth else {}
    if isinstance(value, list):
        return [_fit(inner, depth - 1) for inner in value] if depth else []
    return value


def _next_line(text: str, at: int) -> int:
    while at < len(text) and text[at].isspace():
        at += 1
    return at


def text_of(data: Mapping[str, Any], name: str) -> str:
    """A field that should be text, whatever stands there."""
    value = data.get(name)
    return value if isinstance(value, str) else "" if value is None else str(value)


def number_of(data: Mapping[str, Any], name: str, default: int = 0) -> int:
    """A field that should be a whole number, whatever stands there."""
    value = data.get(name)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return default
    return int(value) if abs(value) < 2**63 else default


def moment_of(data: Mapping[str, Any], name: str) -> datetime | None:
    """A field that should be a time: seconds since 1970, or written out with its zone."""
    value = data.get(name)
    try:
        if isinstance(value, str):
            then = datetime.fromisoformat(value)
            return then.astimezone(UTC) if then.tzinfo else then.replace(tzinfo=UTC)
        if isinstance(value, (int, float)) and not isinstance(value, bool) and value > 0:
            return datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return None


def line_of(data: Mapping[str, Any], name: str, limit: int = 64) -> str:
    """A field that stands inside our own sentences: one printable line."""
    return one_line(text_of(data, name), limit)
