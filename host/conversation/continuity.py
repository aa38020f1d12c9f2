"""Keeps a conversation going whoever answers: told to newcomers, carried over, archived, begun anew."""

from collections.abc import Awaitable, Callable
from typing import Protocol
from uuid import UUID

import structlog

from host.conversation.carrying import Carrying
from host.conversation.conversations import Conversations
from host.conversation.history import History, Told
from host.conversation.session import Session
from host.conversation.turns import Turn
from host.people.registry import Group
from storage.database import Connection

log = structlog.get_logger()

#: what the group's agents are to know beside their own memory
GlobalMemory = Callable[[Group], Awaitable[str]]


class Transcripts(Protocol):
    """Keeps what was said as a file."""

    async def keep(self, lane: str, group: Group, conversation: UUID) -> str:
        """The name of the file; "" when nothing was said. Raises OSError."""
        ...


class Stale(Exception):
    """The session has loaded a conversation that is over; another one must be started."""


class Continuity:
    """What lanes ask about the conversation beyond the turn."""

    def __init__(
        self,
        *,
        conversations: Conversations,
        history: History,
        carrying: Carrying,
        transcripts: Transcripts,
        global_memory: GlobalMemory,
    ) -> None:
        self._conversations = conversations
        self._history = history
        self._carrying = carrying
        self._transcripts = transcripts
        self._global_memory = global_memory

    async def preface(self, session: Session, group: Group, *, turn: UUID | None = None) -> Told:
        """What the session's agent is to read before its first prompt; nothing later on. Raises Stale."""
        if session.told:
            return Told()
        agent = session.agent
        standing = await self._conversations.standing(session.lane, session.runtime, agent.session)
        if agent.resumed and not standing.is_sessions:
            raise Stale
        told = await self._history.unknown(session.lane, standing, but=turn)
        memory = "" if agent.resumed else await self._global_memory(group)
        return Told(text="\n".join(filter(None, [memory, told.text])), tainted=told.tainted)

    async def used(self, conn: Connection, session: Session, turn: Turn) -> None:
        """A turn ended well: the session's agent knows it."""
        await self._conversations.used(conn, turn.lane, session.runtime, session.agent.session, turn.id)

    async def forget(self, session: Session) -> None:
        """Never load this session again; what was said in it is told to the next."""
        await self._conversations.forget(session.lane, session.runtime, session.agent.session)

    async def sum_up(self, session: Session, group: Group) -> None:
        """Let an agent that is to go say what the next one must know."""
        await self._carrying.sum_up(session, group)

    async def begin_anew(self, lane: str, group: Group) -> str:
        """Archive the conversation and begin another; the name of the archive, "" when there is none.

        The file comes first: a crash in between leaves one file more and the conversation as it was.
        """
        standing = await self._conversations.standing(lane)
        name = ""
        try:
            name = await self._transcripts.keep(lane, group, standing.conversation)
        except OSError as error:  # forgetting is what people asked for; the words are in the database still
            log.error("conversation.not_archived", lane=lane, reason=str(error))
        await self._conversations.begin(lane, group.folder)
        return name
