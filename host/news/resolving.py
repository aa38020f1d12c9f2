"""Open cards whose question the kernel answered without them: closed, or credited to whose vote did it."""

from demarch.notices import Notice
from host.decisions.approvals import Approval, Kind, State
from host.decisions.approvals_store import Approvals, Vote
from host.decisions.board import Board
from host.decisions.codes import Verb
from host.decisions.settling import Settling
from host.news.notices import resolved, voids
from host.news.told import Told
from host.people.registry import Group, Role
from host.phrases import one_line
from storage.clock import Clock
from storage.database import Connection

_WAITING = (State.PENDING, State.DEFERRED)


class Resolving:
    """Works in the caller's transaction; what has to follow its commit is noted in `told`."""

    def __init__(self, *, settling: Settling, approvals: Approvals, board: Board, clock: Clock) -> None:
        self._settling = settling
        self._approvals = approvals
        self._board = board
        self._clock = clock

    async def resolved(self, conn: Connection, notice: Notice, project: str, told: Told) -> None:
        """Close the cards whose question this answers, unless the answer came from them."""
        for each in await self._approvals.open_of_run(conn, project, notice.run.id):
            if each.kind is not Kind.GATE or not voids(notice, each.subject):
                continue
            held = await self._approvals.locked(conn, each.id)
            if held is None or held.state not in _WAITING:
                continue  # the desk is at it and will say itself how it went
            vote = await self._approvals.vote_with(conn, held, str(notice.data.get("key", "")))
            if vote is not None:
                await self._credit(conn, held, vote, notice, told)
            else:
                who = self.who(notice, self._board.registry.group(held.folder))
                words = resolved(notice, who, self._clock.now(), self._board.zone)
                await self._close(conn, held, words, told)

    async def close_all(self, conn: Connection, notice: Notice, project: str, words: str, told: Told) -> None:
        """The run is over: nothing about it waits any more."""
        for each in await self._approvals.open_of_run(conn, project, notice.run.id):
            held = await self._approvals.locked(conn, each.id)
            open_here = held is not None and held.state in _WAITING
            if held is not None and open_here and held.kind in (Kind.GATE, Kind.BUDGET):
                await self._close(conn, held, words, told)

    def who(self, notice: Notice, group: Group | None) -> str:
        """Who did it, by the name people know."""
        actor = str(notice.data.get("actor", ""))
        names = dict(self._board.registry.people_with(group.folder, *Role)) if group else {}
        return one_line(names.get(actor, actor), 40)

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

    async def _close(self, conn: Connection, approval: Approval, words: str, told: Told) -> None:
        closed, addresses = await self._settling.close_in(conn, approval, words)
        told.addresses |= addresses
        if closed is not None:
            told.records.append((closed, "approval.closed", {"outcome": words}))
