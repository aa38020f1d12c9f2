"""The list of discoveries a group decides about, asked one card at a time: the next comes with the answer."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

from demarch.kernel import Discovery
from host.decisions.approvals import Approval, Draft, Kind, State
from host.decisions.approvals_store import Approvals
from host.decisions.board import Board
from host.decisions.codes import Verb
from host.phrases import one_line
from storage import sql
from storage.clock import Clock
from storage.database import Connection

MORNING = time(8)  #: when what was put to tomorrow comes again
_SQL = sql.load("host", "triage")


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """How far a group is with its list today."""

    handled: int
    waiting: int
    later: int
    next_due: datetime | None  #: of what was put off


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolled:
    """A discovery that is on a list."""

    fresh: bool  #: only now; else it is told in other words
    folder: str  #: whose list


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What an answer led to."""

    asked: Approval | None  #: the next card; whoever gets this records it last in the transaction
    addresses: frozenset[str]  #: to wake after the commit


class DiscoveryFlow:
    """Every method belongs to the caller's transaction, which has called `lock` before any other lock."""

    def __init__(self, approvals: Approvals, board: Board, clock: Clock) -> None:
        self._approvals = approvals
        self._board = board
        self._clock = clock

    async def lock(self, conn: Connection) -> None:
        await conn.execute(_SQL["triage.lock"])

    async def enrol(self, conn: Connection, project: str, found: Discovery, folder: str) -> Enrolled | None:
        """Put it on a list, once in its life; None when nothing about it is new, or it was decided."""
        row = await conn.fetchrow(
            _SQL["triage.enrol"],
            project,
            found.id,
            folder,
            subject_of(found),
            found.score,
            self._clock.now(),
        )
        return None if row is None else Enrolled(**dict(row))

    async def open_card(self, conn: Connection, folder: str) -> Approval | None:
        """What the group is asked at the moment."""
        found = await conn.fetchval(_SQL["triage.open"], folder)
        return None if found is None else await self._approvals.by_id(conn, found)

    async def put_next(
        self, conn: Connection, folder: str, addresses: Iterable[str], *, silent: bool = True
    ) -> Approval | None:
        """Ask about the best that is due, unless one is asked already. Nothing waits for it: it is quiet."""
        places = list(dict.fromkeys(addresses))
        if not places or await self.open_card(conn, folder) is not None:
            return None
        now = self._clock.now()
        row = await conn.fetchrow(_SQL["triage.next"], folder, now)
        if row is None:
            return None
        draft = Draft(
            kind=Kind.DISCOVERY,
            folder=folder,
            address=places[0],
            project=row["project"],
            dedupe=dedupe(row["project"], row["discovery"]),
            subject={**row["subject"], **await self._place(conn, folder)},
        )
        approval, fresh = await self._approvals.open(conn, draft, now)
        if not fresh:
            return None
        for address in places:
            await self._board.put(conn, approval, address, silent=silent)
        return approval

    async def ended(self, conn: Connection, approval: Approval, *, answered: bool = False) -> Step:
        """After an answer, or after it became void: note it and put the next card where this one stood.

        `answered`: it was decided elsewhere, or there is nothing left to decide about.
        """
        if approval.open:
            return Step(asked=None, addresses=frozenset())
        now, subject = self._clock.now(), approval.subject
        place = (approval.project, subject["discovery"])
        done = approval.state is State.DONE
        handled = now if done else None
        if answered or (done and approval.verb is not Verb.LATER):
            await conn.execute(_SQL["triage.decided"], *place, handled)
        else:
            # What could not be carried out is not lost: it comes again.
            await conn.execute(_SQL["triage.later"], *place, self.tomorrow(), handled)
        return await self._go_on(conn, approval)

    async def resolved(self, conn: Connection, project: str, discovery: str) -> None:
        """Somebody decided elsewhere."""
        await conn.execute(_SQL["triage.decided"], project, discovery, None)

    async def _go_on(self, conn: Connection, ended: Approval) -> Step:
        """The next card, in the chats that have this one."""
        posts = await self._board.outbox.of_approval(conn, ended.id)
        addresses = list(dict.fromkeys(post.address for post in posts)) or [ended.address]
        asked = await self.put_next(conn, ended.folder, addresses)
        return Step(asked=asked, addresses=frozenset(addresses if asked else ()))

    async def recount(self, conn: Connection, folder: str) -> set[str]:
        """More came, or something went: let the open card say how many there are; the addresses to wake."""
        card = await self.open_card(conn, folder)
        held = None if card is None else await self._approvals.locked(conn, card.id)
        if held is None or held.state is not State.PENDING:
            return set()
        known = await conn.fetchrow(_SQL["triage.subject"], held.project, held.subject["discovery"])
        words = {} if known is None else known["subject"]
        subject = {**held.subject, **words, **await self._place(conn, folder)}
        if subject == held.subject:
            return set()
        told = await self._approvals.retell(conn, held.id, subject)
        return set() if told is None else await self._board.refresh(conn, told)

    async def count(self, conn: Connection, folder: str) -> Count:
        now = self._clock.now()
        row = await conn.fetchrow(_SQL["triage.counts"], folder, now, self._day_began())
        return Count(**dict(row)) if row else Count(handled=0, waiting=0, later=0, next_due=None)

    async def waiting(self, conn: Connection, folder: str, limit: int) -> Sequence[dict[str, Any]]:
        """What the group is asked about next, the best first."""
        rows = await conn.fetch(_SQL["triage.waiting"], folder, self._clock.now(), limit)
        return [row["subject"] for row in rows]

    async def bring_back(self, conn: Connection, folder: str) -> None:
        """What was put off is asked about now."""
        await conn.execute(_SQL["triage.now"], folder, self._clock.now())

    def tomorrow(self) -> datetime:
        day = self._clock.now().astimezone(self._board.zone).date() + timedelta(days=1)
        return datetime.combine(day, MORNING, tzinfo=self._board.zone)

    async def _place(self, conn: Connection, folder: str) -> dict[str, int]:
        """2 of 5: what was answered today counts, whoever answered it."""
        count = await self.count(conn, folder)
        return {"number": count.handled + 1, "total": count.handled + max(1, count.waiting)}

    def _day_began(self) -> datetime:
        day = self._clock.now().astimezone(self._board.zone).date()
        return datetime.combine(day, time(), tzinfo=self._board.zone)


def dedupe(project: str, discovery: str) -> str:
    return f"discovery:{project}:{discovery}"


def subject_of(found: Discovery) -> dict[str, Any]:
    """What a card says about it; bounded, since it came from outside."""
    return {
        "discovery": found.id,
        "goal": one_line(found.title, 200),
        "source": one_line(found.source, 60),
        "summary": one_line(found.summary, 600),
        "url": one_line(found.url, 300),
        "score": round(found.score, 2),
    }
