"""Readiness: every part is asked, and one that fails or hangs is told in words."""

import asyncio

from host.metrics import Metrics
from host.readiness import Condition, Part
from tests.clock import HandClock


async def well() -> str:
    return ""


async def gone() -> str:
    raise ConnectionError("the engine does not answer")


async def test_it_is_ready_when_every_part_is_well_and_the_start_is_over(clock: HandClock) -> None:
    condition = Condition(parts=[Part(name="database", check=well)], metrics=Metrics(), clock=clock)
    assert not (await condition.ready()).ready
    condition.serving(on=True)
    assert (await condition.ready()).ready
    assert condition.banner() == []


async def test_a_part_that_fails_is_told_in_words(clock: HandClock) -> None:
    parts = [
        Part(name="database", check=well),
        Part(name="sandbox", check=gone, banner="Agents cannot start"),
    ]
    metrics = Metrics()
    condition = Condition(parts=parts, metrics=metrics, clock=clock)
    condition.serving(on=True)
    found = await condition.ready()
    assert not found.ready
    assert found.parts["database"].ok
    assert found.parts["sandbox"].reason == "the engine does not answer"
    assert condition.banner() == ["Agents cannot start: the engine does not answer"]
    assert b'intercom_ready{part="sandbox"} 0.0' in metrics.text()


async def test_what_is_not_needed_is_told_and_keeps_nobody_from_being_ready(clock: HandClock) -> None:
    parts = [
        Part(name="database", check=well),
        Part(name="intermute", check=gone, banner="Coordination", needed=False),
    ]
    metrics = Metrics()
    condition = Condition(parts=parts, metrics=metrics, clock=clock, more_metrics=lambda: b"intermute_up 1\n")
    condition.serving(on=True)
    found = await condition.ready()
    assert found.ready
    assert not found.parts["intermute"].ok
    assert condition.banner() == ["Coordination: the engine does not answer"]
    assert condition.metrics() == metrics.text() + b"intermute_up 1\n"


async def test_a_change_is_told_once(clock: HandClock) -> None:
    answers = iter(["", "away", "away", ""])
    told: list[str] = []

    async def moody() -> str:
        return next(answers)

    condition = Condition(
        parts=[Part(name="kernel", check=moody)],
        metrics=Metrics(),
        clock=clock,
        changed=lambda: told.append("changed"),
    )
    for expected in (1, 2, 2, 3):
        await condition.ready()
        assert len(told) == expected


async def test_what_stays_true_stands_in_the_banner(clock: HandClock) -> None:
    condition = Condition(parts=[], metrics=Metrics(), clock=clock, notes=["Agents are not isolated."])
    assert condition.banner() == ["Agents are not isolated."]


async def test_it_looks_by_itself(clock: HandClock) -> None:
    asked = asyncio.Event()

    async def note() -> str:
        asked.set()
        return ""

    condition = Condition(parts=[Part(name="database", check=note)], metrics=Metrics(), clock=clock)
    async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
        task = tasks.create_task(condition.run())
        await asked.wait()
        task.cancel()


async def test_what_a_part_that_is_well_has_to_say_is_told_as_it_is_by_then(clock: HandClock) -> None:
    lacks = ""
    parts = [Part(name="kernel", check=well, note=lambda: lacks)]
    condition = Condition(parts=parts, metrics=Metrics(), clock=clock)
    condition.serving(on=True)
    assert (await condition.ready()).parts["kernel"].reason == ""
    lacks = "The program bd is not installed."
    found = await condition.ready()
    assert found.ready
    assert (found.parts["kernel"].ok, found.parts["kernel"].reason) == (True, lacks)
    assert condition.banner() == []
