"""Agents kept warm: lent to lanes, frozen while nobody needs them, ended when they are old or in the way."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager

import structlog

from container.agent import Agent, Fittings, Launcher, Runtime, ToolBox
from container.sandbox import ContainerError, StartFailed
from host.conversation.closing import Closing
from host.conversation.outfits import Outfit, Outfitter
from host.conversation.pool import Place, Pool
from host.conversation.session import Session
from host.conversation.turns import Turn
from host.meter import Meter
from host.people.registry import Group
from storage.clock import Clock

log = structlog.get_logger()

ToolBoxFor = Callable[[str, Callable[[], Turn | None]], ToolBox]
GroupOf = Callable[[str], Group | None]  #: the group of a lane, as it is registered now


class Sessions:
    """Lends agents to lanes. What keeps them warm meanwhile is in `warmth`."""

    def __init__(
        self,
        *,
        launcher: Launcher,
        outfitter: Outfitter,
        toolbox_for: ToolBoxFor,
        turn_over: Callable[[str], None],
        group_of: GroupOf,
        clock: Clock,
        meter: Meter,
        most: int,
        most_paused: int,
    ) -> None:
        self._launcher = launcher
        self._outfitter = outfitter
        self._toolbox_for = toolbox_for
        self._turn_over = turn_over  #: told of every end of a lane's turn, however it ended
        self._group_of = group_of
        self._clock = clock
        self._meter = meter
        self._starting: dict[str, asyncio.Event] = {}
        self._tasks: asyncio.TaskGroup | None = None
        self.pool = Pool(most, most_paused)
        self._closing = Closing(self.pool, meter)

    @property
    def live(self) -> Mapping[str, Session]:
        """Lane to session, of all that run or are frozen."""
        return self.pool.live

    @asynccontextmanager
    async def lend(self, lane: str, group: Group) -> AsyncIterator[Session]:
        """The lane's agent, started if it is not warm; waits for a place when all are busy.

        Raises SandboxUnavailable, ImageMissing, StartFailed. On leave, what is dead or outdated is ended.
        """
        session = await self._borrow(lane, group)
        try:
            yield session
        finally:
            self._take_back(session)

    @asynccontextmanager
    async def farewell(self, lane: str) -> AsyncIterator[Session | None]:
        """The lane's living agent as it is, for its last words; None when there is none. Starts nothing."""
        session = self.pool.live.get(lane)
        if session is None or session.busy or not session.agent.alive:
            yield None
            return
        session.parting = False
        session.busy = True
        if session.paused and not await self._wake(session):
            yield None
            return
        try:
            yield session
        finally:
            self._take_back(session)

    async def drop(self, lane: str) -> bool:
        """End the lane's agent and forget its conversation, also in the middle of a turn."""
        session = self.pool.live.get(lane)
        if session is None:
            return False
        await self.end(session)
        return True

    async def end(self, session: Session) -> None:
        """Close a session; its place is free only when it is gone. One that is gone already is left alone."""
        await self._closing.end(session)

    async def freeze(self, session: Session) -> None:
        """Pause an idle agent and give its place to somebody else."""
        await self._closing.freeze(session)

    async def start_ahead(self, lane: str, group: Group) -> bool:
        """Start an agent before it is asked and freeze it; False when it is there or there is no room."""
        if lane in self.pool.live or lane in self._starting or self.pool.crowded:
            return False
        self.pool.reserve()
        session = await self._start(lane, self._outfitter.outfit(group), group, Place())
        self._take_back(session)
        await self.freeze(session)
        self._meter.count("sessions.started_ahead")
        return True

    @asynccontextmanager
    async def helper(
        self, key: str, runtime: Runtime, tools: ToolBox, fittings: Fittings
    ) -> AsyncIterator[Agent]:
        """One more agent beside the lanes', ended on leave. Raises StartFailed when no place is free.

        It does not wait: whoever asks holds a place itself, so waiting could be for ever.
        """
        place = self.pool.take()
        if place is None:
            raise StartFailed("every place for agents is taken; try again when one of the others is done")
        agent: Agent | None = None
        try:
            await self._closing.vacate(place)
            agent = await self._launcher.launch(key, runtime, tools, fittings)
            self._meter.count("sessions.helpers")
            yield agent
        finally:
            try:
                if agent is not None:
                    await self._closing.close(agent, key)
            finally:
                self.pool.free()

    async def run(self) -> None:
        """Notice deaths, and end what is to go, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            try:
                await asyncio.Event().wait()
            finally:
                self._tasks = None

    async def close(self) -> None:
        """End all agents side by side."""
        await self._closing.end_all()

    async def _borrow(self, lane: str, group: Group) -> Session:
        outfit = self._outfitter.outfit(group)
        while (starting := self._starting.get(lane)) is not None:
            await starting.wait()
        session = self.pool.live.get(lane)
        if session is not None and not session.serves(outfit):
            await self.end(session)
            session = None
        if session is None:
            return await self._start(lane, outfit, group, None)
        session.busy = True
        if not session.paused or await self._wake(session):
            return session
        return await self._start(lane, outfit, group, None)

    async def _wake(self, session: Session) -> bool:
        """Let a frozen one run again as soon as there is a place; False when it is gone."""
        try:
            place = await self._place()
        except BaseException:
            session.busy = False
            raise
        try:
            await self._closing.vacate(place)
            async with session.moving:
                await session.agent.unpause()
                session.paused = False
        except ContainerError as error:
            log.warning("session.not_woken", lane=session.lane, reason=str(error))
            await self.end(session)
        except BaseException:
            session.busy = False
            raise
        finally:
            self.pool.free()
        if not self.pool.holds(session) or not session.agent.alive:
            await self.end(session)
            return False
        self._meter.count("sessions.woken")
        return True

    async def _place(self) -> Place:
        """A place, in the order of asking."""
        ticket = self.pool.ask()
        if not ticket.done():
            self._meter.count("sessions.waited")
        try:
            return await ticket
        except asyncio.CancelledError:
            place = self.pool.withdraw(ticket)
            if place is not None:
                await self._closing.leave(place)
            raise

    async def _start(self, lane: str, outfit: Outfit, group: Group, place: Place | None) -> Session:
        """Start an agent; without a place given it waits for one."""
        with self._announced(lane):
            place = place or await self._place()
            started = self._clock.now()
            session = Session(lane=lane, outfit=outfit, idle_since=started)
            try:
                await self._closing.vacate(place)
                tools = self._toolbox_for(lane, lambda: session.turn)
                fittings = await self._outfitter.fittings(lane, group, outfit, lambda: session.turn)
                session.held_agent = await self._launcher.launch(lane, outfit.runtime, tools, fittings)
                await self._note(session)
                self.pool.live[lane] = session
            finally:
                self.pool.free()
        if self._tasks is not None:
            self._tasks.create_task(self._notice_death(session), name=f"agent of {lane}")
        self._meter.count("sessions.started")
        self._meter.observe("sessions.start", (self._clock.now() - started).total_seconds())
        return session

    async def _note(self, session: Session) -> None:
        try:
            await self._outfitter.opened(session.lane, session.outfit, session.agent)
        except BaseException:
            await self._closing.close(session.agent, session.lane)
            raise

    @contextmanager
    def _announced(self, lane: str) -> Iterator[None]:
        """Let others who want this lane's agent wait for the one that is being started."""
        started = self._starting[lane] = asyncio.Event()
        try:
            yield
        finally:
            del self._starting[lane]
            started.set()

    def _take_back(self, session: Session) -> None:
        session.turn = None
        self._turn_over(session.lane)
        session.busy = False
        session.idle_since = self._clock.now()
        if self.pool.holds(session) and self.outdated(session):
            self.pool.remove(session)
            self.pool.reserve()  # until its sandbox is gone
            if self._tasks is None:
                self.pool.free()
            else:
                self._tasks.create_task(self._closing.end_reserved(session))
        self.pool.serve()

    def outdated(self, session: Session) -> bool:
        """Whether it is dead, or the lane's next agent would be started differently."""
        if session.parting and session.agent.alive:
            return False
        group = self._group_of(session.lane)
        try:
            return group is None or not session.serves(self._outfitter.outfit(group))
        except StartFailed:
            return True

    async def _notice_death(self, session: Session) -> None:
        await session.agent.died()
        if self.pool.holds(session) and not session.busy:
            log.warning("session.died", lane=session.lane)
            self._meter.count("sessions.died")
            await self.end(session)
