"""Agents that make room: frozen or ended, their places given back when that is really so."""

import asyncio

import structlog

from container.agent import Agent
from container.sandbox import ContainerError
from host.conversation.pool import Place, Pool
from host.conversation.session import Session
from host.meter import Meter

log = structlog.get_logger()


class Closing:
    """The slow half of the pool: whatever an agent has to do with its place being wanted."""

    def __init__(self, pool: Pool, meter: Meter) -> None:
        self._pool = pool
        self._meter = meter

    async def end(self, session: Session) -> None:
        """Close a session; its place is free only when it is gone. One that is gone already is left alone."""
        if self._pool.remove(session):
            self._pool.reserve()
            await self.end_reserved(session)

    async def end_reserved(self, session: Session) -> None:
        """Close one that was removed already and whose place is held until it is gone."""
        try:
            async with session.moving:
                await self.close(session.agent, session.lane)
        finally:
            self._pool.free()

    async def end_all(self) -> None:
        """End all agents side by side."""
        sessions = list(self._pool.live.values())
        self._pool.live.clear()
        async with asyncio.TaskGroup() as tasks:
            for session in sessions:
                tasks.create_task(self.close(session.agent, session.lane))

    async def freeze(self, session: Session) -> None:
        """Pause an idle agent and give its place to somebody else."""
        if self._pool.holds(session) and not session.busy and not session.paused:
            self._pool.reserve()  # until it is really frozen
            await self.leave(self._pool.freeze(session))

    async def vacate(self, place: Place) -> None:
        """Make a place empty: freeze who is in it, end those for whom there is no room any more."""
        for session in place.ending:
            self._meter.count("sessions.evicted")
            async with session.moving:
                await self.close(session.agent, session.lane)
        if place.leaving is not None and place.leaving not in place.ending:
            await self._pause(place.leaving)

    async def leave(self, place: Place) -> None:
        """Make a place empty and give it back."""
        try:
            await self.vacate(place)
        finally:
            self._pool.free()

    async def close(self, agent: Agent, key: str) -> None:
        """End an agent; never raises."""
        try:
            await agent.close()
        except Exception:
            # The sweep of left-over sandboxes ends what could not be ended here.
            log.exception("session.close_failed", lane=key)

    async def _pause(self, leaving: Session) -> None:
        async with leaving.moving:
            if not leaving.paused or not self._pool.holds(leaving):  # it was wanted again, or is gone
                return
            try:
                await leaving.agent.pause()
                self._meter.count("sessions.paused")
            except ContainerError as error:
                log.warning("session.not_paused", lane=leaving.lane, reason=str(error))
                self._pool.remove(leaving)
                await self.close(leaving.agent, leaving.lane)
