"""Agents kept warm: one per lane, at most so many at once, a free place given to whoever waits longest."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog

from container.agent import Agent, Launcher, Runtime, ToolBox
from container.sandbox import StartFailed
from host.conversation.turns import Turn
from host.meter import Meter
from host.people.registry import Group
from storage.clock import Clock

log = structlog.get_logger()

_LOOK_EVERY = 15.0

ToolBoxFor = Callable[[str, Callable[[], Turn | None]], ToolBox]


@dataclass(slots=True, kw_only=True, eq=False)
class Session:
    """A lane's living agent."""

    lane: str
    runtime: str
    model: str
    idle_since: datetime
    busy: bool = True
    fresh: bool = True  #: just started, nothing was asked yet
    turn: Turn | None = None  #: what it works on; the tools it calls are called in this turn
    held_agent: Agent | None = field(default=None, repr=False)

    @property
    def agent(self) -> Agent:
        if self.held_agent is None:
            raise StartFailed("the agent has not been started")
        return self.held_agent

    def serves(self, group: Group) -> bool:
        return self.agent.alive and (self.runtime, self.model) == (group.runtime, group.model)


@dataclass(slots=True, eq=False)
class _Place:
    """A place for one agent, reserved; whoever is in it goes first."""

    leaving: Session | None


class Sessions:
    """Lends agents to lanes."""

    def __init__(
        self,
        *,
        launcher: Launcher,
        runtimes: Mapping[str, Runtime],
        toolbox_for: ToolBoxFor,
        clock: Clock,
        meter: Meter,
        idle_timeout: float,
        most: int,
    ) -> None:
        self._launcher = launcher
        self._runtimes = runtimes
        self._toolbox_for = toolbox_for
        self._clock = clock
        self._meter = meter
        self._idle_timeout = timedelta(seconds=idle_timeout)
        self._most = most
        self._live: dict[str, Session] = {}
        self._reserved = 0
        self._waiting: deque[asyncio.Future[_Place]] = deque()
        self._tasks: asyncio.TaskGroup | None = None

    @property
    def live(self) -> Mapping[str, Session]:
        """Lane to session, of all that run."""
        return self._live

    @asynccontextmanager
    async def lend(self, lane: str, group: Group) -> AsyncIterator[Session]:
        """The lane's agent, started if it is not warm; waits for a place when all are busy.

        Raises SandboxUnavailable, ImageMissing, StartFailed. An agent that is dead on leave is let go.
        """
        session = await self._warm(lane, group)
        if session is None:
            session = await self._start(lane, group, await self._place())
        try:
            yield session
        finally:
            self._take_back(session)

    async def drop(self, lane: str) -> bool:
        """End the lane's agent and forget its conversation, also in the middle of a turn."""
        session = self._live.pop(lane, None)
        if session is None:
            return False
        await self._end(session)
        return True

    async def run(self) -> None:
        """End agents nobody used for long, and notice those that died, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            try:
                while True:
                    await self._clock.sleep(min(_LOOK_EVERY, self._idle_timeout.total_seconds()))
                    await self._end_idle()
            finally:
                self._tasks = None

    async def close(self) -> None:
        """End all agents side by side."""
        sessions = list(self._live.values())
        self._live.clear()
        async with asyncio.TaskGroup() as tasks:
            for session in sessions:
                tasks.create_task(self._close(session))

    async def _warm(self, lane: str, group: Group) -> Session | None:
        session = self._live.get(lane)
        if session is None:
            return None
        if session.serves(group):
            session.busy = True
            return session
        del self._live[lane]
        await self._end(session)
        return None

    async def _place(self) -> _Place:
        """A free place, in the order of asking."""
        if not self._waiting and (place := self._free_place()) is not None:
            return place
        self._meter.count("sessions.waited")
        ticket: asyncio.Future[_Place] = asyncio.get_running_loop().create_future()
        self._waiting.append(ticket)
        try:
            return await ticket
        except asyncio.CancelledError:
            await self._return_ticket(ticket)
            raise

    async def _return_ticket(self, ticket: asyncio.Future[_Place]) -> None:
        if ticket in self._waiting:
            self._waiting.remove(ticket)
        elif not ticket.cancelled():
            await self._vacate(ticket.result())
            self._free(1)

    def _free_place(self) -> _Place | None:
        if len(self._live) + self._reserved < self._most:
            self._reserved += 1
            return _Place(None)
        idle = [session for session in self._live.values() if not session.busy]
        if not idle:
            return None
        longest = min(idle, key=lambda session: session.idle_since)
        del self._live[longest.lane]
        self._reserved += 1
        return _Place(longest)

    def _free(self, places: int) -> None:
        self._reserved -= places
        self._serve()

    def _serve(self) -> None:
        while self._waiting:
            if self._waiting[0].done():  # cancelled while it waited
                self._waiting.popleft()
                continue
            place = self._free_place()
            if place is None:
                return
            self._waiting.popleft().set_result(place)

    async def _start(self, lane: str, group: Group, place: _Place) -> Session:
        started = self._clock.now()
        session = Session(lane=lane, runtime=group.runtime, model=group.model, idle_since=started)
        try:
            await self._vacate(place)
            tools = self._toolbox_for(lane, lambda: session.turn)
            session.held_agent = await self._launcher.launch(lane, self._runtime(group), tools)
            self._live[lane] = session
        finally:
            self._free(1)
        if self._tasks is not None:
            self._tasks.create_task(self._notice_death(session), name=f"agent of {lane}")
        self._meter.count("sessions.started")
        self._meter.observe("sessions.start", (self._clock.now() - started).total_seconds())
        return session

    def _runtime(self, group: Group) -> Runtime:
        runtime = self._runtimes.get(group.runtime)
        if runtime is None:
            raise StartFailed(f"the runtime “{group.runtime}” is not installed here; /model shows what is")
        return runtime

    async def _vacate(self, place: _Place) -> None:
        if place.leaving is not None:
            self._meter.count("sessions.evicted")
            await self._close(place.leaving)
            place.leaving = None

    def _take_back(self, session: Session) -> None:
        session.turn = None
        session.busy = False
        session.idle_since = self._clock.now()
        if self._live.get(session.lane) is session and not session.agent.alive:
            del self._live[session.lane]
            self._reserved += 1  # until its sandbox is gone
            self._clear_away(session)
        self._serve()

    def _clear_away(self, session: Session) -> None:
        if self._tasks is None:
            self._free(1)
        else:
            self._tasks.create_task(self._end_reserved(session))

    async def _notice_death(self, session: Session) -> None:
        await session.agent.died()
        if self._live.get(session.lane) is session and not session.busy:
            log.warning("session.died", lane=session.lane)
            self._meter.count("sessions.died")
            del self._live[session.lane]
            await self._end(session)

    async def _end_idle(self) -> None:
        now = self._clock.now()
        for session in list(self._live.values()):
            old = now - session.idle_since >= self._idle_timeout
            if old and not session.busy and self._live.get(session.lane) is session:
                log.info("session.idle", lane=session.lane)
                del self._live[session.lane]
                await self._end(session)

    async def _end(self, session: Session) -> None:
        """Close one that is no longer among the live; its place is free only when it is gone."""
        self._reserved += 1
        await self._end_reserved(session)

    async def _end_reserved(self, session: Session) -> None:
        try:
            await self._close(session)
        finally:
            self._free(1)

    async def _close(self, session: Session) -> None:
        try:
            await session.agent.close()
        except Exception:
            # The sweep of left-over sandboxes ends what could not be ended here.
            log.exception("session.close_failed", lane=session.lane)
