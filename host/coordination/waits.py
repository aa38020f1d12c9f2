"""Those of our agents that stand in line for files: told in their conversation when it is their turn."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import structlog

from demarch.errors import DemarchError
from host.conversation.messages_store import HostWord
from host.coordination.conflicts import span
from host.coordination.identity import Me, lane_of
from host.coordination.port import Coordination, Holding
from host.decisions.followups import AgentEar
from host.people.registry import Registry
from host.phrases import listed, quoted
from storage import sql
from storage.clock import Clock
from storage.database import Database
from storage.errors import StorageError
from storage.wakeups import Wakeups

log = structlog.get_logger()

CHANNEL = "intermute_events"  #: something happened there, perhaps a grant
EVERY = 30.0  #: seconds between two looks without a word
APART = 1.0  #: seconds between two looks at least, however much happens
ASKING = timedelta(minutes=1)  #: after that the asking for a place was cut off

_SQL = sql.load("host", "coordination_waits")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """A place in line."""

    id: str
    me: Me
    lane: str
    paths: Sequence[str]


class WaitStore:
    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def add(self, me: Me, id_: str, paths: Sequence[str]) -> None:
        """Before the place is asked for: a place nobody knows of would be granted to nobody's knowledge."""
        lane = lane_of(me.agent) or ""
        row = (id_, me.agent, me.project, lane, list(paths), self._clock.now())
        await self._database.execute(_SQL["waits.add"], *row)

    async def join(self, id_: str) -> None:
        """The place is had."""
        await self._database.execute(_SQL["waits.join"], id_)

    async def drop(self, id_: str) -> None:
        await self._database.execute(_SQL["waits.drop"], id_)

    async def all(self) -> Sequence[Wait]:
        rows = await self._database.fetch(_SQL["waits.all"], self._clock.now() - ASKING)
        return [
            Wait(
                id=row["id"],
                me=Me(agent=row["agent"], name=row["lane"], project=row["project"]),
                lane=row["lane"],
                paths=tuple(row["paths"]),
            )
            for row in rows
        ]


class Waits:
    """Looks what became of each. The tables are the truth, so nothing is missed while the host was away."""

    def __init__(
        self,
        *,
        store: WaitStore,
        coordination: Coordination,
        registry: Registry,
        ear: AgentEar,
        database: Database,
        clock: Clock,
    ) -> None:
        self._store = store
        self._coordination = coordination
        self._registry = registry
        self._ear = ear
        self._database = database
        self._clock = clock

    async def run(self, wakeups: Wakeups) -> None:
        wakeup = wakeups.subscribe(CHANNEL)
        try:
            while True:
                await wakeup.wait(self._clock, EVERY)
                try:
                    await self.look()
                except (DemarchError, StorageError) as error:
                    log.warning("coordination.not_looked_for", reason=str(error))
                await self._clock.sleep(APART)
        finally:
            wakeup.close()

    async def look(self) -> None:
        for wait in await self._store.all():
            held = await self._coordination.reserved(wait.me, wait.id)
            if held is not None:
                await self._tell(wait, self._granted(wait, held))
            elif not await self._coordination.waits(wait.me, wait.id):
                await self._tell(wait, f"You wait no longer for {_paths(wait)}: nobody gave it back in time.")

    async def _tell(self, wait: Wait, text: str) -> None:
        """Once: whoever takes the row away tells of it."""
        group = self._registry.group_of_lane(wait.lane)
        async with self._database.transaction() as conn:
            if await conn.fetchval(_SQL["waits.drop"], wait.id) is None or group is None:
                return
            address = await conn.fetchval(_SQL["waits.address"], wait.lane)
            if address is None:
                return
            word = HostWord(lane=wait.lane, folder=group.folder, address=address, text=text)
            await self._ear.tell_agent(conn, word)
        self._ear.wake(wait.lane)

    def _granted(self, wait: Wait, held: Holding) -> str:
        left = held.expires_at - self._clock.now()
        if held.ended or left <= timedelta(0):
            return f"What you waited for was yours and is over again: {_paths(wait)}."
        return f"It is your turn: {_paths(wait)} is reserved for you for {span(left)}."


def _paths(wait: Wait) -> str:
    return listed([quoted(path, 200) for path in wait.paths], 10)
