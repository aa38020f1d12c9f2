"""How approvals end or open again: each in one transaction with cards, the word to the agent, the record."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from bridges.messages import Content
from demarch.kernel import Extension
from host.conversation.messages_store import HostWord
from host.decisions.approvals import Approval, Kind, Move, State
from host.decisions.approvals_store import Approvals, Vote
from host.decisions.board import Board
from host.decisions.cards import deferred_by_itself, expired
from host.decisions.executing import Result
from host.decisions.flow import DiscoveryFlow, Step
from host.decisions.followups import AgentEar, outcome_for_agent
from host.decisions.questions import about
from host.news.routing import Routing
from host.outgoing.outbox import PostKind
from host.record.audit import Audit
from host.spending.words import EXPIRED
from host.tools.intents import Intents, IntentState
from storage.clock import Clock
from storage.database import Connection, Database

HOST = "host"  #: the actor of what no person did


class Settling:
    """Applies one move of one approval and everything that follows from it."""

    def __init__(
        self,
        *,
        database: Database,
        approvals: Approvals,
        intents: Intents,
        board: Board,
        audit: Audit,
        lanes: AgentEar,
        routing: Routing,
        flow: DiscoveryFlow,
        clock: Clock,
    ) -> None:
        self._database = database
        self._approvals = approvals
        self._intents = intents
        self._board = board
        self._audit = audit
        self._lanes = lanes
        self._routing = routing
        self._flow = flow
        self._clock = clock
        self._listeners: list[Callable[[Approval], None]] = []

    def on_end(self, listener: Callable[[Approval], None]) -> None:
        """Have somebody told, after the commit, of every approval that ended."""
        self._listeners.append(listener)

    async def finish(self, approval: Approval, result: Result, address: str) -> Approval | None:
        """What was decided is done, deferred, dropped, or asked anew. None when it had ended already."""
        async with self._database.transaction() as conn:
            await self._hold_flow(conn, approval)
            if result.vote is not None:
                await self._approvals.credit(conn, approval.id, result.vote)
            ended = await self._moved(conn, approval.id, result)
            if ended is None:
                return None
            done = ended.state is State.DONE
            state = IntentState.EXECUTED if done else IntentState.REFUSED
            await self._answer_agent(conn, ended, state, result.data)
            if done and (run := _started(ended, result)):
                await self._routing.settle(conn, ended.project, run, ended.folder)
            if result.post:
                await self._post(conn, ended, address, result.post)
            addresses = await self._board.refresh(conn, ended)
            step = await self._go_on(conn, ended)
            await self.record(conn, ended, f"approval.{ended.state}", HOST, outcome=result.outcome)
            await self._record_next(conn, step)
        self._wake(ended, {*addresses, *step.addresses, address})
        return ended

    async def close(self, approval: Approval, outcome: str, *, answered: bool = False) -> Approval | None:
        """It cannot be carried out any more, and trying again will not help.

        `answered`: what it asks was answered without it, or what it is about is gone.
        """
        async with self._database.transaction() as conn:
            await self._hold_flow(conn, approval)
            closed, addresses = await self.close_in(conn, approval, outcome)
            if closed is None:
                return None
            step = await self._go_on(conn, closed, answered=answered)
            await self.record(conn, closed, "approval.closed", HOST, outcome=outcome)
            await self._record_next(conn, step)
        self._wake(closed, {*addresses, *step.addresses})
        return closed

    async def close_in(
        self, conn: Connection, approval: Approval, outcome: str
    ) -> tuple[Approval | None, set[str]]:
        """The same in the caller's transaction, who records it and wakes the addresses."""
        closed = await self._approvals.end(conn, approval.id, Move.CLOSE, outcome, self._clock.now())
        if closed is None:
            return None, set()
        await self._answer_agent(conn, closed, IntentState.FAILED, None)
        return closed, await self._board.refresh(conn, closed)

    async def credit_in(
        self, conn: Connection, approval: Approval, vote: Vote, outcome: str
    ) -> tuple[Approval | None, set[str]]:
        """An attempt that seemed to fail went through, as the kernel's log shows: it is that person's."""
        await self._approvals.credit(conn, approval.id, vote)
        done = await self._approvals.end(conn, approval.id, Move.FINISH, outcome, self._clock.now())
        return (None, set()) if done is None else (done, await self._board.refresh(conn, done))

    async def fail(self, approval: Approval, error: str) -> Approval | None:
        """Open again, with its buttons and the reason."""
        async with self._database.transaction() as conn:
            failed = await self._approvals.fail(conn, approval.id, error)
            if failed is None:
                return None
            addresses = await self._board.refresh(conn, failed)
            await self.record(conn, failed, "approval.failed", HOST, error=error)
        self._board.wake(addresses)
        return failed

    async def expire(self, approval: Approval) -> Approval | None:
        """Nobody decided in time: gates and budgets wait as deferred, what an agent asked is dropped."""
        now = self._clock.now()
        async with self._database.transaction() as conn:
            held = await self._approvals.locked(conn, approval.id)
            if held is None or held.state is not State.PENDING or not _over(held, now):
                return None
            ended = await self._expired(conn, held, now)
            if ended is None:
                return None
            await self._answer_agent(conn, ended, IntentState.REFUSED, None, quiet=True)
            addresses = await self._board.refresh(conn, ended)
            if ended.kind is not Kind.FINISHED:
                addresses |= await self._board.reply(conn, ended, _notice(ended))
            await self.record(conn, ended, f"approval.{ended.state}", HOST, outcome=ended.outcome)
        # The agent reads of it with whatever wakes it next; it is not woken for what did not happen.
        self._board.wake(addresses)
        self._tell_listeners(ended)
        return ended

    async def ask_again(self, approval: Approval, person: str, seconds: float) -> Approval | None:
        """Put a deferred question once more."""
        until = self._clock.now() + timedelta(seconds=seconds)
        async with self._database.transaction() as conn:
            asked = await self._approvals.ask_again(conn, approval.id, until)
            if asked is None:
                return None
            addresses = await self._board.refresh(conn, asked)
            await self.record(conn, asked, "approval.asked_again", person)
        self._board.wake(addresses)
        return asked

    async def show_working(self, approval: Approval) -> None:
        """Let the cards say that it is being carried out, if it still is."""
        async with self._database.transaction() as conn:
            held = await self._approvals.locked(conn, approval.id)
            if held is None or held.state is not State.EXECUTING:
                return
            addresses = await self._board.refresh(conn, held)
        self._board.wake(addresses)

    async def record(
        self, conn: Connection, approval: Approval, action: str, actor: str, **more: Any
    ) -> None:
        """Last in its transaction: the audit log's head is locked from here on."""
        decision = {"verb": approval.verb, "by": approval.decided_by} if approval.verb else {}
        await self._audit.record(conn, actor=actor, action=action, detail=approval.record() | decision | more)

    async def _hold_flow(self, conn: Connection, approval: Approval) -> None:
        """An answer about a discovery moves its list on: nobody else does meanwhile."""
        if approval.kind is Kind.DISCOVERY:
            await self._flow.lock(conn)

    async def _go_on(self, conn: Connection, ended: Approval, *, answered: bool = False) -> Step:
        """The next card comes with the answer to this one, or not at all."""
        if ended.kind is Kind.DISCOVERY:
            return await self._flow.ended(conn, ended, answered=answered)
        return Step(asked=None, addresses=frozenset())

    async def _record_next(self, conn: Connection, step: Step) -> None:
        if step.asked is not None:
            await self.record(conn, step.asked, "approval.asked", HOST)

    async def _moved(self, conn: Connection, approval: UUID, result: Result) -> Approval | None:
        if result.move is Move.FAIL:
            return await self._approvals.reopen(conn, approval, result.outcome, result.subject or {})
        if result.move is Move.DEFER:
            return await self._approvals.defer(conn, approval, result.outcome)
        return await self._approvals.end(conn, approval, result.move, result.outcome, self._clock.now())

    async def _expired(self, conn: Connection, approval: Approval, now: datetime) -> Approval | None:
        view = self._board.view(approval)
        if approval.kind in (Kind.GATE, Kind.BUDGET):
            return await self._approvals.defer(conn, approval.id, deferred_by_itself(approval, view))
        if approval.kind is Kind.FINISHED:
            return await self._approvals.end(conn, approval.id, Move.CLOSE, "", now)
        return await self._approvals.end(conn, approval.id, Move.DROP, expired(approval, view), now)

    async def _answer_agent(
        self,
        conn: Connection,
        ended: Approval,
        state: IntentState,
        data: Mapping[str, Any] | None,
        *,
        quiet: bool = False,
    ) -> None:
        """If an agent asked: end its intent and leave it the outcome."""
        if ended.kind is not Kind.INTENT or ended.lane is None:
            return
        result = data or {"text": ended.outcome or ""}
        await self._intents.end(conn, UUID(ended.subject["intent"]), state, result, self._clock.now())
        word = HostWord(
            lane=ended.lane,
            folder=ended.folder,
            address=ended.address,
            text=outcome_for_agent(ended),
            code=ended.code,
            tainted=bool(ended.subject["tainted"]),
            quiet=quiet,
        )
        await self._lanes.tell_agent(conn, word)

    async def _post(self, conn: Connection, ended: Approval, address: str, text: str) -> None:
        content = Content(text=text)
        await self._board.outbox.put(
            conn, address=address, kind=PostKind.ANSWER, content=content, folder=ended.folder
        )

    def _wake(self, ended: Approval, addresses: set[str]) -> None:
        self._board.wake(addresses)
        if ended.kind is Kind.INTENT and ended.lane is not None:
            self._lanes.wake(ended.lane)
        self._tell_listeners(ended)

    def _tell_listeners(self, ended: Approval) -> None:
        if not ended.open:
            for listener in self._listeners:
                listener(ended)


def _started(ended: Approval, result: Result) -> str:
    """The run that an executed decision started; what it was asked in hears of it from now on."""
    data = (result.data or {}).get("data") or {}
    if ended.kind is Kind.INTENT and ended.subject.get("operation") == "start_run":
        return str(data.get("id", ""))
    follow_up = ended.kind is Kind.BUDGET and data.get("extension") == Extension.FOLLOW_UP
    return str(data.get("id", "")) if follow_up else ""


def _over(approval: Approval, now: datetime) -> bool:
    return approval.expires_at is not None and approval.expires_at <= now


def _notice(ended: Approval) -> str:
    if ended.kind is Kind.SPEND:
        return EXPIRED
    if ended.state is State.DEFERRED:
        return f"Nobody decided about {about(ended)} in time, so it waits. /approvals asks it again."
    return f"Nobody decided about {about(ended)} in time: nothing was done, the agent is told."
