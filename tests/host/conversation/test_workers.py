"""One task per key, never lost, never doubled."""

import asyncio

from host.workers import Workers


async def test_a_wake_during_the_work_makes_it_run_once_more() -> None:
    done: list[str] = []
    began, free = asyncio.Event(), asyncio.Event()

    async def work(key: str) -> None:
        began.set()
        await free.wait()
        done.append(key)

    workers = Workers(work, name="test")
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(workers.run())
        workers.wake("a")
        await began.wait()
        for _ in range(3):
            workers.wake("a")
        free.set()
        await workers.idle()
        assert done == ["a", "a"]
        running.cancel()


async def test_no_more_than_allowed_work_at_once_and_the_rest_in_order() -> None:
    order: list[str] = []
    free = asyncio.Event()

    async def work(key: str) -> None:
        order.append(key)
        await free.wait()

    workers = Workers(work, name="test", at_once=2, remembered=3)
    for key in "abcdef":  # woken before they run: three are remembered
        workers.wake(key)
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(workers.run())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert workers.active == {"a", "b"}
        free.set()
        await workers.idle()
        assert order == ["a", "b", "c"]
        running.cancel()


async def test_a_failure_of_one_key_ends_no_other() -> None:
    done: list[str] = []

    async def work(key: str) -> None:
        if key == "bad":
            raise ValueError(key)
        done.append(key)

    workers = Workers(work, name="test")
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(workers.run())
        workers.wake("bad")
        workers.wake("good")
        await workers.idle()
        workers.wake("bad")
        workers.wake("good")
        await workers.idle()
        running.cancel()
    assert done == ["good", "good"]


async def test_stop_cancels_what_runs_and_begins_nothing_more() -> None:
    began = asyncio.Event()

    async def work(key: str) -> None:
        began.set()
        await asyncio.Event().wait()

    workers = Workers(work, name="test")
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(workers.run())
        workers.wake("a")
        await began.wait()
        workers.wake("a")
        await workers.stop()
        workers.wake("b")
        assert not workers.active
        running.cancel()
