"""Conversations: what is talked about in a lane since the last reset, and which sessions belong to it."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from storage import sql
from storage.clock import Clock
from storage.database import Connection, Database
from storage.ids import NewId

_SQL = sql.load("host", "conversations")
SINCE_EVER = UUID(int=0)  #: the conversation of a lane that was never reset


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """How an agent is to be started."""

    resume: str  #: the session to load; "" opens a new one


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A lane's conversation, and how far one session has come in it."""

    conversation: UUID  #: its turns have greater ids
    began_at: datetime | None  #: None when nobody noted it
    summary: str
    summed_up: UUID | None  #: the last turn the summary covers
    of_session: UUID | None  #: the conversation the session belongs to, if it is known
    last_turn: UUID | None  #: of the session

    @property
    def is_sessions(self) -> bool:
        """Whether the session belongs to what is talked about now."""
        return self.of_session == self.conversation


class Conversations:
    """The store. Methods with a connection belong to the caller's transaction."""

    def __init__(self, database: Database, clock: Clock, new_id: NewId) -> None:
        self._database = database
        self._clock = clock
        self._new_id = new_id

    async def opening(self, lane: str, runtime: str) -> Opening:
        """How to start an agent so that it goes on with what was said, if its program can."""
        session: str | None = await self._database.fetchval(_SQL["conversations.opening"], lane, runtime)
        return Opening(resume=session or "")

    async def opened(
        self, lane: str, *, folder: str, runtime: str, model: str, session: str, resumed: bool
    ) -> None:
        """Note the session an agent works in; one that cannot be loaded again is none."""
        now = self._clock.now()
        if not session:
            return
        if resumed:
            await self._database.execute(_SQL["conversations.resumed"], lane, runtime, session, model, now)
            return
        row = (lane, folder, runtime, session, model, SINCE_EVER, now)
        await self._database.execute(_SQL["conversations.opened"], *row)

    async def used(self, conn: Connection, lane: str, runtime: str, session: str, turn: UUID) -> None:
        """A turn ended well in the session: it knows what was said up to there."""
        if session:
            row = (lane, runtime, session, turn, self._clock.now())
            await conn.execute(_SQL["conversations.used"], *row)

    async def forget(self, lane: str, runtime: str, session: str) -> None:
        """Let a session be none of the lane's any more."""
        await self._database.execute(_SQL["conversations.forget"], lane, runtime, session)

    async def standing(self, lane: str, runtime: str = "", session: str = "") -> Standing:
        [row] = await self._database.fetch(_SQL["conversations.standing"], lane, runtime, session)
        return Standing(
            conversation=row["id"] or SINCE_EVER,
            began_at=row["began_at"],
            summary=row["summary"],
            summed_up=row["summed_up"],
            of_session=row["conversation"],
            last_turn=row["last_turn"],
        )

    async def begin(self, lane: str, folder: str) -> None:
        """Begin a new conversation: no session of the old one is loaded, nothing of it is told."""
        row = (lane, self._new_id(), folder, self._clock.now())
        await self._database.execute(_SQL["conversations.begin"], *row)

    async def sum_up(self, lane: str, folder: str, standing: Standing, summary: str, last: UUID) -> None:
        """Keep an agent's summary of the turns up to `last`, unless a new conversation began meanwhile."""
        row = (lane, standing.conversation, folder, self._clock.now(), summary, last)
        await self._database.execute(_SQL["conversations.sum_up"], *row)
