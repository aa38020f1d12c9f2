"""Types of members that come in: bounded, and only what a database can keep."""

import re
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, WithJsonSchema

from intermute import times

#: what PostgreSQL cannot keep in a text: NUL, and halves of surrogate pairs
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")

_RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)", re.ASCII)

MOST = 1000  #: rows in a page
LARGEST_CURSOR = 2**63 - 1


def storable(text: str) -> bool:
    """Whether PostgreSQL can keep it."""
    return _UNSTORABLE.search(text) is None


def _storable(text: str) -> str:
    if not storable(text):
        raise ValueError("there is a NUL or half a surrogate pair in it")
    return text


def _cursor(value: Any) -> Any:
    """A cursor that cannot be read means "from the beginning", as in the original."""
    try:
        number = int(str(value))
    except ValueError:
        return 0
    return number if 0 <= number <= LARGEST_CURSOR else 0


def _limit(default: int) -> BeforeValidator:
    """A limit that cannot be read, or is not above 0, means the default; too much means the most."""

    def read(value: Any) -> int:
        try:
            number = int(str(value))
        except ValueError:
            return default
        return min(number, MOST) if number > 0 else default

    return BeforeValidator(read)


def _moment(value: Any) -> datetime | None:
    """A time as Go's clients write it; its zero time, an empty text and null mean that there is none."""
    if value is None or value == "":
        return None
    if not isinstance(value, str) or not _RFC3339.fullmatch(value):
        raise ValueError("a time is written like 2026-01-02T15:04:05Z")
    try:
        at = times.given(datetime.fromisoformat(value))
        return None if at is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError("a time is written like 2026-01-02T15:04:05Z") from None


Text = Annotated[str, AfterValidator(_storable)]
Id = Annotated[str, StringConstraints(max_length=200), AfterValidator(_storable)]
Name = Annotated[str, StringConstraints(max_length=200, strip_whitespace=True), AfterValidator(_storable)]
Line = Annotated[str, StringConstraints(max_length=4000), AfterValidator(_storable)]
#: anything is taken; what is no number means the beginning, or the default
LENIENT = WithJsonSchema({"anyOf": [{"type": "integer", "minimum": 0}, {"type": "string"}]})
Cursor = Annotated[int, BeforeValidator(_cursor), LENIENT]
Limit = Annotated[int, _limit(100), LENIENT]
Limit50 = Annotated[int, _limit(50), LENIENT]
Limit20 = Annotated[int, _limit(20), LENIENT]
LimitMost = Annotated[int, _limit(MOST), LENIENT]
#: a count or version: whole, and small enough for every reader of JSON
Count = Annotated[int, Field(strict=True, ge=0, le=2**53 - 1)]
Moment = Annotated[
    datetime | None,
    BeforeValidator(_moment),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "format": "date-time"},
                {"const": "", "type": "string"},
                {"type": "null"},
            ]
        }
    ),
]
