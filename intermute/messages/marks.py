"""Marks of recipients on their messages: read, acknowledged. Those that come together share a commit."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto

from intermute.errors import NotFound
from intermute.events.event import MESSAGE_ACK, MESSAGE_READ, NewEvent
from intermute.events.journal import Journal
from storage import sql
from storage.clock import Clock
from storage.database import Database
from storage.grouping import SPOILING, Grouping

MOST = 64  #: marks in one transaction

_SQL = sql.load("intermute", "marks")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """`agent` says so of one message: it was read, or, with `ack`, acknowledged."""

    project: str
    message_id: str
    agent: str
    ack: bool

    def event(self) -> NewEvent:
        # Nobody is named: the project must not learn who got a blind copy.
        kind = MESSAGE_ACK if self.ack else MESSAGE_READ
        return NewEvent(project=self.project, type=kind, data={"message_id": self.message_id})


class Fate(Enum):
    DONE = auto()
    NO_MESSAGE = auto()
    NOT_RECEIVED = auto()


class Marks:
    """Puts marks. The first one stands, and is told once."""

    def __init__(self, db: Database, journal: Journal, clock: Clock) -> None:
        self._db = db
        self._journal = journal
        self._clock = clock
        self._grouping: Grouping[Mark, Fate] = Grouping(
            self._write,
            lambda mark: (mark.project, mark.message_id, mark.agent, mark.ack),
            lanes=1,
            most=MOST,
            spoiling=SPOILING,
        )

    async def put(self, mark: Mark) -> None:
        """Raises NotFound where there is no such message, or not for this agent."""
        fate = await self._grouping.execute(mark) or (await self._write([mark]))[0]
        if fate is Fate.NO_MESSAGE:
            raise _no_message()
        if fate is Fate.NOT_RECEIVED:
            raise NotFound("This message did not go to that agent.", code="not_a_recipient")

    async def sole_recipient(self, project: str, message_id: str) -> str:
        """The one recipient of a message; empty where it has several. Raises NotFound."""
        agent = await self._db.fetchval(_SQL["marks.sole"], project, message_id)
        if agent is None:
            raise _no_message()
        return str(agent)

    async def tell(self, mark: Mark) -> None:
        """Tell of a mark nobody's name came with: there is nothing to put down."""
        async with self._journal.writing() as entry:
            await entry.tell([mark.event()])

    async def _write(self, marks: Sequence[Mark]) -> list[Fate]:
        now = self._clock.now()
        # In one order, so that two processes wait for each other in one direction only.
        order = sorted(range(len(marks)), key=lambda at: _place(marks[at]))
        fates = [Fate.DONE] * len(marks)
        events = []
        async with self._journal.writing() as entry:
            for at in order:
                mark = marks[at]
                row = await entry.conn.fetchrow(
                    _SQL["marks.put"], mark.project, mark.message_id, mark.agent, mark.ack, now
                )
                if row is None or not row["stands"]:
                    fates[at] = Fate.NO_MESSAGE
                elif not row["received"]:
                    fates[at] = Fate.NOT_RECEIVED
                elif row["marked"]:
                    events.append(mark.event())
            await entry.tell(events)
        return fates


def _place(mark: Mark) -> tuple[str, str, str]:
    return (mark.project, mark.message_id, mark.agent)


def _no_message() -> NotFound:
    return NotFound("There is no message with this id in the project.")
