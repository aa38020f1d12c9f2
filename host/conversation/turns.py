"""Turns: what an agent is asked at one time and what became of it, as the database knows it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from asyncpg.protocol import Record

from host.conversation.prompting import Line
from storage import sql
from storage.clock import Clock
from storage.database import Connection, Database
from storage.ids import NewId

_SQL = sql.load("host", "turns")
_LANES_AT_ONCE = 10_000
COMMAND_PATIENCE = 30.0  #: seconds a message waits for a command written before it


class TurnState(StrEnum):
    """How a turn stands."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"  #: given up; the chat was told why
    ASKED = "asked"  #: cut off after it had written; the chat was asked how to go on


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One time an agent is asked."""

    id: UUID
    lane: str
    folder: str
    address: str
    attempt: int
    tainted: bool  #: something in it was written by somebody without a right in the group
    private: bool  #: its chat is one person's with the bot
    asked_by: tuple[str, ...]  #: the persons who wrote in it

    def joined_by(self, asked: "Asked") -> "Turn":
        """The turn with more messages in it."""
        people = tuple(dict.fromkeys([*self.asked_by, *asked.people]))
        return replace(self, tainted=self.tainted or asked.tainted, asked_by=people)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The messages of one prompt."""

    lines: tuple[Line, ...]
    people: tuple[str, ...]
    tainted: bool
    ref: str | None  #: the message that asks, of several the last


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """What a lane is to do next."""

    first: UUID  #: the oldest message that asks for an answer
    folder: str
    address: str
    private: bool


class Turns:
    """The store of turns. Methods with a connection belong to the caller's transaction."""

    def __init__(self, database: Database, clock: Clock, new_id: NewId) -> None:
        self._database = database
        self._clock = clock
        self._new_id = new_id

    async def waiting(self, lane: str) -> Waiting | None:
        row = await self._database.fetchrow(_SQL["turns.waiting"], lane, self._barrier())
        if row is None:
            return None
        return Waiting(first=row["id"], folder=row["folder"], address=row["address"], private=row["private"])

    async def waiting_lanes(self) -> list[str]:
        rows = await self._database.fetch(_SQL["turns.waiting_lanes"], _LANES_AT_ONCE)
        return [row["lane"] for row in rows]

    async def recent_lanes(self, since: datetime, most: int) -> list[str]:
        """Lanes with a turn since then, the latest first."""
        rows = await self._database.fetch(_SQL["turns.recent_lanes"], since, most)
        return [row["lane"] for row in rows]

    async def begin(self, lane: str, waiting: Waiting, *, tainted: bool = False) -> tuple[Turn, Asked] | None:
        """Start a turn on all that waits in the chat; None when nothing waits there any more.

        It is tainted from the start when what its agent is told beside the messages is.
        """
        turn = Turn(
            id=self._new_id(),
            lane=lane,
            folder=waiting.folder,
            address=waiting.address,
            attempt=1,
            tainted=tainted,
            private=waiting.private,
            asked_by=(),
        )
        row = (turn.id, lane, turn.folder, turn.address, self._clock.now(), tainted)
        try:
            async with self._database.transaction() as conn:
                await conn.execute(_SQL["turns.begin"], *row)
                asked = await self._attach(conn, turn)
                if asked is None:
                    raise _NothingWaits
        except _NothingWaits:
            return None
        return turn.joined_by(asked), asked

    async def taint(self, turn: Turn) -> Turn:
        """Count the turn as tainted from now on."""
        await self._database.execute(_SQL["turns.taint"], turn.id)
        return replace(turn, tainted=True)

    async def join(self, turn: Turn, *, stopped: Callable[[], bool]) -> tuple[Turn, Asked] | None:
        """Let what waits in the turn's chat by now join it; None when nothing asks for an answer.

        Nothing joins a turn that is being `stopped`: what was written after the stop is for the next one.
        """
        try:
            async with self._database.transaction() as conn:
                asked = await self._attach(conn, turn)
                if asked is None or stopped():
                    raise _NothingWaits
        except _NothingWaits:
            return None
        return turn.joined_by(asked), asked

    async def asked(self, turn: Turn) -> Asked:
        """All messages of a turn, for running it again."""
        return _asked(await self._database.fetch(_SQL["turns.messages"], turn.id))

    async def running(self) -> list[Turn]:
        """Turns that an earlier run of this program left, when nothing runs yet."""
        rows = await self._database.fetch(_SQL["turns.running"])
        return [_turn(row) for row in rows]

    async def again(self, turn: Turn) -> Turn | None:
        """Count one more attempt; None when the turn does not run any more."""
        attempt = await self._database.fetchval(_SQL["turns.again"], turn.id)
        return None if attempt is None else replace(turn, attempt=attempt)

    async def end(self, conn: Connection, turn: Turn, state: TurnState, error: str | None = None) -> None:
        await conn.execute(_SQL["turns.end"], turn.id, state.value, error, self._clock.now())

    async def messages_said(self, turn: Turn) -> int:
        """How many messages the agent has sent by a tool in this turn."""
        number: int = await self._database.fetchval(_SQL["turns.said"], turn.id)
        return number

    def _barrier(self) -> datetime:
        """Commands older than this hold up nothing any more, whatever became of them."""
        return self._clock.now() - timedelta(seconds=COMMAND_PATIENCE)

    async def _attach(self, conn: Connection, turn: Turn) -> Asked | None:
        rows = await conn.fetch(_SQL["turns.attach"], turn.id, turn.lane, turn.address, self._barrier())
        if not rows:
            return None
        asked = _asked(sorted(rows, key=lambda row: row["id"]))
        if asked.tainted and not turn.tainted:
            await conn.execute(_SQL["turns.taint"], turn.id)
        return asked


class _NothingWaits(Exception):
    """Takes the transaction back."""


def answer_slot(turn: Turn, place: int) -> str:
    """The slot of the answer to the turn's prompt number `place`, counted from 0."""
    return f"answer:{turn.id}" if place == 0 else f"answer:{turn.id}:{place}"


def _asked(rows: Sequence[Record]) -> Asked:
    asking = [row["ref"] for row in rows if row["triggers"] and row["source"] == "person"]
    return Asked(
        lines=tuple(_line(row) for row in rows),
        people=tuple(dict.fromkeys(row["person"] for row in rows if row["person"] is not None)),
        tainted=any(row["tainted"] for row in rows),
        ref=asking[-1] if asking else None,
    )


def _line(row: Record) -> Line:
    if row["source"] == "host":
        return Line(text=row["text"], sent_at=row["sent_at"], code=row["ref"] or "", of_host=True)
    return Line(
        text=row["text"],
        sent_at=row["sent_at"],
        sender=row["person_name"] or row["person"],
        id=row["id"],
        ref=row["ref"],
    )


def _turn(row: Record) -> Turn:
    return Turn(
        id=row["id"],
        lane=row["lane"],
        folder=row["folder"],
        address=row["address"],
        attempt=row["attempt"],
        tainted=row["tainted"],
        private=row["private"],
        asked_by=tuple(row["asked_by"]),
    )
