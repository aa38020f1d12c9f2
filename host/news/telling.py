"""One batch of kernel notices told in one transaction: cards, lines, closed questions, and their record."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

import structlog

from bridges.messages import Content
from demarch.kernel import Extension, KernelEvent
from demarch.notices import Notice, NoticeKind
from host.decisions.approvals import Approval, Draft, State
from host.decisions.approvals_store import Approvals
from host.decisions.board import Board
from host.decisions.codes import Verb
from host.decisions.desk import Desk
from host.decisions.settling import Settling
from host.news.notices import (
    Place,
    budget_dedupe,
    budget_draft,
    cancelled_line,
    finished_draft,
    gate_draft,
    phase_line,
    review_line,
    stale_line,
    warning_line,
)
from host.news.resolving import Resolving
from host.news.routing import Routing
from host.news.seen import Seen
from host.news.told import Told
from host.news.topics import Manner
from host.news.wishes import Wishes
from host.outgoing.outbox import PostKind
from host.people.registry import Group
from storage import sql
from storage.clock import Clock
from storage.database import Connection

log = structlog.get_logger()

_SQL = sql.load("host", "feed")

BURST = timedelta(seconds=60)  #: phase lines of one run within it are one line
REFUSAL = timedelta(seconds=2)  #: a refused approval's own block event comes at most this much later


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    seconds: float  #: until a question expires
    percent: int  #: what EXTEND grants


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One notice on its way to one group."""

    notice: Notice
    project: str
    group: Group
    manner: Manner
    picture: bytes | None = None

    @property
    def place(self) -> Place:
        return Place(folder=self.group.folder, address=self.group.addresses[0], project=self.project)


class Telling:
    def __init__(
        self,
        *,
        desk: Desk,
        settling: Settling,
        approvals: Approvals,
        board: Board,
        resolving: Resolving,
        routing: Routing,
        wishes: Wishes,
        seen: Seen,
        clock: Clock,
        rules: Rules,
    ) -> None:
        self._desk = desk
        self._settling = settling
        self._approvals = approvals
        self._board = board
        self._resolving = resolving
        self.routing = routing
        self._wishes = wishes
        self._seen = seen
        self._clock = clock
        self._rules = rules

    async def tell(
        self, conn: Connection, notice: Notice, project: str, picture: bytes | None, told: Told
    ) -> None:
        """Do what one notice asks for, in the caller's transaction."""
        if notice.kind is NoticeKind.GATE_RESOLVED:
            await self._resolving.resolved(conn, notice, project, told)
            return
        if notice.kind in _OVER:
            await self._resolving.close_all(conn, notice, project, _OVER[notice.kind], told)
        group, manner = await self.routing.way(conn, project, notice.run.id, notice.kind)
        if group is None:
            log.warning("news.nobody_to_tell", kind=notice.kind.value, project=project, run=notice.run.id)
        elif manner is not Manner.DROP:
            delivery = Delivery(notice=notice, project=project, group=group, manner=manner, picture=picture)
            await self._deliver(conn, delivery, told)

    async def record(self, conn: Connection, told: Told) -> None:
        """The last statements of the transaction."""
        for approval, action, more in told.records:
            await self._settling.record(conn, approval, action, "kernel", **more)

    async def _deliver(self, conn: Connection, delivery: Delivery, told: Told) -> None:
        match delivery.notice.kind:
            case NoticeKind.GATE_PENDING:
                await self._gate(conn, delivery, told)
            case NoticeKind.BUDGET_EXCEEDED:
                await self._budget(conn, delivery, told)
            case NoticeKind.RUN_COMPLETED:
                draft = finished_draft(delivery.notice, delivery.place, self._clock.now())
                await self._ask(conn, draft, delivery, told)
            case _:
                if await self._is_new(conn, delivery):
                    await self._line(conn, delivery, told)

    async def _is_new(self, conn: Connection, delivery: Delivery) -> bool:
        """What both an event and the watch may notice is told by whoever is first."""
        run = delivery.notice.run
        match delivery.notice.kind:
            case NoticeKind.BUDGET_WARNING if run.budget and run.used >= run.budget:
                return False  # its card comes with the same news, or with the watch
            case NoticeKind.BUDGET_WARNING:
                return await self._seen.warned(conn, delivery.project, run, self._clock.now())
            case NoticeKind.RUN_STALE:
                return await self._seen.stale(conn, delivery.project, run)
            case NoticeKind.RUN_CANCELLED:
                last = await self._approvals.last_same(conn, budget_dedupe(delivery.project, run.id))
                return last is None or not _taken_over(last)
        return True

    async def _gate(self, conn: Connection, delivery: Delivery, told: Told) -> None:
        notice = delivery.notice
        if notice.run.status != "active" or notice.run.phase != notice.from_phase:
            return  # it was answered before we read of it
        expires = self._clock.now() + timedelta(seconds=self._rules.seconds)
        draft = gate_draft(notice, delivery.place, expires)
        last = await self._approvals.last_same(conn, draft.dedupe)
        if last is not None and not last.open and _refusal_of(last, notice):
            return
        await self._ask(conn, draft, delivery, told)

    async def _budget(self, conn: Connection, delivery: Delivery, told: Told) -> None:
        run, now = delivery.notice.run, self._clock.now()
        if run.status != "active" or not run.budget or run.used < run.budget:
            return
        if not await self._seen.exceeded(conn, delivery.project, run, now):
            return
        expires = now + timedelta(seconds=self._rules.seconds)
        draft = budget_draft(delivery.notice, delivery.place, expires, self._rules.percent)
        await self._ask(conn, draft, delivery, told)

    async def _ask(self, conn: Connection, draft: Draft, delivery: Delivery, told: Told) -> None:
        """A new card; or, if the same question is open, what is known now on the old one."""
        addresses = delivery.group.addresses
        silent = delivery.manner is Manner.SILENT
        approval, fresh = await self._desk.ask(conn, draft, addresses, delivery.picture, silent=silent)
        told.addresses.update(addresses)
        if fresh:
            told.records.append((approval, "approval.asked", {}))
            return
        held = await self._approvals.locked(conn, approval.id)
        if held is not None and held.state in (State.PENDING, State.DEFERRED):
            again = await self._approvals.retell(conn, held.id, draft.subject)
            if again is not None and again.state is State.PENDING:
                told.addresses |= await self._board.refresh(conn, again)

    async def _line(self, conn: Connection, delivery: Delivery, told: Told) -> None:
        """A quiet line, now or in the digest. Phases of one run in a burst are one line."""
        notice, folder = delivery.notice, delivery.group.folder
        text = _WORDS[notice.kind](notice, self._resolving.who(notice, delivery.group))
        elsewhere = self.routing.project_of(delivery.group) != delivery.project
        if elsewhere and (project := self._board.title(delivery.project)):
            text = f"{text.removesuffix('.')} · {project}"
        about = f"{notice.kind.value}:{delivery.project}:{notice.run.id}"
        burst = notice.kind is NoticeKind.PHASE_CHANGED
        if delivery.manner is Manner.KEEP:
            event = notice.event
            # What the watch tells has no event of its own, but a moment.
            place = f"{event.source}:{event.id}:{event.timestamp.isoformat()}"
            slot = about if burst else f"{about}:{place}"
            await self._wishes.keep(conn, folder, slot, text, self._clock.now())
            return
        for address in delivery.group.addresses:
            told.addresses.add(address)
            await self._board.outbox.put(
                conn,
                address=address,
                kind=PostKind.NOTICE,
                content=Content(text=text, silent=True),
                folder=folder,
                slot=await self._slot(conn, address, about, notice.event) if burst else None,
            )

    async def _slot(self, conn: Connection, address: str, burst: str, event: KernelEvent) -> str:
        """The place of the burst's line that stands already, else a new one."""
        name = f"{burst}:{address}:"
        since = self._clock.now() - BURST
        recent: str | None = await conn.fetchval(_SQL["feed.recent_line"], address, name, since)
        return recent or f"{name}{event.source}:{event.id}"


#: what open cards say when their run is over
_OVER = {
    NoticeKind.RUN_COMPLETED: "Closed: the run is done.",
    NoticeKind.RUN_CANCELLED: "Closed: the run was stopped.",
}

_WORDS: Mapping[NoticeKind, Callable[[Notice, str], str]] = {
    NoticeKind.RUN_CANCELLED: cancelled_line,
    NoticeKind.BUDGET_WARNING: lambda notice, who: warning_line(notice),
    NoticeKind.RUN_STALE: lambda notice, who: stale_line(notice),
    NoticeKind.REVIEW_RESOLVED: lambda notice, who: review_line(notice),
    NoticeKind.PHASE_CHANGED: lambda notice, who: phase_line(notice),
}


def _taken_over(budget: Approval) -> bool:
    """The run ended because a person had it continued by another: the card says so, a line would alarm."""
    decided = budget.verb is Verb.EXTEND and budget.state in (State.EXECUTING, State.DONE)
    return decided and budget.subject.get("extension") == Extension.FOLLOW_UP.value


def _refusal_of(last: Approval, notice: Notice) -> bool:
    """The kernel logs the refusal of an approval as a new block: that is no new question."""
    if last.state is not State.CLOSED or last.verb is not Verb.APPROVE or last.decided_at is None:
        return False
    if key := str(notice.data.get("key", "")):
        return key.startswith(f"{last.id}/")
    # The kernel CLI says nothing about who caused a refusal that it logs by itself: it is told by its time.
    ended = last.ended_at or last.decided_at
    return last.decided_at - timedelta(seconds=1) <= notice.event.timestamp <= ended + REFUSAL
