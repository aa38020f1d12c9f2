"""A place in a list that is sorted by time and id, as text that a client gives back for the next page."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Generic, TypeVar

from asyncpg.protocol import Record

from intermute.errors import InvalidRequest

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DIGITS = 17  #: microseconds up to the year 5138

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    at: datetime
    id: str

    def __str__(self) -> str:
        return f"{(self.at - _EPOCH) // timedelta(microseconds=1)}.{self.id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[Item]):
    """Some items, and where to go on; None: these were the last."""

    items: list[Item]
    next: Place | None


def page(
    rows: Sequence[Record], limit: int, item: Callable[[Record], Item], place: Callable[[Item], Place]
) -> Page[Item]:
    """The first `limit` of the rows; one more was asked for, to know whether these are the last."""
    items = [item(row) for row in rows[:limit]]
    return Page(items=items, next=place(items[-1]) if len(rows) > limit else None)


def read(text: str) -> Place | None:
    """The place somebody gave back; None for the beginning. Raises InvalidRequest."""
    if not text:
        return None
    number, dot, id_ = text.partition(".")
    if not dot or not number.isascii() or not number.isdecimal() or len(number) > _DIGITS or not id_:
        raise InvalidRequest("Give back a next_cursor as it was given to you.", code="invalid_cursor")
    return Place(at=_EPOCH + timedelta(microseconds=int(number)), id=id_)
