"""What becomes of our containers' agents in intermute: alive while they run, forgotten with their group."""

from collections.abc import Callable, Collection

import structlog

from demarch.errors import DemarchError
from host.coordination.identity import Whereabouts, lane_of
from host.coordination.marks import Marks
from host.coordination.port import Coordination
from host.people.registry import CHANNEL, Registry
from storage.clock import Clock
from storage.errors import StorageError
from storage.wakeups import Wakeups

log = structlog.get_logger()

EVERY = 60.0  #: seconds between two looks at most


class Care:
    """Looks from time to time, and whenever the registry has changed."""

    def __init__(
        self,
        *,
        coordination: Coordination,
        registry: Registry,
        whereabouts: Whereabouts,
        marks: Marks,
        living: Callable[[], Collection[str]],
        clock: Clock,
        grace: float,
    ) -> None:
        self._coordination = coordination
        self._registry = registry
        self._whereabouts = whereabouts
        self._marks = marks
        self._living = living  #: the lanes whose agent runs or is frozen
        self._clock = clock
        self._every = min(EVERY, grace / 3)  #: a sign of life must not come after the grace

    async def run(self, wakeups: Wakeups) -> None:
        """Until cancelled. The first look ends what was removed while nobody was here."""
        wakeup = wakeups.subscribe(CHANNEL)
        try:
            while True:
                await wakeup.wait(self._clock, self._every)
                try:
                    await self.look()
                except (DemarchError, StorageError) as error:
                    log.warning("coordination.not_looked_after", reason=str(error))
        finally:
            wakeup.close()

    async def look(self) -> None:
        await self._registry.load()  # the word of a change may be here before the change is
        living = self._living()
        for me in await self._coordination.known():
            lane = lane_of(me.agent)
            group = None if lane is None else self._registry.group_of_lane(lane)
            if lane is None or group is None:
                log.info("coordination.forgotten", agent=me.agent)
                await self._coordination.forget(me)
                await self._marks.forget(me.agent)
            elif (now := self._whereabouts.me(lane, group)).project != me.project:
                log.info("coordination.moved", agent=me.agent, project=now.project)
                await self._coordination.move(me, now)
            elif lane in living:
                self._coordination.alive([me.agent])
