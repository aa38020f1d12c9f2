"""Work that comes together is done together, and shares nothing but that."""

import asyncio
from collections.abc import Sequence

import pytest

from storage.grouping import Grouping


class Desk:
    """Does groups one at a time, each when the test says so."""

    def __init__(self, *, lanes: int = 1, most: int = 4) -> None:
        self.groups: list[list[str]] = []
        self.begun = asyncio.Event()
        self.go = asyncio.Semaphore(0)
        self.fault: BaseException | None = None
        self.grouping: Grouping[str, str] = Grouping(
            self._together, lambda item: item.partition(" ")[0], lanes=lanes, most=most
        )

    async def _together(self, items: Sequence[str]) -> Sequence[str | Exception | None]:
        self.groups.append(list(items))
        self.begun.set()
        await self.go.acquire()
        if self.fault is not None:
            fault, self.fault = self.fault, None
            raise fault
        return [self._done(item) for item in items]

    def _done(self, item: str) -> str | Exception | None:
        if "refused" in item:
            return ValueError(item)
        return None if "contended" in item else f"{item}!"

    def let(self, groups: int) -> None:
        for _ in range(groups):
            self.go.release()


@pytest.fixture
def desk() -> Desk:
    return Desk()


async def _settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_what_comes_alone_is_done_at_once(desk: Desk) -> None:
    desk.let(1)
    assert await desk.grouping.execute("a") == "a!"
    assert desk.groups == [["a"]]


async def test_what_comes_meanwhile_is_the_next_group(desk: Desk) -> None:
    async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
        works = [tasks.create_task(desk.grouping.execute("a"))]
        await desk.begun.wait()
        works += [tasks.create_task(desk.grouping.execute(item)) for item in "bcdefg"]
        await _settle()
        desk.let(9)
    assert desk.groups == [["a"], ["b", "c", "d", "e"], ["f", "g"]]
    assert [work.result() for work in works] == [f"{item}!" for item in "abcdefg"]


async def test_there_are_as_many_groups_at_a_time_as_lanes() -> None:
    desk = Desk(lanes=2)
    async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
        for item in "abcd":
            tasks.create_task(desk.grouping.execute(item))
        await _settle()
        assert desk.groups == [["a", "c", "d"], ["b"]]
        desk.let(9)


async def test_two_of_one_key_are_in_two_groups_in_their_order(desk: Desk) -> None:
    async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
        tasks.create_task(desk.grouping.execute("a"))
        await desk.begun.wait()
        for item in ("k 1", "b", "k 2", "c", "k 3"):
            tasks.create_task(desk.grouping.execute(item))
        await _settle()
        desk.let(9)
    assert desk.groups == [["a"], ["k 1", "b", "c"], ["k 2"], ["k 3"]]


async def test_a_refusal_is_that_of_one(desk: Desk) -> None:
    async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
        tasks.create_task(desk.grouping.execute("a"))
        await desk.begun.wait()
        good = tasks.create_task(desk.grouping.execute("b"))

        async def refused() -> None:
            with pytest.raises(ValueError, match="c refused"):
                await desk.grouping.execute("c refused")

        tasks.create_task(refused())
        contended = tasks.create_task(desk.grouping.execute("d contended"))
        await _settle()
        desk.let(9)
    assert (good.result(), contended.result()) == ("b!", None)


async def test_a_fault_is_the_leaders_and_the_others_go_on_alone(desk: Desk) -> None:
    async def fails() -> None:
        with pytest.raises(OSError, match="lost"):
            await desk.grouping.execute("b")

    async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
        tasks.create_task(desk.grouping.execute("a"))
        await desk.begun.wait()
        tasks.create_task(fails())
        others = [tasks.create_task(desk.grouping.execute(item)) for item in "cd"]
        await _settle()
        desk.let(1)
        await _settle()
        desk.fault = OSError("lost")
        desk.let(1)
    assert [other.result() for other in others] == [None, None]
    desk.let(1)
    assert await desk.grouping.execute("e") == "e!"


async def test_a_leader_that_is_cancelled_leaves_its_lane_to_the_next(desk: Desk) -> None:
    async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
        leader = tasks.create_task(desk.grouping.execute("a"))
        await desk.begun.wait()
        others = [tasks.create_task(desk.grouping.execute(item)) for item in "bc"]
        await _settle()
        leader.cancel()
        desk.let(9)
    assert leader.cancelled()
    assert [other.result() for other in others] == ["b!", "c!"]


async def test_who_is_cancelled_while_it_waits_is_in_no_group(desk: Desk) -> None:
    async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
        tasks.create_task(desk.grouping.execute("a"))
        await desk.begun.wait()
        gone = tasks.create_task(desk.grouping.execute("b"))
        stays = tasks.create_task(desk.grouping.execute("c"))
        await _settle()
        gone.cancel()
        await _settle()
        desk.let(9)
    assert desk.groups == [["a"], ["c"]]
    assert stays.result() == "c!"


async def test_who_is_cancelled_as_its_turn_comes_hands_it_on(desk: Desk) -> None:
    async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
        first = tasks.create_task(desk.grouping.execute("a"))
        await desk.begun.wait()
        gone = tasks.create_task(desk.grouping.execute("b"))
        stays = tasks.create_task(desk.grouping.execute("c"))
        await _settle()
        desk.let(9)
        first.add_done_callback(lambda _: gone.cancel())
    assert gone.cancelled() or gone.result() == "b!"
    assert stays.result() in ("c!", None)
    assert not desk.grouping.waiting
