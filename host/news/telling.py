"""One batch of kernel notices told in one transaction: cards, lines, closed questions, and their record."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from bridges.messages import Content
from demarch.notices import Notice, NoticeKind
from host.decisions.approvals import Approval, Draft, Kind, State
from host.decisions.approvals_store import Approvals, Vote
from host.decisions.board import Board
from host.decisions.codes import Verb
from host.decisions.desk import Desk
from host.decisions.settling import Settling
from host.news.notices import (
    budget_draft,
    cancelled_line,
    finished_draft,
    gate_draft,
    phase_line,
    resolved,
    voids,
    warning_line,
)
from host.outgoing.outbox import PostKind
from host.people.registry import Group, Role
from host.phrases import one_line
from storage import sql
from storage.clock import Clock
from storage.database import Connection

_SQL = sql.load("host", "feed")

BURST = timedelta(seconds=60)  #: phase lines of one run within it are one line
REFUSAL = timedelta(seconds=2)  #: a refused approval's own block event comes at most this much later


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    seconds: float  #: until a question expires
    percent: int  #: what EXTEND grants


@dataclass(slots=True)
class Told:
    """What has to be done after the notices: recorded last in the transaction, woken after it."""

    addresses: set[str] = field(default_factory=set)
    records: list[tuple[Approval, str, Mapping[str, Any]]] = field(default_factory=list)


class Telling:
    def __init__(
        self,
        *,
        desk: Desk,
        settling: Settling,
        approvals: Approvals,
        board: Board,
        clock: Clock,
        rules: Rules,
    ) -> None:
        self._desk = desk
        self._settling = settling
        self._approvals = approvals
        self._board = board
        self._clock = clock
        self._rules = rules

    async def tell(
        self, conn: Connection, notice: Notice, group: Group, picture: bytes | None, told: Told
    ) -> None:
        """Do what one notice asks for, in the caller's transaction."""
        match notice.kind:
            case NoticeKind.GATE_PENDING:
                await self._gate(conn, notice, group, told)
            case NoticeKind.GATE_RESOLVED:
                await self._resolved(conn, notice, told)
            case NoticeKind.BUDGET_EXCEEDED:
                await self._budget(conn, notice, group, picture, told)
            case NoticeKind.RUN_COMPLETED:
                await self._close_all(conn, notice, "Closed: the run is done.", told)
                draft = finished_draft(notice, group.folder, group.addresses[0], self._clock.now())
                await self._ask(conn, draft, group, None, told)
            case NoticeKind.RUN_CANCELLED:
                await self._close_all(conn, notice, "Closed: the run was stopped.", told)
                await self._lines(conn, group, cancelled_line(notice, self._who(notice, group)), told)
            case NoticeKind.BUDGET_WARNING:
                await self._lines(conn, group, warning_line(notice), told)
            case NoticeKind.PHASE_CHANGED:
                await self._phase(conn, notice, group, told)

    async def record(self, conn: Connection, told: Told) -> None:
        """The last statements of the transaction."""
        for approval, action, more in told.records:
            await self._settling.record(conn, approval, action, "kernel", **more)

    async def _gate(self, conn: Connection, notice: Notice, group: Group, told: Told) -> None:
        if notice.run.status != "active" or notice.run.phase != notice.from_phase:
            return  # it was answered before we read of it
        expires = self._clock.now() + timedelta(seconds=self._rules.seconds)
        draft = gate_draft(notice, group.folder, group.addresses[0], expires)
        last = await self._approvals.last_same(conn, draft.dedupe)
        if last is not None and not last.open and _refusal_of(last, notice):
            return
        await self._ask(conn, draft, group, None, told)

    async def _budget(
        self, conn: Connection, notice: Notice, group: Group, picture: bytes | None, told: Told
    ) -> None:
        run = notice.run
        if run.status != "active" or not run.budget or run.used < run.budget:
            return
        expires = self._clock.now() + timedelta(seconds=self._rules.seconds)
        draft = budget_draft(notice, group.folder, group.addresses[0], expires, self._rules.percent)
        await self._ask(conn, draft, group, picture, told)

    async def _ask(
        self, conn: Connection, draft: Draft, group: Group, picture: bytes | None, told: Told
    ) -> None:
        """A new card; or, if the same question is open, what is known now on the old one."""
        approval, fresh = await self._desk.ask(conn, draft, group.addresses, picture)
        told.addresses.update(group.addresses)
        if fresh:
            told.records.append((approval, "approval.asked", {}))
            return
        held = await self._approvals.locked(conn, approval.id)
        if held is not None and held.state in (State.PENDING, State.DEFERRED):
            again = await self._approvals.retell(conn, held.id, draft.subject)
            if again is not None and again.state is State.PENDING:
                told.addresses |= await self._board.refresh(conn, again)

    async def _resolved(self, conn: Connection, notice: Notice, told: Told) -> None:
        """Close the cards whose question this answers, unless the answer came from them."""
        for each in await self._approvals.open_of_run(conn, "", notice.run.id):
            if each.kind is not Kind.GATE or not voids(notice, each.subject):
                continue
            held = await self._approvals.locked(conn, each.id)
            if held is None or held.state not in (State.PENDING, State.DEFERRED):
                continue  # the desk is at it and will say itself how it went
            vote = await self._own(conn, held, notice)
            if vote is not None:
                await self._credit(conn, held, vote, notice, told)
            else:
                who = self._who(notice, self._board.registry.group(held.folder))
                words = resolved(notice, who, self._clock.now(), self._board.zone)
                await self._close(conn, held, words, told)

    async def _own(self, conn: Connection, approval: Approval, notice: Notice) -> Vote | None:
        """The vote behind an event, if one of this card's attempts caused it although it seemed to fail."""
        key = str(notice.data.get("key", ""))
        votes = await self._approvals.votes(conn, approval)
        return next((vote for vote in reversed(votes) if key == approval.key(vote.attempt)), None)

    async def _credit(
        self, conn: Connection, approval: Approval, vote: Vote, notice: Notice, told: Told
    ) -> None:
        goal = approval.subject["goal"]
        where = notice.from_phase if vote.verb is Verb.REJECT else notice.to_phase
        outcome = f'"{one_line(goal, 80)}" {"stays" if vote.verb is Verb.REJECT else "is"} in {where}.'
        done, addresses = await self._settling.credit_in(conn, approval, vote, outcome)
        told.addresses |= addresses
        if done is not None:
            told.records.append((done, "approval.done", {"outcome": outcome}))

    async def _close_all(self, conn: Connection, notice: Notice, words: str, told: Told) -> None:
        for each in await self._approvals.open_of_run(conn, "", notice.run.id):
            held = await self._approvals.locked(conn, each.id)
            open_here = held is not None and held.state in (State.PENDING, State.DEFERRED)
            if held is not None and open_here and held.kind in (Kind.GATE, Kind.BUDGET):
                await self._close(conn, held, words, told)

    async def _close(self, conn: Connection, approval: Approval, words: str, told: Told) -> None:
        closed, addresses = await self._settling.close_in(conn, approval, words)
        told.addresses |= addresses
        if closed is not None:
            told.records.append((closed, "approval.closed", {"outcome": words}))

    async def _phase(self, conn: Connection, notice: Notice, group: Group, told: Told) -> None:
        since = self._clock.now() - BURST
        for address in group.addresses:
            name = f"phase:{notice.run.id}:{address}:"
            recent = await conn.fetchval(_SQL["feed.recent_line"], address, name, since)
            slot = recent or f"{name}{notice.event.source}:{notice.event.id}"
            await self._line(conn, group, address, phase_line(notice), slot)
            told.addresses.add(address)

    async def _lines(self, conn: Connection, group: Group, text: str, told: Told) -> None:
        for address in group.addresses:
            await self._line(conn, group, address, text, None)
            told.addresses.add(address)

    async def _line(self, conn: Connection, group: Group, address: str, text: str, slot: str | None) -> None:
        await self._board.outbox.put(
            conn,
            address=address,
            kind=PostKind.NOTICE,
            content=Content(text=text, silent=True),
            folder=group.folder,
            slot=slot,
        )

    def _who(self, notice: Notice, group: Group | None) -> str:
        """Who did it, by the name people know."""
        actor = str(notice.data.get("actor", ""))
        names = dict(self._board.registry.people_with(group.folder, *Role)) if group else {}
        return one_line(names.get(actor, actor), 40)


def _refusal_of(last: Approval, notice: Notice) -> bool:
    """The kernel logs the refusal of an approval as a new block: that is no new question."""
    if last.state is not State.CLOSED or last.verb is not Verb.APPROVE or last.decided_at is None:
        return False
    if str(notice.data.get("key", "")).startswith(f"{last.id}/"):
        return True
    ended = last.ended_at or last.decided_at
    return last.decided_at - timedelta(seconds=1) <= notice.event.timestamp <= ended + REFUSAL
