"""An agent's writes: recorded before they are executed, or put before a person; all of it on record."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import structlog

from container.agent import ToolResult
from demarch.errors import DemarchError, KernelUnavailable, NotFound
from demarch.kernel import Discovery, Outcome, Run
from demarch.projects import Projects
from host.conversation.turns import Turn
from host.decisions.approvals import Approval, Draft, Kind
from host.decisions.desk import Desk
from host.decisions.requests import describe
from host.people.registry import Group
from host.phrases import quoted, sentence
from host.record.audit import Audit
from host.tools.intents import Intent, Intents, IntentState, arguments_hash
from host.tools.others_words import OthersWords
from host.tools.policy import NO_TURN
from host.tools.underway import Underway
from host.tools.writes import SEND_MESSAGE, Writes
from storage.clock import Clock
from storage.database import Connection, Database

log = structlog.get_logger()

GLANCE = 2.0  #: seconds for what a card would only be nicer with
UNKNOWN = (
    "The kernel did not answer, so nobody knows yet whether this was done. Look before you try it again."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A write an agent wants."""

    lane: str
    group: Group
    turn: Turn | None
    operation: str
    arguments: Mapping[str, Any]
    sender: str = ""  #: the helper that wants it; "" is the lane's own agent

    def meaning(self, arguments: Mapping[str, Any]) -> "Wish":
        return replace(self, arguments=arguments)

    @property
    def actor(self) -> str:
        return f"agent:{self.lane}"

    def record(self) -> dict[str, Any]:
        """What the audit log keeps."""
        turn = str(self.turn.id) if self.turn else None
        helper = {"helper": self.sender} if self.sender else {}
        return {
            "group": self.group.folder,
            **({"project": self.group.project} if self.group.project else {}),
            "turn": turn,
            "operation": self.operation,
            "arguments": dict(self.arguments),
            "tainted": self.turn.tainted if self.turn else None,
            **helper,
        }


class Writing:
    def __init__(
        self,
        *,
        database: Database,
        intents: Intents,
        writes: Writes,
        desk: Desk,
        underway: Underway,
        projects: Projects,
        audit: Audit,
        clock: Clock,
        seconds: float,
    ) -> None:
        self._database = database
        self._intents = intents
        self._writes = writes
        self._desk = desk
        self._underway = underway
        self._projects = projects
        self._audit = audit
        self._clock = clock
        self._seconds = seconds  #: until a request expires

    async def refuse(self, wish: Wish, reason: str) -> ToolResult:
        async with self._database.transaction() as conn:
            if wish.turn is not None and await self._intents.hold_turn(conn, wish.turn):
                now = self._clock.now()
                await self._intents.refused(conn, wish.turn.id, wish.operation, wish.arguments, reason, now)
            await self._record(conn, wish, "intent.refused", reason=reason)
        return _failed(reason)

    async def execute(self, wish: Wish, turn: Turn) -> ToolResult:
        """Record, then do, then record what came of it."""
        with self._underway.write(turn.id):
            return await self._execute(wish, turn)

    async def _execute(self, wish: Wish, turn: Turn) -> ToolResult:
        if wish.operation == SEND_MESSAGE:
            return await self._send(wish, turn)
        async with self._database.transaction() as conn:
            if not await self._intents.hold_turn(conn, turn):
                return _failed(NO_TURN)
            intent = await self._record_intent(conn, wish, turn, self._clock.now())
        try:
            outcome = await self._writes.perform(
                wish.operation,
                wish.arguments,
                project=intent.project,
                actor=wish.actor,
                key=intent.key,
            )
        except KernelUnavailable as error:
            # The intent stays as recorded: whoever must know asks the kernel by its key.
            log.warning("intent.unknown", operation=wish.operation, reason=str(error))
            async with self._database.transaction() as conn:
                await self._record(conn, wish, "intent.unknown", reason=str(error))
            return _failed(f"{sentence(error, 300)} {UNKNOWN}")
        except DemarchError as error:
            await self._end(wish, intent, IntentState.FAILED, {"text": str(error)})
            return _failed(str(error), untrusted=isinstance(error, OthersWords))
        await self._end(wish, intent, IntentState.EXECUTED, _result(outcome))
        return ToolResult(text=outcome.text, data=outcome.data)

    async def ask(self, wish: Wish, turn: Turn) -> ToolResult:
        """Put it before a person: intent, approval and card in one transaction. Answers at once."""
        try:
            subject = await self._about(wish)
        except NotFound as error:
            return await self.refuse(wish, str(error))
        wish = _pinned(wish, subject)
        async with self._database.transaction() as conn:
            if not await self._intents.hold_turn(conn, turn):
                return _failed(NO_TURN)
            waiting = await self._intents.waiting(conn, turn.id, wish.operation, wish.arguments)
            if waiting is not None and waiting.approval is not None:
                known = await self._desk.by_id(conn, waiting.approval)
                if known is not None:
                    return _pending(known)
            now = self._clock.now()
            intent = await self._record_intent(conn, wish, turn, now)
            names = await self._intents.names(conn, turn.asked_by)
            draft = self._draft(wish, turn, intent, subject, names, now)
            approval, _ = await self._desk.ask(conn, draft, [turn.address])
            await self._intents.ask(conn, intent.id, approval.id)
            await self._record(conn, wish, "intent.pending", code=approval.code)
        self._desk.asked([turn.address])
        return _pending(approval)

    async def _send(self, wish: Wish, turn: Turn) -> ToolResult:
        """A message of ours is a row: intent and post commit together."""
        async with self._database.transaction() as conn:
            if not await self._intents.hold_turn(conn, turn):
                return _failed(NO_TURN)
            now = self._clock.now()
            intent = await self._intents.record(conn, turn.id, wish.operation, wish.arguments, now)
            outcome = await self._writes.say(conn, wish.arguments, intent.key, turn.id, wish.sender)
            await self._intents.end(conn, intent.id, IntentState.EXECUTED, _result(outcome), now)
            await self._record(conn, wish, "intent.executed", intent=intent.key)
        self._writes.wake(wish.operation, wish.arguments)
        return ToolResult(text=outcome.text, data=outcome.data)

    async def _record_intent(self, conn: Connection, wish: Wish, turn: Turn, now: datetime) -> Intent:
        """With the project it is about from now on, whatever becomes of the group's."""
        project = self._projects.key(wish.group.project)
        return await self._intents.record(conn, turn.id, wish.operation, wish.arguments, now, project=project)

    async def _end(self, wish: Wish, intent: Intent, state: IntentState, result: Mapping[str, Any]) -> None:
        async with self._database.transaction() as conn:
            await self._intents.end(conn, intent.id, state, result, self._clock.now())
            await self._record(conn, wish, f"intent.{state}", intent=intent.key, result=result.get("text"))

    async def _about(self, wish: Wish) -> Run | Discovery | None:
        """The run or discovery it names. That there is none is said to the agent, not asked of a person."""
        run, discovery = wish.arguments.get("run_id"), wish.arguments.get("discovery_id")
        if run is None and discovery is None:
            return None
        try:
            async with asyncio.timeout(GLANCE):
                kernel = self._projects.kernel(wish.group.project)
                return await (kernel.run(run) if run else kernel.discovery(str(discovery)))
        except NotFound:
            raise
        except (DemarchError, TimeoutError) as error:
            log.info("request.subject_unreadable", subject=run or discovery, reason=str(error))
            return None

    def _draft(
        self,
        wish: Wish,
        turn: Turn,
        intent: Intent,
        subject: Run | Discovery | None,
        names: list[str],
        now: datetime,
    ) -> Draft:
        request = describe(wish.operation, wish.arguments, subject)
        return Draft(
            kind=Kind.INTENT,
            folder=wish.group.folder,
            address=turn.address,
            lane=wish.lane,
            run=subject.id if isinstance(subject, Run) else "",
            project=intent.project,
            dedupe=f"intent:{turn.id}:{arguments_hash(wish.operation, wish.arguments)}",
            expires_at=now + timedelta(seconds=self._seconds),
            subject={
                "intent": intent.key,
                "operation": wish.operation,
                "arguments": dict(wish.arguments),
                "asks": request.asks,
                "effect": request.effect,
                "lines": list(request.lines),
                "asked_by": names,
                "tainted": turn.tainted,
            },
        )

    async def _record(self, conn: Connection, wish: Wish, action: str, **more: Any) -> None:
        await self._audit.record(conn, actor=wish.actor, action=action, detail=wish.record() | more)


def _pinned(wish: Wish, subject: Run | Discovery | None) -> Wish:
    """People decide about what they see: if the run has moved when they do, nothing happens."""
    if not isinstance(subject, Run) or wish.operation not in _PINNED or wish.arguments.get("from_phase"):
        return wish
    return wish.meaning({**wish.arguments, "from_phase": subject.phase})


_PINNED = frozenset({"approve_gate", "reject_gate", "defer_gate", "advance_phase"})


def _result(outcome: Outcome) -> dict[str, Any]:
    return {"text": outcome.text, "data": dict(outcome.data)}


def _pending(approval: Approval) -> ToolResult:
    expires = approval.expires_at.isoformat() if approval.expires_at else None
    asks = quoted(approval.subject["asks"], 160)
    return ToolResult(
        text=f"Waiting for a person: {asks}. Code {approval.code}.",
        data={"status": "pending", "code": approval.code, "expires_at": expires},
    )


def _failed(text: str, *, untrusted: bool = False) -> ToolResult:
    marks = {"untrusted": True} if untrusted else {}
    return ToolResult(text=text, data={"status": "failed", **marks}, failed=True)
