"""Starts agents and keeps what belongs to each together: sandbox, sockets, conversation, tools."""

import asyncio
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from shutil import rmtree
from typing import TYPE_CHECKING

import structlog

from container.agent import Fittings, Runtime, ToolBox
from container.crowding import watch_crowd
from container.disk import PARALLEL, DiskBound, TooMuch
from container.endings import explain, last_words
from container.life import LaunchedAgent
from container.planning import TOOLS_COMMAND, folder_name, plan, user_inside
from container.sandbox import (
    AgentDied,
    AgentRefused,
    ContainerError,
    Limits,
    Sandbox,
    StartFailed,
)
from container.sockets import Connection, SocketFolder, check_length, leftovers
from container.wire import AgentStream, Allowance, Line

if TYPE_CHECKING:
    from container.conversation import Conversation

START_TIMEOUT = 30.0  #: seconds from the start to an open session
LOOK_EVERY = 0.5  #: seconds between looks at a sandbox that has not called yet
GRACE = 2.0  #: seconds an agent has to end by itself; one that takes more than it may has none
MESSAGES_A_SECOND, MESSAGES_AT_ONCE = 1000, 4000
MAKE_ROOM = "Somebody has to make room there, or raise INTERCOM_AGENT__DISK."

log = structlog.get_logger()


async def warm_imports() -> None:
    """Load what the protocols need, in a thread: it takes most of a second, once."""
    await asyncio.to_thread(
        lambda: [import_module(f"container.{name}") for name in ("conversation", "tools")]
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Start:
    """What an agent is started with."""

    runtime: Runtime
    tools: ToolBox
    fittings: Fittings


class SandboxLauncher:
    """Launches into one kind of sandbox. Everything it starts ends with the context it was opened in."""

    def __init__(
        self,
        sandbox: Sandbox,
        sockets: Path,
        group: asyncio.TaskGroup,
        *,
        limits: Limits | None,
        start_timeout: float,
    ) -> None:
        self._sandbox = sandbox
        self._sockets = sockets
        self._group = group
        self._limits = limits or Limits()
        self._start_timeout = start_timeout
        self._looks = asyncio.Semaphore(PARALLEL)
        self._counts = asyncio.Semaphore(PARALLEL)
        self._agents: dict[str, LaunchedAgent] = {}

    @classmethod
    @asynccontextmanager
    async def running(
        cls,
        sandbox: Sandbox,
        sockets: Path,
        *,
        limits: Limits | None = None,
        start_timeout: float = START_TIMEOUT,
    ) -> AsyncIterator["SandboxLauncher"]:
        """`sockets` is a folder for the agents' sockets; nothing else may be in it."""
        check_length(sockets)
        fault: Exception | None = None
        async with asyncio.TaskGroup() as group:
            launcher = cls(sandbox, sockets, group, limits=limits, start_timeout=start_timeout)
            try:
                yield launcher
            except Exception as error:  # noqa: BLE001 - raised below, as it is and not as a group
                fault = error
            finally:
                await launcher.close()
        if fault is not None:
            raise fault

    async def launch(
        self, key: str, runtime: Runtime, tools: ToolBox, fittings: Fittings | None = None
    ) -> LaunchedAgent:
        """Start an agent; one of the same key that still runs is ended first. Raises ContainerError."""
        while (old := self._agents.get(key)) is not None:
            await old.close()
        agent = self._agents[key] = LaunchedAgent(key)
        start = _Start(runtime=runtime, tools=tools, fittings=fittings or Fittings())
        agent.task = self._group.create_task(self._live(agent, start), name=f"agent {key}")
        try:
            await agent.settled.wait()
        except asyncio.CancelledError:
            agent.give_up()
            raise
        if agent.failure is not None:
            raise agent.failure
        return agent

    async def sweep(self, keep: Sequence[str] = ()) -> int:
        """End what serves no conversation in `keep` nor one of ours; also folders nobody listens in."""
        swept = 0
        for running in await self._sandbox.running():
            if running.key in keep or running.key in self._agents:
                continue
            await self._sandbox.stop(running.id, grace=0)
            log.info("sandbox.swept", key=running.key, sandbox=running.id[:12])
            swept += 1
        for folder in await asyncio.to_thread(leftovers, self._sockets, {*keep, *self._agents}):
            if folder.name not in map(folder_name, self._agents):  # launched meanwhile
                await asyncio.to_thread(rmtree, folder, ignore_errors=True)
        return swept

    async def close(self) -> None:
        """End all agents, side by side."""
        async with asyncio.TaskGroup() as group:
            for agent in self._agents.values():
                group.create_task(agent.close())

    async def _live(self, agent: LaunchedAgent, start: _Start) -> None:
        """The whole life of one agent: what it has is opened here, and closed here."""
        try:
            disk = DiskBound(start.fittings.mounts, self._limits.disk_bytes, self._looks)
            await _has_room(disk)
            async with SocketFolder.open(self._sockets, agent.key, start.fittings.services) as folder:
                await self._serve(agent, folder, start, disk)
        except ContainerError as error:
            agent.failed(error)
        except OSError as error:
            agent.failed(StartFailed(f"The agent's sockets cannot be made: {error.strerror}."))
        except Exception:  # one agent's trouble must not end the others
            log.exception("agent.failed", key=agent.key)
            agent.failed(StartFailed("The agent could not be started or served; the log says why."))
        finally:
            if self._agents.get(agent.key) is agent:
                del self._agents[agent.key]
            agent.ended()

    async def _serve(
        self, agent: LaunchedAgent, folder: SocketFolder, start: _Start, disk: DiskBound
    ) -> None:
        conversation: Conversation | None = None
        async with asyncio.TaskGroup() as group:
            helpers = [
                group.create_task(self._serve_tools(folder, start.tools)),
                group.create_task(self._watch_disk(agent, disk)),
                group.create_task(self._find_leader(agent, disk)),
                group.create_task(watch_crowd(self._sandbox, agent, self._limits.pids, self._counts)),
            ]
            try:
                async with asyncio.timeout(self._start_timeout):
                    conversation = await self._open(agent, folder, start, group)
                agent.opened(conversation, self._sandbox)
                await agent.wait_until_over()
                await explain(self._sandbox, agent, conversation.fault)
            except TimeoutError:
                words = await last_words(self._sandbox, agent.sandbox_id)
                agent.failed(
                    StartFailed(f"The agent did not come up within {self._start_timeout:g} seconds.{words}")
                )
            except ContainerError as error:
                agent.failed(error)
            finally:
                if conversation is not None:
                    await conversation.close()
                for helper in helpers:
                    helper.cancel()
                await self._stop(agent)

    async def _open(
        self, agent: LaunchedAgent, folder: SocketFolder, start: _Start, group: asyncio.TaskGroup
    ) -> "Conversation":
        """Start the sandbox, wait for its call, open the session."""
        user = user_inside(os.getuid(), os.getgid())
        spec = plan(agent.key, start.runtime, folder.path, self._limits, start.fittings, user)
        agent.limits = spec.limits
        imports = group.create_task(warm_imports())  # while the sandbox starts
        agent.sandbox_id = await self._sandbox.start(spec)
        reader, writer = await self._called(agent, folder)
        await imports
        from container.conversation import Conversation

        allowance = Allowance(MESSAGES_A_SECOND, MESSAGES_AT_ONCE)
        stream = AgentStream(Line(reader, writer, allowance=allowance))
        names = frozenset(tool.name for tool in start.tools.declarations())
        conversation = Conversation(stream, group, names)
        try:
            await conversation.start(
                self._sandbox.inside(TOOLS_COMMAND, folder.path),
                start.fittings.folder,
                resume=start.fittings.resume,
            )
        except (AgentDied, AgentRefused) as error:
            await conversation.close()
            raise StartFailed(f"{error}{await last_words(self._sandbox, agent.sandbox_id)}") from error
        except BaseException:
            await conversation.close()
            raise
        return conversation

    async def _called(self, agent: LaunchedAgent, folder: SocketFolder) -> Connection:
        """The session's connection, unless the sandbox ends before it calls."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_EVERY):
                    return await asyncio.shield(folder.session)
            status = await self._sandbox.exit_status(agent.sandbox_id)
            if status is not None and not folder.session.done():
                words = await last_words(self._sandbox, agent.sandbox_id)
                raise StartFailed(f"The agent ended while it started (exit status {status}).{words}")

    async def _serve_tools(self, folder: SocketFolder, tools: ToolBox) -> None:
        await warm_imports()
        from container.tools import ToolServer

        await folder.serve_tools(ToolServer(tools, self._group).serve)

    async def _watch_disk(self, agent: LaunchedAgent, disk: DiskBound) -> None:
        what = await disk.exceeded(agent.awake)
        log.warning("agent.disk_full", key=agent.key, has=what)
        agent.cut_off(f"The agent was ended because its folder has {what}. {MAKE_ROOM}")

    async def _find_leader(self, agent: LaunchedAgent, disk: DiskBound) -> None:
        await agent.settled.wait()
        with suppress(ContainerError):  # then it has ended
            disk.leader = agent.leader = await self._sandbox.leader(agent.sandbox_id)

    async def _stop(self, agent: LaunchedAgent) -> None:
        if not agent.sandbox_id:
            return
        try:
            await self._sandbox.stop(agent.sandbox_id, grace=0 if agent.excessive else GRACE)
        except ContainerError as error:  # the next sweep tries again
            log.warning("sandbox.not_stopped", key=agent.key, reason=str(error))


async def _has_room(disk: DiskBound) -> None:
    try:
        await disk.check()
    except TooMuch as error:
        raise StartFailed(f"The agent is not started: its folder has {error}. {MAKE_ROOM}") from error
    except OSError as error:
        raise StartFailed(f"The agent's folder cannot be looked into: {error.strerror}.") from error
