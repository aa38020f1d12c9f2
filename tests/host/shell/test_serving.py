"""Services: they run side by side, and end in order when a stop is asked for."""

import asyncio

import pytest

from host.serving import Service, ServiceEnded, serve


def forever(name: str, ended: list[str]) -> Service:
    async def run() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(name)

    return Service(name=name, run=run)


def stopper(stop: asyncio.Event) -> Service:
    """Asks for the stop as soon as those before it run."""

    async def run() -> None:
        stop.set()
        await asyncio.Event().wait()

    return Service(name="stopper", run=run)


async def test_a_stop_ends_services_first_to_last() -> None:
    stop, ended = asyncio.Event(), list[str]()
    async with asyncio.timeout(5):
        services = [forever(name, ended) for name in ("bridges", "lanes", "sender")]
        await serve([*services, stopper(stop)], stop)
    assert ended == ["bridges", "lanes", "sender"]


async def test_a_service_drains_before_it_ends_and_after_those_before_it() -> None:
    stop, ended = asyncio.Event(), list[str]()

    async def drain() -> None:
        ended.append("drained")

    lanes = forever("lanes", ended)
    lanes = Service(name="lanes", run=lanes.run, drain=drain, grace=1.0)
    async with asyncio.timeout(5):
        await serve([forever("bridges", ended), lanes, stopper(stop)], stop)
    assert ended == ["bridges", "drained", "lanes"]


async def test_a_drain_has_only_its_grace() -> None:
    stop, ended = asyncio.Event(), list[str]()

    async def never() -> None:
        await asyncio.Event().wait()

    slow = Service(name="slow", run=forever("slow", ended).run, drain=never, grace=0.01)
    async with asyncio.timeout(5):
        await serve([slow, stopper(stop)], stop)
    assert ended == ["slow"]


async def test_one_that_fails_ends_all_with_its_cause() -> None:
    ended: list[str] = []

    async def fail() -> None:
        await asyncio.sleep(0)
        raise OSError("port 8765 is taken")

    with pytest.raises(ExceptionGroup) as failed:
        await serve([forever("lanes", ended), Service(name="web", run=fail)], asyncio.Event())
    assert "port 8765 is taken" in str(failed.value.exceptions[0])
    assert ended == ["lanes"]


async def test_one_that_returns_is_a_fault_too() -> None:
    async def leave() -> None:
        return

    with pytest.raises(ExceptionGroup) as failed:
        await serve([Service(name="feed", run=leave)], asyncio.Event())
    assert isinstance(failed.value.exceptions[0], ServiceEnded)
