"""Helpers in real sandboxes, beside the agent that has them: each with tools of its own, none left behind."""

import asyncio
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from container.agent import Runtime, ToolBox
from container.docker import DockerSandbox
from container.engine import Engine
from container.image_builder import ImageBuilder
from container.launcher import SandboxLauncher
from container.process import ProcessSandbox
from container.runtimes import LOCAL, runtimes
from container.sandbox import Sandbox
from host.conversation.sessions import Sessions
from host.conversation.turns import Turn
from host.meter import SilentMeter
from host.swarm.places import SessionPlaces
from storage.clock import SystemClock
from tests.host.conversation.agents import NoTools
from tests.host.conversation.outfits import PlainOutfitter
from tests.host.decisions.office import Office
from tests.host.swarm.yard import result, spawn

INSTALL = f"swarm{os.getpid()}"


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder with a short path: a socket's path has 107 bytes at most."""
    path = Path(tempfile.mkdtemp(prefix="ic-"))
    yield path
    shutil.rmtree(path, ignore_errors=True)


@asynccontextmanager
async def sandboxed(kind: str) -> AsyncIterator[tuple[Sandbox, Runtime]]:
    if kind == "process":
        yield ProcessSandbox(INSTALL), runtimes({})[LOCAL]
        return
    engine = Engine()
    try:
        image = await ImageBuilder(engine, version="test").ensure(LOCAL, lambda line: None)
        sandbox = DockerSandbox(INSTALL, engine)
        yield sandbox, runtimes({LOCAL: image})[LOCAL]
        for left in await sandbox.running():
            await sandbox.stop(left.id, grace=0)
    finally:
        await engine.close()


@dataclass(kw_only=True)
class Field:
    """The swarm of an office, with real sandboxes to work in."""

    office: Office
    sandbox: Sandbox
    sessions: Sessions
    turn: Turn | None = None

    async def tools(self) -> ToolBox:
        """Those of the main group's agent, in a turn of its own."""
        self.turn = await self.office.turn()
        return self.office.parts.toolbox_for("main", lambda: self.turn)

    async def left(self, *keys: str) -> None:
        """Wait until these sandboxes, and no others, are there."""
        while {each.key for each in await self.sandbox.running()} != set(keys):  # noqa: ASYNC110 - no event
            await asyncio.sleep(0.02)


@asynccontextmanager
async def field_of(office: Office, folder: Path, kind: str) -> AsyncIterator[Field]:
    async with asyncio.timeout(120), AsyncExitStack() as stack:
        sandbox, local = await stack.enter_async_context(sandboxed(kind))
        launcher = await stack.enter_async_context(SandboxLauncher.running(sandbox, folder / "s"))
        outfitter = PlainOutfitter({LOCAL: local})
        sessions = Sessions(
            launcher=launcher,
            outfitter=outfitter,
            toolbox_for=lambda lane, turn: NoTools(),
            turn_over=office.parts.swarm.dismiss,
            group_of=office.registry.group,
            clock=SystemClock(),
            meter=SilentMeter(),
            most=3,
            most_paused=0,
        )
        stack.push_async_callback(sessions.close)
        office.parts.swarm.attach(SessionPlaces(sessions, outfitter, {LOCAL: local}))
        tasks = await stack.enter_async_context(asyncio.TaskGroup())
        running = tasks.create_task(office.parts.swarm.run())
        await asyncio.sleep(0)
        yield Field(office=office, sandbox=sandbox, sessions=sessions)
        running.cancel()


@pytest.mark.parametrize("kind", ["process", pytest.param("docker", marks=pytest.mark.docker)])
async def test_helpers_work_in_sandboxes_beside_their_caller(office: Office, folder: Path, kind: str) -> None:
    await office.terminal.issue("mend the door")
    group = office.registry.group("main")
    assert group is not None
    async with field_of(office, folder, kind) as field:
        async with field.sessions.lend("main", group):
            box = await field.tools()
            await spawn(box, "What is the next work?", name="Scout")
            await spawn(box, "wait 60 seconds", name="Slow")
            found = await result(box, "Scout")
            assert not found.failed, found.text
            assert "mend the door" in found.text
            await field.left("main", "main#2")
        await field.left("main")  # the turn is over, and what worked for it is gone
