"""A message to everybody in a project, not too often."""

import math
from dataclasses import replace
from datetime import timedelta

from intermute.errors import Conflict, LimitReached, NotAllowed
from intermute.limits import Limits
from intermute.messages.letter import Letter, Sent
from intermute.messages.sending import Contacting, Messages
from storage import sql
from storage.clock import Clock
from storage.database import Database

WINDOW = timedelta(minutes=1)
FORGOTTEN = timedelta(hours=1)  #: senders that were silent for so long are counted anew

_SQL = sql.load("intermute", "messages")


class Broadcasts:
    """Counts in the database: a sender has no more of them for there being more processes."""

    def __init__(
        self, db: Database, clock: Clock, *, limits: Limits, messages: Messages, contacting: Contacting
    ) -> None:
        self._db = db
        self._clock = clock
        self._limits = limits
        self._messages = messages
        self._contacting = contacting

    async def send(self, letter: Letter) -> Sent:
        """To all registered agents of the project but the sender.

        Raises LimitReached, NotAllowed (`policy_denied`), Conflict (`message_id_taken`).
        """
        if (before := await self._before(letter)) is not None:
            return before
        await self._count(letter)
        rows = await self._db.fetch(_SQL["messages.members"], letter.project, letter.sender)
        members = [row["id"] for row in rows]
        if not members:
            return Sent(message_id="", cursor=0)
        denied = await self._contacting.denied(letter.project, letter.sender, members)
        going = replace(letter, to=members).without(denied)
        if not going.to:
            raise NotAllowed(
                "Nobody in this project takes messages from this sender.",
                code="policy_denied",
                details={"denied": list(going.denied)},
            )
        return await self._messages.deliver(going)

    async def _before(self, letter: Letter) -> Sent | None:
        """What came of the same request before; who is in the project may have changed since."""
        row = await self._messages.standing(letter.project, letter.id)
        if row is None:
            return None
        if (row["sender"], row["topic"]) != (letter.sender, letter.topic):
            raise Conflict("There is another message with this id.", code="message_id_taken")
        recipients = len(row["recipients"])
        return Sent(message_id=letter.id, cursor=row["cursor"], recipients=recipients, denied=row["denied"])

    async def _count(self, letter: Letter) -> None:
        now = self._clock.now()
        row = await self._db.fetchrow(_SQL["messages.broadcast"], letter.project, letter.sender, now, WINDOW)
        if row is None or row["count"] == 1:
            await self._db.execute(_SQL["messages.forget_broadcasts"], now - FORGOTTEN)
            return
        if row["count"] <= self._limits.broadcasts:
            return
        wait = (row["began"] + WINDOW - now).total_seconds()
        raise LimitReached(
            f"A sender may speak to everybody {self._limits.broadcasts} times a minute.",
            retry_after=max(1, math.ceil(wait)),
        )
