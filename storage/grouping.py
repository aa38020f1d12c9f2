"""Group commit: work of one process that comes at the same time shares a transaction and its commit.

Nobody waits for company. An item that finds a lane free leads a group at once, with whatever else waits by
then; what comes while all lanes are busy is the next group. A lane is a transaction under way, and leading is
done by the caller's own task, so nothing runs in the background and everybody leads once at most.

Whatever breaks a group as a whole (its leader is cancelled, the connection is lost, a lock does not come) has
no say about the others in it: each of them goes on alone, and its key tells what has happened already. The
same holds for a caller that is cancelled while its item is in somebody's group: it may go through.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Hashable, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Generic, TypeAlias, TypeVar

import asyncpg

Item = TypeVar("Item")
Done = TypeVar("Done")


#: what one statement for many raises when one of them spoils it for all
SPOILING = (asyncpg.PostgresError, asyncpg.InterfaceError)


class _Turn(Enum):
    LEAD = auto()
    ALONE = auto()


#: what became of each item: done, refused, or None where it has to be tried alone
Results: TypeAlias = Sequence[Done | Exception | None]


@dataclass(frozen=True, slots=True, eq=False)
class _Place(Generic[Item, Done]):
    """Somebody who waits, and how it is told."""

    item: Item
    told: "asyncio.Future[Done | _Turn]"


class Grouping(Generic[Item, Done]):
    """Does items together where they come together; two of one key are never in the same group.

    `together` is given the items of a group and answers in their order. After an error of `spoiling` each
    of them has to be tried alone, where it learns its own fate.
    """

    def __init__(
        self,
        together: Callable[[Sequence[Item]], Awaitable[Results[Done]]],
        key: Callable[[Item], Hashable],
        *,
        lanes: int,
        most: int,
        spoiling: tuple[type[Exception], ...] = (),
    ) -> None:
        self._together = together
        self._key = key
        self._lanes = lanes
        self._most = most
        self._spoiling = spoiling
        self.waiting: deque[_Place[Item, Done]] = deque()
        self._busy = 0  #: lanes

    async def execute(self, item: Item) -> Done | None:
        """What was done, or what refused it; None when it has to be tried alone."""
        if self._busy < self._lanes:
            self._busy += 1
        else:
            turn = await self._queue(item)
            if turn is _Turn.ALONE:
                return None
            if not isinstance(turn, _Turn):
                return turn
        try:
            return await self._lead(item)
        finally:
            self._hand_over()

    async def _queue(self, item: Item) -> Done | _Turn:
        told: asyncio.Future[Done | _Turn] = asyncio.get_running_loop().create_future()
        place = _Place(item, told)
        self.waiting.append(place)
        try:
            return await told
        except asyncio.CancelledError:
            if told.cancelled():
                self._forget(place)
            elif told.exception() is None and told.result() is _Turn.LEAD:
                self._hand_over()
            raise

    def _forget(self, place: _Place[Item, Done]) -> None:
        # It may be in a group under way, which then tells nobody.
        if place in self.waiting:
            self.waiting.remove(place)

    def _hand_over(self) -> None:
        """Let the first who waits lead; the lane stays taken."""
        while self.waiting:
            told = self.waiting.popleft().told
            if not told.done():
                told.set_result(_Turn.LEAD)
                return
        self._busy -= 1

    async def _lead(self, item: Item) -> Done | None:
        await asyncio.sleep(0)  # whoever the group before has just let go may ask for more
        others = self._company(item)
        try:
            results = await self._together([item, *(place.item for place in others)])
        except BaseException as error:
            _tell(others, [None] * len(others))
            if isinstance(error, self._spoiling):
                return None
            raise
        _tell(others, results[1:])
        mine = results[0]
        if isinstance(mine, Exception):
            raise mine
        return mine

    def _company(self, item: Item) -> list[_Place[Item, Done]]:
        """The first of those who wait, without a key that is in the group already."""
        keys = {self._key(item)}
        taken: list[_Place[Item, Done]] = []
        left: deque[_Place[Item, Done]] = deque()
        while self.waiting and len(taken) < self._most - 1:
            place = self.waiting.popleft()
            if place.told.done():
                continue
            key = self._key(place.item)
            if key in keys:
                left.append(place)
            else:
                keys.add(key)
                taken.append(place)
        self.waiting.extendleft(reversed(left))
        return taken


def _tell(others: Sequence[_Place[Item, Done]], results: Results[Done]) -> None:
    for place, result in zip(others, results, strict=True):
        if place.told.done():
            continue
        if isinstance(result, Exception):
            place.told.set_exception(result)
        else:
            place.told.set_result(_Turn.ALONE if result is None else result)
