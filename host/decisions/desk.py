"""The approval desk: everything a person decides is put here, decided once, and listed while it is open."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from bridges.messages import ButtonTap, ChatMessage, Content
from bridges.port import ChatBridge
from host.decisions.approvals import Approval, Draft, State
from host.decisions.approvals_store import Approvals
from host.decisions.board import DECIDERS, Board
from host.decisions.errands import Errands
from host.decisions.expiry import Expiry
from host.decisions.hearing import Hearing
from host.decisions.settling import Settling
from host.outgoing.outbox import PostKind
from storage.clock import Clock
from storage.database import Connection, Database

RELISTED = 20  #: cards of one /approvals
LISTED = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What the desk is made of; `host.decisions` puts it together."""

    approvals: Approvals
    board: Board
    settling: Settling
    hearing: Hearing
    expiry: Expiry
    errands: Errands


class Desk:
    """One desk for gates, budgets, finished runs and what agents ask for."""

    def __init__(self, *, database: Database, clock: Clock, seconds: float, parts: Parts) -> None:
        self._database = database
        self._clock = clock
        self._seconds = seconds
        self._approvals = parts.approvals
        self._board = parts.board
        self._settling = parts.settling
        self._hearing = parts.hearing
        self._expiry = parts.expiry
        self._errands = parts.errands

    async def tap(self, tap: ButtonTap, bridge: ChatBridge) -> None:
        """Decide by button: always answered, within a second."""
        await self._hearing.tap(tap, bridge)

    async def keyword(self, message: ChatMessage) -> bool:
        """Decide by word; True when the message was a decision, and then it is nobody else's."""
        return await self._hearing.keyword(message)

    async def open_approvals(self, person: str, folder: str | None = None) -> Sequence[Approval]:
        """What waits, newest first: in one group, or wherever this person has a role."""
        roles = self._board.registry.roles_of(person)
        folders = [name for name in roles if folder in (None, name)]
        async with self._database.transaction() as conn:
            return await self._approvals.open_in(conn, folders, LISTED)

    async def relist(self, address: str, person: str) -> None:
        """/approvals: a card of its own for each, so that taps count on it; or that there is none.

        Deferred ones are asked again if this person may decide them.
        """
        waiting = await self._waiting_for(address, person)
        if not waiting:
            await self._say(address, "Nothing waits for a decision here.")
        for approval in waiting:
            await self._relist(approval, address, person)
        self.asked([address])

    async def ask(
        self,
        conn: Connection,
        draft: Draft,
        addresses: Iterable[str],
        picture: bytes | None = None,
        *,
        silent: bool = False,
    ) -> tuple[Approval, bool]:
        """Put a question with its cards in the caller's transaction, unless it is open already.

        True when it is new. The caller records it and calls `asked` after its commit.
        """
        approval, fresh = await self._approvals.open(conn, draft, self._clock.now())
        if fresh:
            for address in dict.fromkeys(addresses):
                await self._board.put(conn, approval, address, picture, silent=silent)
        return approval, fresh

    def asked(self, addresses: Iterable[str]) -> None:
        """After the commit of a question: have its cards sent and its time kept."""
        self._board.wake(addresses)
        self._expiry.wake()

    async def by_id(self, conn: Connection, approval: UUID) -> Approval | None:
        return await self._approvals.by_id(conn, approval)

    async def recover(self) -> None:
        """At start, before any tap is handled."""
        await self._expiry.recover()

    async def run_expiry(self) -> None:
        """Until cancelled: let questions expire, and carry on what takes longer than an answer may."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._expiry.run())
            tasks.create_task(self._errands.run())

    async def _waiting_for(self, address: str, person: str) -> Sequence[Approval]:
        """A group sees its own; the main group sees all."""
        group = self._board.registry.group_of(address)
        if group is None or self._board.registry.role(group.folder, person) is None:
            return ()
        async with self._database.transaction() as conn:
            folders = None if group.main else [group.folder]
            return await self._approvals.open_in(conn, folders, RELISTED)

    async def _relist(self, approval: Approval, address: str, person: str) -> None:
        if approval.state is State.DEFERRED and self._may_ask(approval, person):
            await self._settling.ask_again(approval, person, self._seconds)
        async with self._database.transaction() as conn:
            held = await self._approvals.locked(conn, approval.id)
            if held is not None and held.open:
                await self._board.put(conn, held, address, await self._picture(conn, held))

    def _may_ask(self, approval: Approval, person: str) -> bool:
        return self._board.registry.role(approval.folder, person) in DECIDERS

    async def _picture(self, conn: Connection, approval: Approval) -> bytes | None:
        posts = await self._board.outbox.of_approval(conn, approval.id)
        return next((post.content.picture for post in posts if post.content.picture), None)

    async def _say(self, address: str, text: str) -> None:
        group = self._board.registry.group_of(address)
        async with self._database.transaction() as conn:
            await self._board.outbox.put(
                conn,
                address=address,
                kind=PostKind.ANSWER,
                content=Content(text=text, silent=True),
                folder=group.folder if group else None,
            )
