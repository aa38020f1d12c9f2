"""kill -9 at every row the host writes, and around every delivery: nothing is lost, nothing happens twice."""

import asyncio

import pytest

from tests.conftest import TestServer
from tests.crash.install import Install, installed

pytestmark = pytest.mark.docker

SAMPLES = 3  #: of all the steps, spread evenly, when the suite is short


async def die_at(install: Install, step: int) -> bool:
    """Tell the story with a host that dies at the step; whether it came that far.

    What Ana sees last is noted only afterwards: the host may die in that too.
    """
    await install.points.aim(step)
    await install.program.launch()
    async with asyncio.TaskGroup() as tasks:
        telling = tasks.create_task(install.tell_to_the_end())
        held = tasks.create_task(install.points.held())
        await asyncio.wait({telling, held}, return_when=asyncio.FIRST_COMPLETED)
        died = not telling.done()
        held.cancel()
        if died:
            await install.return_from_death()
    return died


async def steps_of_the_story(postgres: TestServer) -> int:
    async with installed(postgres) as install, install.explaining("nobody killed it"):
        await install.program.start()
        await install.tell()
        await install.check(repeats=0)
        return await install.points.passed()


async def survive(postgres: TestServer, step: int) -> bool:
    """Whether the step was reached; fails with the step's name when a promise was broken."""
    async with installed(postgres) as install, install.explaining(f"killed at step {step}"):
        died = await die_at(install, step)
        await install.check(repeats=1 if died else 0)
        return died


async def test_a_host_killed_while_it_writes_keeps_every_promise(postgres: TestServer) -> None:
    count = await steps_of_the_story(postgres)
    for sample in range(SAMPLES):
        step = 1 + count * sample // SAMPLES
        await survive(postgres, step)


@pytest.mark.full
async def test_a_host_killed_at_any_step_keeps_every_promise(postgres: TestServer) -> None:
    step = 1
    while await survive(postgres, step):
        step += 1
    assert step > 50, "the story is longer than that"


@pytest.mark.parametrize("delivery", [1, 2, 3])
async def test_a_host_killed_while_a_message_is_on_its_way_sends_it_twice_at_the_most(
    postgres: TestServer, delivery: int
) -> None:
    """Telegram has the message, the host does not know it: the one delivery that is in doubt."""
    async with installed(postgres) as install:
        for _ in range(delivery - 1):
            install.server.slow_next("sendMessage", 0.0)
        install.server.slow_next("sendMessage", 30.0)
        await install.program.launch()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(install.tell())
            await install.server.wait_for(lambda: len(install.server.sent) >= delivery, within=60)
            await install.return_from_death()
        await install.check(repeats=1)
