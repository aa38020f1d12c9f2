"""Says what became of messages that arrive while the agent is busy: they wait, or they are read already."""

import asyncio
from collections.abc import Callable

import structlog

from bridges.messages import Content
from host.conversation.means import Means
from host.conversation.sentences import READ_ALREADY, queued
from host.conversation.turns import Turn
from host.outgoing.outbox import FOLLOWUP, PostKind
from storage import sql
from storage.errors import StorageError

log = structlog.get_logger()

#: seconds until it is said: an answer that comes sooner says it better
PATIENCE = 1.0

_SQL = sql.load("host", "followups")


class Followups:
    """One silent line per chat and turn, changed in place and withdrawn with the turn's end.

    The page needs none: it shows under each message how it stands.
    """

    def __init__(self, means: Means, turn: Callable[[], Turn]) -> None:
        self._means = means
        self._turn = turn
        self._news = asyncio.Event()
        self._joined: str | None = None  #: ref of the last message that joined

    def arrived(self) -> None:
        """Something came in while the turn runs."""
        self._news.set()

    def joined(self, ref: str | None) -> None:
        """The agent reads it within the turn."""
        self._joined = ref
        self._news.set()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self._news.wait()
            await self._means.clock.sleep(PATIENCE)
            self._news.clear()
            try:
                await self._tell()
            except StorageError as error:
                log.warning("followups.database", lane=self._turn().lane, reason=str(error))

    async def _tell(self) -> None:
        turn = self._turn()
        rows = await self._means.database.fetch(_SQL["followups.waiting"], turn.lane)
        lines = {row["address"]: (queued(row["number"]), row["ref"]) for row in rows}
        if self._joined is not None and turn.address not in lines:
            lines[turn.address] = (READ_ALREADY, self._joined)
        for address, (words, ref) in lines.items():
            if not address.startswith("web:"):
                await self._say(turn, address, words, ref)

    async def _say(self, turn: Turn, address: str, words: str, ref: str | None) -> None:
        async with self._means.database.transaction() as conn:
            await self._means.outbox.put(
                conn,
                address=address,
                kind=PostKind.NOTICE,
                content=Content(text=words, silent=True, reply_to=ref),
                slot=f"{FOLLOWUP}{turn.id}:{address}",
                turn=turn.id,
            )
        self._means.outbox.wake(address)
