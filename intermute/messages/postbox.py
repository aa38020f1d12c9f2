"""Puts letters on record: those that come at the same time in one statement and one commit."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

import asyncpg
from asyncpg.protocol import Record

from intermute.events.event import MESSAGE_CREATED, Event
from intermute.events.journal import Entry, Journal
from intermute.messages.letter import Letter
from storage import sql
from storage.clock import Clock
from storage.database import Database
from storage.grouping import SPOILING, Grouping

LANES = 1  #: the counter lets one transaction through at a time; a second lane only halves the groups
MOST = 64  #: letters in one statement
TRIES = 3  #: of a letter whose id somebody else takes at the same moment

_SEND = sql.load("intermute", "messages")["messages.send"]


class State(Enum):
    NEW = auto()
    KNOWN = auto()  #: there is a message with that id
    HELD = auto()  #: nothing is written: policies must be asked


@dataclass(frozen=True, slots=True)
class Posted:
    cursor: int
    state: State


_HELD = Posted(0, State.HELD)


class Postbox:
    """Letters in, cursors out. A letter counts once, however often it comes."""

    def __init__(self, db: Database, journal: Journal, clock: Clock) -> None:
        self._db = db
        self._journal = journal
        self._clock = clock
        self._grouping: Grouping[Letter, Posted] = Grouping(
            self._write,
            lambda letter: (letter.project, letter.id),
            lanes=LANES,
            most=MOST,
            spoiling=SPOILING,
        )
        self.kept = 0  #: messages, so far
        self.commits = 0  #: that kept them

    @property
    def waiting(self) -> int:
        """Letters that wait for the group under way."""
        return len(self._grouping.waiting)

    async def post(self, letter: Letter) -> Posted:
        await self._journal.ensure_project(letter.project)
        posted = None if letter.large else await self._grouping.execute(letter)
        return posted or await self._alone(letter)

    async def within(self, entry: Entry, letter: Letter) -> Posted:
        """Post it in the caller's transaction, which tells of it when it is committed."""
        now = self._clock.now()
        rows = await entry.conn.fetch(_SEND, *_columns([letter]), now)
        (posted,) = _results(rows)
        if posted.state is State.NEW:
            entry.events.append(_event(letter, posted, now))
        return posted

    async def _alone(self, letter: Letter) -> Posted:
        for _ in range(TRIES - 1):
            try:
                return (await self._write([letter]))[0]
            except asyncpg.UniqueViolationError:
                continue  # now it stands, and will be found
        return (await self._write([letter]))[0]

    async def _write(self, letters: Sequence[Letter]) -> list[Posted]:
        now = self._clock.now()
        results = _results(await self._db.fetch(_SEND, *_columns(letters), now))
        events = [
            _event(letter, posted, now)
            for letter, posted in zip(letters, results, strict=True)
            if posted.state is State.NEW
        ]
        self.kept += len(events)
        self.commits += bool(events)
        self._journal.committed(events)
        return results


def _results(rows: Sequence[Record]) -> list[Posted]:
    return [_posted(known, cursor) for _, known, cursor, _ in rows]


def _posted(known: int | None, cursor: int | None) -> Posted:
    if known is not None:
        return Posted(known, State.KNOWN)
    return Posted(cursor, State.NEW) if cursor is not None else _HELD


def _event(letter: Letter, posted: Posted, now: Any) -> Event:
    return Event(
        cursor=posted.cursor,
        project=letter.project,
        type=MESSAGE_CREATED,
        audience=tuple(letter.kinds),
        data={"message_id": letter.id},
        at=now,
    )


def _columns(letters: Sequence[Letter]) -> tuple[list[Any], ...]:
    """The statement's arrays: one element per letter, then one per letter and agent."""
    named = [row for number, letter in enumerate(letters, start=1) for row in _members(number, letter)]
    numbers, agents, kinds = zip(*named, strict=True)
    return (
        [letter.project for letter in letters],
        [letter.id for letter in letters],
        [letter.thread_id for letter in letters],
        [letter.sender for letter in letters],
        [_array(letter.to) for letter in letters],
        [_array(letter.cc) for letter in letters],
        [_array(letter.bcc) for letter in letters],
        [_array(letter.denied) for letter in letters],
        [letter.subject for letter in letters],
        [letter.topic for letter in letters],
        [letter.body for letter in letters],
        [letter.importance for letter in letters],
        [letter.transport for letter in letters],
        [letter.ack_required for letter in letters],
        [letter.asked for letter in letters],
        list(numbers),
        list(agents),
        list(kinds),
    )


def _members(number: int, letter: Letter) -> list[tuple[int, str, str]]:
    kinds = letter.kinds
    members = [(number, agent, kind) for agent, kind in kinds.items()]
    if letter.sender not in kinds:
        members.append((number, letter.sender, "from"))
    return members


def _array(items: Sequence[str]) -> str:
    """PostgreSQL's text of an array of text: arrays of different lengths do not fit into one array."""
    if not items:
        return "{}"
    return "{" + ",".join(f'"{_escaped(item)}"' for item in items) + "}"


def _escaped(item: str) -> str:
    return item.replace("\\", "\\\\").replace('"', '\\"')
