"""What an agent's own program asks before it does it: decided by policy, and else by people."""

import hashlib

import structlog

from bridges.messages import Content
from container.agent import Permission, PermissionRequest
from host.conversation.turns import Turn
from host.decisions.approvals import Draft, Kind
from host.decisions.asking import Asking
from host.decisions.permission_policy import Ruling, judge, payload
from host.meter import Meter
from host.outgoing.outbox import Outbox, PostKind
from host.phrases import one_line, quoted
from host.record.audit import Audit
from storage.database import Database
from storage.text import storable

log = structlog.get_logger()


class Permissions:
    """Everything that is not a yes is a no."""

    def __init__(
        self,
        *,
        database: Database,
        asking: Asking,
        outbox: Outbox,
        audit: Audit,
        meter: Meter,
        isolated: bool,
    ) -> None:
        self._database = database
        self._asking = asking
        self._outbox = outbox
        self._audit = audit
        self._meter = meter
        self._isolated = isolated

    async def permit(self, turn: Turn, request: PermissionRequest) -> Permission:
        """Let it run, refuse it, or put a card in the turn's chat and wait for the answer."""
        ruling = judge(request, isolated=self._isolated)
        self._meter.count("permissions", ruling=ruling.value)
        if ruling is Ruling.ALLOW:
            log.debug("permission.allowed", lane=turn.lane, kind=request.kind, tool=request.tool)
            return Permission.ALLOW
        lines = payload(request)
        if lines is None:
            await self._refuse(turn, request)
            return Permission.REJECT
        allowed = await self._asking.ask(_draft(turn, request, lines))
        return Permission.ALLOW if allowed else Permission.REJECT

    async def _refuse(self, turn: Turn, request: PermissionRequest) -> None:
        """What nobody could read in whole nobody may allow; the chat hears of it."""
        said = (
            f"The agent's program asked for {quoted(request.title, 120)}, which is too long to be shown in"
            " whole, so it was told no."
        )
        async with self._database.transaction() as conn:
            await self._outbox.put(
                conn,
                address=turn.address,
                kind=PostKind.NOTICE,
                content=Content(text=said, silent=True),
                folder=turn.folder,
                turn=turn.id,
            )
            await self._audit.record(
                conn,
                actor=f"agent:{turn.lane}",
                action="permission.refused",
                detail={
                    "group": turn.folder,
                    "title": one_line(request.title, 200),
                    "kind": one_line(request.kind, 40),
                    "characters": len(request.detail),
                    "sha256": _digest(request),
                },
            )
        self._outbox.wake(turn.address)


def _draft(turn: Turn, request: PermissionRequest, lines: tuple[str, ...]) -> Draft:
    return Draft(
        kind=Kind.PERMISSION,
        folder=turn.folder,
        address=turn.address,
        lane=turn.lane,
        dedupe=f"permission:{turn.id}:{_digest(request)[:32]}",
        subject={
            "asks": one_line(request.title, 200),
            "operation": "permission",
            "arguments": {
                "title": storable(request.title[:4000]),
                "kind": one_line(request.kind, 40),
                "detail": storable(request.detail),
            },
            "lines": list(lines),
            "asked_by": [],
            "tainted": turn.tainted,
        },
    )


def _digest(request: PermissionRequest) -> str:
    whole = f"{request.title}\0{request.kind}\0{request.detail}"
    return hashlib.sha256(whole.encode("utf-8", "surrogatepass")).hexdigest()
