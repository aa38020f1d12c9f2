"""What the real agents cost with us: turns beside the same turns without us, cold starts, freezing.

The models answer at once, so that what is measured is the agents and what stands around them.
`python -m bench.agents` takes these figures alone.
"""

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING
from uuid import uuid4

from acp import RequestError

from bench.figures import Figure, as_table, at_most
from bench.plain import plain
from bench.rig import OWNER, Rig, rig
from container.agent import Runtime
from container.conversation import Conversation
from container.docker import DockerSandbox
from container.engine import Engine
from container.image_builder import ImageBuilder
from container.life import LaunchedAgent
from container.planning import user_inside
from container.runtimes import runtimes
from tests.agents.house import House
from tests.agents.install import PROVIDERS
from tests.container.scene import Listener
from tests.servers.models import KEY, ModelServer, Say, Talk
from tests.servers.models.script import Answer

if TYPE_CHECKING:
    from docker import APIClient

FIRST_TEXT = {"claude": 3.0, "codex": 2.5, "gemini": 5.0}  #: seconds, of a group without a container
ROUNDS = 60
COLD = 5
FROZEN = 20
QUIET = 10.0  #: seconds in which frozen agents are watched
STARTS = 2  #: at once


def at_once(talk: Talk) -> Answer:
    return (Say("It is."),)


async def figures() -> list[Figure]:
    engine = Engine()
    try:
        user, _ = user_inside(os.geteuid(), os.getegid())
        builder = ImageBuilder(engine, version=version("intercom"), user=user)
        found: list[Figure] = []
        for name in FIRST_TEXT:
            await builder.ensure(name, lambda said: None)
            runtime = runtimes(builder.tags)[name]
            found += await _through_us(engine, runtime)
            found += await _woken(engine, runtime)
        return [*found, await _frozen(engine, runtimes(builder.tags)["claude"])]
    finally:
        await engine.close()


async def _through_us(engine: Engine, runtime: Runtime) -> list[Figure]:
    """Turns of a chat, less what the same agent takes for the same turns when nobody stands around it."""
    assert runtime.api is not None
    provider, path = PROVIDERS[runtime.api.value]
    async with ModelServer.running(script=at_once) as models:
        settings = {
            "INTERCOM_AGENT__RUNTIME": runtime.name,
            f"INTERCOM_MODELS__{provider}__API_KEY": KEY,
            f"INTERCOM_MODELS__{provider}__BASE_URL": f"{models.url}{path}",
        }
        own = await _own_time(engine, runtime, models)
        async with rig(settings) as install:
            await install.reply(OWNER, "Is it so?")
            await _settled(models)
            warm = [await install.reply(OWNER, "Is it so?") for _ in range(ROUNDS)]
            cold = await _cold(install, runtime)
    added = [(each - median(own)) * 1000 for each in warm]
    name = runtime.name
    return [
        Figure(name=f"{name}: a turn as a plain process", unit="ms", samples=[each * 1000 for each in own]),
        Figure(name=f"{name}: warm turn in a chat", unit="ms", samples=[each * 1000 for each in warm]),
        Figure(name=f"{name}: of it added by us", unit="ms", samples=added, goal=at_most(30)),
        Figure(
            name=f"{name}: first text of a cold group", unit="s", samples=cold, goal=at_most(FIRST_TEXT[name])
        ),
    ]


async def _own_time(engine: Engine, runtime: Runtime, models: ModelServer) -> list[float]:
    with tempfile.TemporaryDirectory(prefix="intercom-bench-", ignore_cleanup_errors=True) as place:
        async with plain(engine, runtime, models.url, Path(place)) as conversation:
            await _turn(conversation)
            await _settled(models)
            return [await _turn(conversation) for _ in range(ROUNDS)]


async def _turn(conversation: Conversation) -> float:
    heard = Listener()
    begun = time.monotonic()
    await conversation.prompt("Is it so?", heard)
    took = time.monotonic() - begun
    assert heard.said == "It is.", heard.said
    return took


async def _settled(models: ModelServer) -> None:
    """An agent asks for titles and the like beside its first turn."""
    async with asyncio.timeout(20):
        while not all(each.ended.is_set() for each in models.requests):  # noqa: ASYNC110 - another process's
            await asyncio.sleep(0.1)


async def _cold(install: Rig, runtime: Runtime) -> list[float]:
    chats = [-(900 + number) for number in range(COLD)]
    for chat in chats:
        given = ("--folder", f"c{abs(chat)}", "--no-trigger", "--runtime", runtime.name)
        status, said = await install.program.command("group", "add", f"tg:{chat}", *given)
        assert status == 0, said
    await asyncio.sleep(0.5)  # until the host has heard of the last one
    return [await install.reply(chat, "Is it so?") for chat in chats]


async def _woken(engine: Engine, runtime: Runtime) -> list[Figure]:
    """From the wish to wake a frozen agent to its first byte: its answer to a question it does not know."""
    samples = []
    with tempfile.TemporaryDirectory(prefix="ic-") as home:
        async with House.open(engine, f"bench-{uuid4().hex[:8]}", Path(home)) as house:
            agent = (await house.lodge("frozen", runtime)).agent
            for _ in range(20):
                await agent.pause()
                begun = time.monotonic()
                await agent.unpause()
                await _first_byte(agent)
                samples.append((time.monotonic() - begun) * 1000)
    name = f"{runtime.name}: unpause to first byte"
    return [Figure(name=name, unit="ms", samples=samples, goal=at_most(30))]


async def _first_byte(agent: LaunchedAgent) -> None:
    conversation = agent._conversation  # noqa: SLF001 - nothing that people do is answered without a turn
    assert conversation is not None
    try:
        await conversation._connection.send_request("_intercom/awake", {})  # noqa: SLF001
    except RequestError:
        return
    raise AssertionError("the agent knows a method that does not exist")


async def _frozen(engine: Engine, runtime: Runtime) -> Figure:
    install = f"bench-{uuid4().hex[:8]}"
    with tempfile.TemporaryDirectory(prefix="ic-") as home:
        async with House.open(engine, install, Path(home)) as house:
            agents = await _many(house, runtime)
            for agent in agents:
                await agent.pause()
            containers = [running.id for running in await DockerSandbox(install, engine).running()]
            assert len(containers) == FROZEN
            before = await _cpu(engine, containers)
            await asyncio.sleep(QUIET)
            used = (await _cpu(engine, containers) - before) * 1000
            for agent in agents:
                await agent.unpause()
    name = f"{FROZEN} frozen claude groups in {QUIET:g} s"
    return Figure(name=name, unit="ms CPU", samples=[used], goal=at_most(1))


async def _many(house: House, runtime: Runtime) -> list[LaunchedAgent]:
    agents: list[LaunchedAgent] = []
    for first in range(0, FROZEN, STARTS):
        async with asyncio.TaskGroup() as group:
            started = [
                group.create_task(house.lodge(f"group{number}", runtime))
                for number in range(first, first + STARTS)
            ]
        agents += [task.result().agent for task in started]
    return agents


async def _cpu(engine: Engine, containers: Sequence[str]) -> float:
    """Seconds that all of them have used since they began, as their control groups count."""

    def count(client: "APIClient") -> float:
        found = [client.stats(container, stream=False, one_shot=True) for container in containers]
        return float(sum(stats["cpu_stats"]["cpu_usage"]["total_usage"] for stats in found)) / 1e9

    return await engine.run(count)


if __name__ == "__main__":
    sys.stdout.write(as_table(asyncio.run(figures())) + "\n")
