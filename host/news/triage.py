"""Discoveries told by the kernel: put on the list of whoever decides, closed when somebody else did."""

from datetime import datetime

import structlog

from demarch.notices import DiscoveryNotice, NoticeKind
from host.decisions.approvals import Approval, State
from host.decisions.approvals_store import Approvals
from host.decisions.board import Board
from host.decisions.flow import DiscoveryFlow, dedupe
from host.decisions.settling import HOST, Settling
from host.news.routing import Routing
from host.news.told import Told
from host.news.topics import Manner
from host.news.wishes import Wishes
from host.people.registry import Group
from host.phrases import one_line, quoted
from storage import sql
from storage.clock import Clock
from storage.database import Connection, Database
from storage.errors import StorageError

log = structlog.get_logger()

POLL = 60.0  #: seconds; a mute that ended or a group that went is noticed by then
_SQL = sql.load("host", "triage")


class Triage:
    """Asks about each discovery once in its life, one card at a time in every group."""

    def __init__(
        self,
        *,
        database: Database,
        flow: DiscoveryFlow,
        settling: Settling,
        approvals: Approvals,
        board: Board,
        routing: Routing,
        wishes: Wishes,
        clock: Clock,
    ) -> None:
        self._database = database
        self._flow = flow
        self._settling = settling
        self._approvals = approvals
        self._board = board
        self._routing = routing
        self._wishes = wishes
        self._clock = clock

    async def tell_discovery(
        self, conn: Connection, notice: DiscoveryNotice, project: str, told: Told
    ) -> None:
        """Do what one notice asks for, in the caller's transaction."""
        await self._flow.lock(conn)
        if notice.kind is NoticeKind.DISCOVERY_RESOLVED:
            await self._resolved(conn, notice, project, told)
            return
        group, manner = await self._routing.way(conn, project, "", notice.kind)
        if group is None:
            log.warning("news.nobody_to_tell", kind=notice.kind.value, discovery=notice.discovery.id)
            return
        enrolled = await self._flow.enrol(conn, project, notice.discovery, group.folder)
        if enrolled is None:
            return
        if enrolled.fresh and manner is Manner.KEEP:
            words = f"🔎 Found: {quoted(notice.discovery.title)}. /discoveries asks about it."
            slot = dedupe(project, notice.discovery.id)
            await self._wishes.keep(conn, group.folder, slot, words, self._clock.now())
        if manner is Manner.TELL:
            await self._ask(conn, group, told)
        told.addresses |= await self._flow.recount(conn, enrolled.folder)

    async def run(self) -> None:
        """Ask what nobody was asked yet, until cancelled: put off until today, muted until now."""
        while True:
            pause = POLL
            try:
                pause = await self.look()
            except StorageError as error:
                log.warning("triage.waits", reason=str(error))
            except Exception:  # one list must not silence the others for good
                log.exception("triage.failed")
            await self._clock.sleep(pause)

    async def look(self) -> float:
        """Put a card in every group that has something due and none; seconds until the next look."""
        told, now = Told(), self._clock.now()
        async with self._database.transaction() as conn:
            await self._flow.lock(conn)
            await self._follow_groups(conn, told)
            for row in await conn.fetch(_SQL["triage.idle"], now):
                group = self._board.registry.group(row["folder"])
                if group is not None and await self._manner(conn, group) is Manner.TELL:
                    await self._ask(conn, group, told)
            due: datetime | None = await conn.fetchval(_SQL["triage.next_due"], now)
            for approval, action, more in told.records:
                await self._settling.record(conn, approval, action, HOST, **more)
        self._board.wake(told.addresses)
        return POLL if due is None else min(POLL, max(1.0, (due - now).total_seconds()))

    async def _ask(self, conn: Connection, group: Group, told: Told) -> None:
        asked = await self._flow.put_next(conn, group.folder, group.addresses)
        if asked is not None:
            told.addresses.update(group.addresses)
            told.records.append((asked, "approval.asked", {}))

    async def _resolved(self, conn: Connection, notice: DiscoveryNotice, project: str, told: Told) -> None:
        """Promoted or dismissed: nobody has to be asked any more, and the list goes on."""
        found = notice.discovery
        await self._flow.resolved(conn, project, found.id)
        last = await self._approvals.last_same(conn, dedupe(project, found.id))
        held = await self._approvals.locked(conn, last.id) if last is not None and last.open else None
        if held is None or held.state is not State.PENDING:
            return  # the desk is at it and will say itself how it went
        vote = await self._approvals.vote_with(conn, held, str(notice.event.envelope.get("key", "")))
        words = self._words(notice)
        if vote is not None:
            ended, addresses = await self._settling.credit_in(conn, held, vote, words)
        else:
            ended, addresses = await self._settling.close_in(conn, held, words)
        told.addresses |= addresses
        if ended is not None:
            told.records.append((ended, f"approval.{ended.state}", {"outcome": words}))
            await self._go_on(conn, ended, told)

    async def _go_on(self, conn: Connection, ended: Approval, told: Told) -> None:
        step = await self._flow.ended(conn, ended)
        told.addresses |= step.addresses
        if step.asked is not None:
            told.records.append((step.asked, "approval.asked", {}))

    def _words(self, notice: DiscoveryNotice) -> str:
        found = notice.discovery
        if found.status == "promoted":
            issue = one_line(found.issue_id, 60)
            return f"{quoted(found.title)} is {f'the issue {issue}' if issue else 'an issue now'}."
        return f"{quoted(found.title)} was put aside for good."

    async def _follow_groups(self, conn: Connection, told: Told) -> None:
        """A list whose group is gone goes to whoever hears of the project now, its open card is closed."""
        for row in await conn.fetch(_SQL["triage.folders"]):
            group = self._board.registry.group(row["folder"])
            if group is not None and group.addresses:
                continue
            kind = NoticeKind.DISCOVERY_PROPOSED
            other, _ = await self._routing.way(conn, row["project"], "", kind)
            if other is None or other.folder == row["folder"]:
                continue
            card = await self._flow.open_card(conn, row["folder"])
            held = None if card is None else await self._approvals.locked(conn, card.id)
            if held is not None and held.state is State.EXECUTING:
                continue
            if held is not None:
                words = "Closed: this group is not registered any more."
                closed, addresses = await self._settling.close_in(conn, held, words)
                told.addresses |= addresses
                if closed is not None:
                    told.records.append((closed, "approval.closed", {"outcome": words}))
            await conn.execute(_SQL["triage.move"], row["project"], row["folder"], other.folder)

    async def _manner(self, conn: Connection, group: Group) -> Manner:
        return await self._wishes.manner(conn, group, NoticeKind.DISCOVERY_PROPOSED, self._clock.now())
