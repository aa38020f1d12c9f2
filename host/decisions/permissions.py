"""What an agent's own program asks before it does it: put to people like everything else, and waited for."""

import asyncio
import hashlib
from datetime import timedelta
from uuid import UUID

from container.agent import Permission, PermissionRequest
from host.conversation.turns import Turn
from host.decisions.approvals import Approval, Draft, Kind, State
from host.decisions.approvals_store import Approvals
from host.decisions.desk import Desk
from host.decisions.settling import HOST, Settling
from host.phrases import one_line
from storage.clock import Clock
from storage.database import Database

GONE = "The agent that asked is gone; nothing was done."


class Permissions:
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

    async def permit(self, turn: Turn, request: PermissionRequest) -> Permission:
        """Put a card in the turn's chat and wait for the answer."""
        approval = await self._ask(turn, request)
        ended = self._waiting.setdefault(approval.id, asyncio.Event())
        try:
            await ended.wait()
        except asyncio.CancelledError:
            await asyncio.shield(self._settling.close(approval, GONE))
            raise
        finally:
            self._waiting.pop(approval.id, None)
        async with self._database.transaction() as conn:
            decided = await self._approvals.by_id(conn, approval.id)
        allowed = decided is not None and decided.state is State.DONE
        return Permission.ALLOW if allowed else Permission.REJECT

    async def forget(self) -> None:
        """At start: nobody waits for what agents of an earlier run asked."""
        async with self._database.transaction() as conn:
            left = [
                each
                for each in await self._approvals.open_in(conn, None, 1000)
                if each.kind is Kind.PERMISSION
            ]
        for approval in left:
            await self._settling.close(approval, GONE)

    async def _ask(self, turn: Turn, request: PermissionRequest) -> Approval:
        title, detail = request.title, request.detail
        draft = Draft(
            kind=Kind.PERMISSION,
            folder=turn.folder,
            address=turn.address,
            lane=turn.lane,
            dedupe=f"permission:{turn.id}:{_digest(title, detail)}",
            expires_at=self._clock.now() + timedelta(seconds=self._seconds),
            subject={
                "asks": one_line(title, 200),
                "operation": "permission",
                "arguments": {"title": title[:4000], "detail": detail[:16_000]},
                "detail": one_line(detail, 400),
                "tainted": turn.tainted,
            },
        )
        async with self._database.transaction() as conn:
            approval, fresh = await self._desk.ask(conn, draft, [turn.address])
            if fresh:
                await self._settling.record(conn, approval, "approval.asked", HOST)
        self._desk.asked([turn.address])
        return approval

    def _ended(self, approval: Approval) -> None:
        waiting = self._waiting.get(approval.id)
        if waiting is not None:
            waiting.set()


def _digest(title: str, detail: str) -> str:
    return hashlib.sha256(f"{title}\0{detail}".encode("utf-8", "surrogatepass")).hexdigest()[:32]
