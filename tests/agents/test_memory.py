"""The group's one memory reaches each real agent, under the name it looks for."""

import asyncio

import pytest

from container.agent import Runtime
from host.conversation.memory import Memory
from tests.agents.house import House
from tests.agents.test_agents import ask
from tests.servers.models import Say

pytestmark = [pytest.mark.docker, pytest.mark.asyncio(loop_scope="module")]

FACT = "Ana keeps four tortoises called 4711."


async def test_every_program_reads_the_one_memory(house: House, runtime: Runtime) -> None:
    house.models.forget()
    lodger = await house.lodge("memory", runtime)
    await lodger.agent.close()
    memory = Memory(lodger.folder)
    await asyncio.to_thread(memory.prepare, runtime.memory)
    (lodger.folder / "AGENTS.md").write_text(f"# Memory\n\n{FACT}\n")
    lodger = await house.lodge("memory", runtime)
    try:
        house.models.then((Say("I see"),))
        await ask(lodger, "what do you remember?")
        assert house.models.seen(FACT)
    finally:
        await lodger.agent.close()
