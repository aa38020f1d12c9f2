"""Carries a conversation over to another agent: the one that leaves is asked to sum it up."""

import asyncio
from contextlib import suppress

import structlog

from container.agent import Permission, PermissionRequest
from container.sandbox import ContainerError
from host.conversation.answers import visible
from host.conversation.conversations import Conversations
from host.conversation.history import History
from host.conversation.session import Session
from host.people.registry import Group

log = structlog.get_logger()

PATIENCE = 30.0  #: seconds an agent has for its summary
MOST_WORDS = 500
LONGEST = 8_000  #: characters of a summary
ASKED = (
    "This comes from the host, not from a person, and nobody reads your answer in the chat. "
    "Another agent takes over this conversation and has not seen it. Sum it up for that agent in fewer than "
    f"{MOST_WORDS} words: who wants what, what was decided and done, every fact, name, number and code that "
    "may be needed again, and what is still open. Use no tools. Write the summary and nothing else."
)


class Summarising:
    """The ear for a summary: it keeps the words and allows nothing."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._room = 4 * LONGEST

    def text(self, chunk: str) -> None:
        if self._room > 0:
            self._pieces.append(chunk[: self._room])
            self._room -= len(chunk)

    def tool(self, call_id: str, title: str, *, finished: bool, kind: str = "other") -> None:
        """What it does meanwhile is nobody's concern."""

    async def permission(self, request: PermissionRequest) -> Permission:
        del request
        return Permission.REJECT

    def summary(self) -> str:
        return shortened(visible("".join(self._pieces)))


class Carrying:
    """Asks for summaries. No turn runs meanwhile, so tools that write refuse what the agent asks for."""

    def __init__(self, *, conversations: Conversations, history: History, patience: float = PATIENCE) -> None:
        self._conversations = conversations
        self._history = history
        self._patience = patience

    async def sum_up(self, session: Session, group: Group) -> None:
        """Keep what the session's agent says was talked about; without it the next is told the words."""
        if session.outfit.runtime.api is None or not session.told:
            return  # no model that could sum up, or nothing that it knows
        if group.runtime == session.runtime and session.agent.session:
            return  # the program itself loads the conversation again, for another model
        standing = await self._conversations.standing(session.lane)
        last = await self._history.last_turn(session.lane, standing.conversation)
        if last is None or last == standing.summed_up:
            return
        summary = await self._ask(session)
        if summary:
            await self._conversations.sum_up(session.lane, group.folder, standing, summary, last)
            log.info("conversation.summed_up", lane=session.lane)

    async def _ask(self, session: Session) -> str:
        ear = Summarising()
        try:
            async with asyncio.timeout(self._patience):
                await session.agent.prompt(ASKED, ear)
        except TimeoutError:
            log.info("conversation.not_summed_up", lane=session.lane, reason="it took too long")
            with suppress(ContainerError):
                await session.agent.cancel()
            return ""
        except ContainerError as error:
            log.info("conversation.not_summed_up", lane=session.lane, reason=str(error))
            return ""
        return ear.summary()


def shortened(text: str) -> str:
    """At most so many words and characters, with their line breaks. Pure."""
    kept: list[str] = []
    words = 0
    for line in text[:LONGEST].splitlines():
        room = MOST_WORDS - words
        if room <= 0:
            break
        pieces = line.split()
        words += len(pieces)
        kept.append(line if len(pieces) <= room else " ".join(pieces[:room]))
    return "\n".join(kept).strip()
