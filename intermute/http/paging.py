"""Pages of lists whose body is a bare array: the way to the next one is in the headers, as an opaque word."""

import base64
import json
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from intermute.entities.entity import START, Place
from intermute.errors import InvalidRequest


def next_page(query: Mapping[str, str], cursor: str) -> dict[str, str]:
    """The headers that lead from a page with this query to the one behind the cursor."""
    kept = {name: value for name, value in query.items() if value}
    return {"Link": f'<?{urlencode({**kept, "cursor": cursor})}>; rel="next"', "X-Next-Cursor": cursor}


def word(*marks: Any) -> str:
    """The marks of a place in a list as one word."""
    return base64.urlsafe_b64encode(json.dumps(marks, separators=(",", ":")).encode()).decode().rstrip("=")


def marks_of(cursor: str, *types: type) -> Any:
    """The marks of these types that a word of ours stands for. Raises InvalidRequest."""
    try:
        marks = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if not isinstance(marks, list) or len(marks) != len(types):
            raise ValueError("marks of another list")
        for mark, type_ in zip(marks, types, strict=True):
            _fits(mark, type_)
    except (ValueError, RecursionError) as error:
        raise _wrong() from error
    return marks


def place_word(place: Place) -> str:
    """The place in a list of entities as one word."""
    return word(place.rank, place.listed_at.isoformat(), place.id, place.project)


def place_of(cursor: str) -> Place:
    """The place a word of ours stands for; an empty one is the beginning. Raises InvalidRequest."""
    if not cursor:
        return START
    rank, at, entity_id, project = marks_of(cursor, float, str, str, str)
    try:
        listed_at = datetime.fromisoformat(at).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise _wrong() from error
    return Place(rank=rank, listed_at=listed_at, id=entity_id, project=project)


def _fits(mark: Any, type_: type) -> None:
    if type(mark) is not type_:
        raise ValueError("a mark of another type")
    if isinstance(mark, float) and not math.isfinite(mark):
        raise ValueError("a mark no entity has")
    if isinstance(mark, str) and b"\0" in mark.encode():  # which refuses half a surrogate pair
        raise ValueError("a mark no entity has")


def _wrong() -> InvalidRequest:
    return InvalidRequest("Give back the cursor as it came.", code="invalid_cursor")
