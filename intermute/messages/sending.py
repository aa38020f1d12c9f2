"""Sends messages: asks the recipients' policies, keeps the letter, types it where that is wanted."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Protocol

import asyncpg
from asyncpg.protocol import Record

from intermute.errors import Conflict, NotAllowed
from intermute.events.journal import Journal
from intermute.messages.letter import ASYNC, BOTH, LIVE, Letter, Sent
from intermute.messages.live import Attempt, LivePost
from intermute.messages.postbox import Postbox, State
from storage import sql
from storage.clock import Clock
from storage.database import Database

_SQL = sql.load("intermute", "messages")

INJECTED = "injected"


class Contacting(Protocol):
    """Who may write to whom."""

    async def denied(
        self,
        project: str,
        sender: str,
        recipients: Iterable[str],
        thread_id: str = "",
        *,
        bound: bool = False,
    ) -> set[str]:
        """Those of the recipients whom the sender may not write to."""


class Messages:
    """The way of a letter. Sending it again is the same message, with the newest words."""

    def __init__(
        self,
        db: Database,
        journal: Journal,
        clock: Clock,
        *,
        postbox: Postbox,
        contacting: Contacting,
        live: LivePost,
    ) -> None:
        self._db = db
        self._journal = journal
        self._clock = clock
        self._contacting = contacting
        self._live = live
        self._postbox = postbox

    async def send(self, letter: Letter, *, window: str = "") -> Sent:
        """Raises NotAllowed (`policy_denied`: nobody is left), Conflict (`message_id_taken`)."""
        if letter.transport != ASYNC:
            if self._live.enabled:
                return await self._typed(letter, window)
            letter = replace(letter, transport=ASYNC)
        going = letter
        posted = await self._postbox.post(letter)
        if posted.state is State.HELD:
            going = _some(letter.without(await self._denied(letter, letter.kinds)))
            posted = await self._postbox.post(going)
        if posted.state is State.KNOWN:
            return await self._again(letter)
        return _sent(going, posted.cursor)

    async def deliver(self, letter: Letter) -> Sent:
        """Send a letter whose recipients' policies have been asked."""
        posted = await self._postbox.post(letter)
        return await self._again(letter) if posted.state is State.KNOWN else _sent(letter, posted.cursor)

    async def standing(self, project: str, message_id: str) -> Record | None:
        """The message with that id, if there is one."""
        return await self._db.fetchrow(_SQL["messages.stands"], project, message_id)

    async def _denied(self, letter: Letter, agents: Iterable[str]) -> set[str]:
        return await self._contacting.denied(
            letter.project, letter.sender, agents, letter.thread_id, bound=letter.bound
        )

    async def _typed(self, letter: Letter, window: str) -> Sent:
        if letter.transport == BOTH and await self.standing(letter.project, letter.id):
            return await self._again(letter)
        others = [agent for agent, kind in letter.kinds.items() if kind != "to"]
        denied = await self._denied(letter, others) if others else set()
        attempt = await self._live.attempt(letter, window=window)
        going = _some(letter.without(denied | attempt.denied))
        if letter.transport != LIVE:
            return await self._kept(letter, going, attempt)
        if not attempt.delivery:
            raise _nobody(going)
        return Sent(message_id="", cursor=0, denied=going.denied, delivery=attempt.delivery)

    async def _kept(self, letter: Letter, going: Letter, attempt: Attempt) -> Sent:
        """Keep a letter that was typed, unless somebody has just sent the same."""
        await self._journal.ensure_project(letter.project)
        try:
            cursor = await self._keep(going, attempt)
        except asyncpg.UniqueViolationError:
            cursor = None
        return await self._again(letter) if cursor is None else _sent(going, cursor, attempt.delivery)

    async def _keep(self, letter: Letter, attempt: Attempt) -> int | None:
        """The letter and what waits for a terminal, or neither. Its cursor; None where it stands already."""
        async with self._journal.writing() as entry:
            posted = await self._postbox.within(entry, letter)
            if posted.state is not State.NEW:
                return None
            typed = [agent for agent, how in attempt.delivery.items() if how == INJECTED]
            injected = _SQL["messages.injected"]
            await entry.conn.execute(injected, posted.cursor, letter.project, typed, self._clock.now())
            await entry.tell(await self._live.keep(entry.conn, letter, attempt))
            return posted.cursor

    async def _again(self, letter: Letter) -> Sent:
        """The letter was sent before."""
        row = await self.standing(letter.project, letter.id)
        if row is None or not _same(row, letter):
            raise Conflict(
                "There is another message with this id: of another sender or thread, or to others.",
                code="message_id_taken",
            )
        words = (letter.subject, letter.topic, letter.body, letter.importance, letter.ack_required)
        if words != (row["subject"], row["topic"], row["body"], row["importance"], row["ack_required"]):
            async with self._db.transaction() as conn:
                await conn.execute(_SQL["messages.hold_words"])
                await conn.execute(_SQL["messages.say_again"], row["cursor"], *words)
        return _sent(letter.without(set(row["denied"])), row["cursor"])


def _same(row: Record, letter: Letter) -> bool:
    """Whether the letter is the one that stands: everybody named is there, in the same list, or denied."""
    denied = set(row["denied"])
    lists = (("recipients", letter.to), ("cc", letter.cc), ("bcc", letter.bcc))
    return (
        row["sender"] == letter.sender
        and row["thread_id"] == letter.thread_id
        and denied <= letter.kinds.keys()
        and all(set(row[name]) == set(agents) - denied for name, agents in lists)
    )


def _some(letter: Letter) -> Letter:
    """The letter, where there is still somebody to get it. Raises NotAllowed."""
    if not letter.kinds:
        raise _nobody(letter)
    return letter


def _nobody(letter: Letter) -> NotAllowed:
    return NotAllowed(
        "None of the recipients takes messages from this sender.",
        code="policy_denied",
        details={"denied": list(letter.denied)},
    )


def _sent(letter: Letter, cursor: int, delivery: Mapping[str, str] | None = None) -> Sent:
    return Sent(
        message_id=letter.id,
        cursor=cursor,
        recipients=len(letter.kinds),
        denied=letter.denied,
        delivery=delivery or dict.fromkeys(letter.to, ASYNC),
    )
