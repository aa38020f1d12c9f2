"""Questions somebody waits for: put on a card, answered by a person, void when whoever asked is gone."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from host.decisions.approvals import Approval, Draft, Kind, State
from host.decisions.approvals_store import Approvals
from host.decisions.desk import Desk
from host.decisions.settling import HOST, Settling
from host.phrases import one_line
from storage.clock import Clock
from storage.database import Database

WAITED_FOR = frozenset({Kind.PERMISSION, Kind.SPAWN})


class Asking:
    """Nobody deciding in time, and everything that is not a yes, is a no."""

    def __init__(
        self,
        *,
        database: Database,
        approvals: Approvals,
        desk: Desk,
        settling: Settling,
        clock: Clock,
        seconds: float,
    ) -> None:
        self._database = database
        self._approvals = approvals
        self._desk = desk
        self._settling = settling
        self._clock = clock
        self._seconds = seconds
        self._waiting: dict[UUID, asyncio.Event] = {}
        settling.on_end(self._ended)

    async def ask(self, draft: Draft) -> bool:
        """Put a card in the draft's chat and wait; True when a person said yes."""
        approval, ended = await self._put(draft)
        try:
            await ended.wait()
        except asyncio.CancelledError:
            await asyncio.shield(self._settling.close(approval, _void(approval)))
            raise
        finally:
            self._waiting.pop(approval.id, None)
        async with self._database.transaction() as conn:
            decided = await self._approvals.by_id(conn, approval.id)
        return decided is not None and decided.state is State.DONE

    async def forget(self) -> None:
        """At start: nobody waits for what agents of an earlier run asked."""
        async with self._database.transaction() as conn:
            waiting = await self._approvals.open_in(conn, None, 1000)
        for approval in waiting:
            if approval.kind in WAITED_FOR:
                await self._settling.close(approval, _void(approval))

    async def _put(self, draft: Draft) -> tuple[Approval, asyncio.Event]:
        draft = replace(draft, expires_at=self._clock.now() + timedelta(seconds=self._seconds))
        async with self._database.transaction() as conn:
            approval, fresh = await self._desk.ask(conn, draft, [draft.address])
            # Before the commit: from then on it may be decided.
            ended = self._waiting.setdefault(approval.id, asyncio.Event())
            if fresh:
                await self._settling.record(conn, approval, "approval.asked", HOST)
        self._desk.asked([draft.address])
        return approval, ended

    def _ended(self, approval: Approval) -> None:
        waiting = self._waiting.get(approval.id)
        if waiting is not None:
            waiting.set()


def _void(approval: Approval) -> str:
    return f"{one_line(approval.subject['asks'], 200)}: the agent waits for it no longer; nothing was done."
