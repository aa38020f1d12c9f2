"""Reads a request's body once, within bounds: what cannot be understood is not passed on."""

import json
from collections.abc import Callable, Iterator
from typing import Any

from container.broker.bounds import Bounds
from container.broker.port import NotAllowed

Json = dict[str, Any]


def parse(raw: bytes, bounds: Bounds) -> Json:
    """The JSON object in `raw`. Raises NotAllowed."""
    if len(raw) > bounds.openings and _crowded(raw, bounds):  # a smaller one cannot have so many
        raise NotAllowed("The request was not sent: its body has too many values.")
    try:
        value = json.loads(raw, parse_constant=_no_constant)
    except RecursionError:
        raise too_deep() from None
    except ValueError:
        raise NotAllowed("The request was not sent: its body is not JSON.") from None
    if not isinstance(value, dict):
        raise NotAllowed("The request was not sent: its body is not a JSON object.")
    return value


def written(body: Json) -> bytes:
    """The body as it is sent on. It is written anew, so that what goes out is exactly what was checked:

    of a key that stood there twice, the provider might have believed the other one.
    """
    return json.dumps(body, separators=(",", ":")).encode()


def objects(value: object, opaque: frozenset[str], depth: int) -> Iterator[Json]:
    """Every object in `value`, but none below the keys in `opaque`. Raises NotAllowed if too deep."""
    waiting: list[tuple[object, int]] = [(value, 0)]
    while waiting:
        each, level = waiting.pop()
        if level > depth:
            raise too_deep()
        if isinstance(each, dict):
            yield each
            children = [child for key, child in each.items() if key not in opaque]
        elif isinstance(each, list):
            children = each
        else:
            continue
        waiting.extend((child, level + 1) for child in children if isinstance(child, dict | list))


def keep(body: Json, known: frozenset[str], name: Callable[[str], str] = str) -> Json:
    """The entries of `body` that are known and say something."""
    return {key: value for key, value in body.items() if value is not None and name(key) in known}


def _crowded(raw: bytes, bounds: Bounds) -> bool:
    return raw.count(b"{") + raw.count(b"[") > bounds.openings or raw.count(b",") > bounds.commas


def too_deep() -> NotAllowed:
    return NotAllowed("The request was not sent: its body is nested too deep.")


def _no_constant(name: str) -> None:
    raise ValueError(name)
