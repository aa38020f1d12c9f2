"""Taking a decision: who may, who was first, what the kernel says to it, what the person is told."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import structlog

from bridges.messages import Person
from demarch.errors import Conflict, DemarchError, EvidenceUnknown, KernelUnavailable, NotFound
from demarch.projects import Projects
from host.decisions.approvals import HARMLESS, VERBS, Approval, Kind, State
from host.decisions.approvals_store import Approvals, Vote
from host.decisions.board import DECIDERS, Board
from host.decisions.cards import OUT_OF_DATE, PAST, decided, kernel_silent, moved_on, only_approvers, too_late
from host.decisions.codes import Verb
from host.decisions.executing import TRIES, Execution, Lacking, Result
from host.decisions.settling import Settling
from host.phrases import one_line, quoted, sentence
from storage.clock import Clock
from storage.database import Database

log = structlog.get_logger()

LEASE = timedelta(seconds=60)  #: for one try; it is renewed before every further one


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the person who decided is told, and nobody else."""

    text: str
    alert: bool = False


class Deciding:
    """The first entitled decision stands."""

    def __init__(
        self,
        *,
        database: Database,
        approvals: Approvals,
        board: Board,
        settling: Settling,
        execution: Execution,
        projects: Projects,
        clock: Clock,
        holder: str,
    ) -> None:
        self._database = database
        self._approvals = approvals
        self._board = board
        self._settling = settling
        self._execution = execution
        self._projects = projects
        self._clock = clock
        self._holder = holder
        self._at_work: set[UUID] = set()

    def entitled(self, approval: Approval, verb: Verb, person: str) -> bool:
        """Asked at the moment of the decision; nobody listed means nobody may."""
        role = self._board.registry.role(approval.folder, person)
        return role is not None and (verb in HARMLESS or role in DECIDERS)

    async def decide(
        self, approval: Approval, verb: Verb, person: Person, address: str, claimed: Callable[[], None]
    ) -> Answer:
        """Take it, carry it out and say what came of it; or say why not.

        `claimed` is called when the decision is safe: from then on a crash does not lose it.
        """
        if verb not in VERBS[approval.kind]:
            return Answer(text=OUT_OF_DATE)
        if not self.entitled(approval, verb, person.address):
            return await self.refuse(approval, verb, person, address)
        taken = await self._claim(approval, verb, person, address)
        if taken is None:
            return await self._late(approval)
        claimed()
        return await self.carry_out(taken, address)

    async def refuse(self, approval: Approval, verb: Verb, person: Person, address: str) -> Answer:
        """Not entitled: said to that person only, and put on record."""
        async with self._database.transaction() as conn:
            await self._settling.record(
                conn,
                approval,
                "approval.refused",
                person.address,
                tried=verb,
                chat=address,
                name=one_line(person.name, 40),
            )
        view = self._board.view(approval)
        if verb in HARMLESS:
            return Answer(text=f"Only people with a role in {quoted(view.group, 40)} see this.", alert=True)
        return Answer(text=only_approvers(view), alert=True)

    async def carry_out(self, approval: Approval, address: str, *, recovering: bool = False) -> Answer:
        """Execute a claimed decision and settle it. Also for what a crash left half done."""
        self._at_work.add(approval.id)
        try:
            return await self._carried_out(approval, address, recovering=recovering)
        finally:
            self._at_work.discard(approval.id)

    async def goes_on(self, approval: Approval) -> bool:
        """Whether this very process is at it: then it is its own for longer."""
        if approval.id not in self._at_work:
            return False
        await self._renew(approval)
        return True

    async def _carried_out(self, approval: Approval, address: str, *, recovering: bool) -> Answer:
        try:
            result = await self._execution.carry_out(
                approval,
                await self._earlier(approval, recovering=recovering),
                lambda: self._renew(approval),
            )
        except Conflict as error:
            return await self._close(approval, await self._moved(approval, error), answered=True)
        except EvidenceUnknown as error:
            unknown = (
                f"Nobody can say whether this was done: {sentence(error, 200)} A person must look first."
            )
            return await self._fail(approval, unknown)
        except Lacking as error:
            return await self._fail(
                approval, f"Not done: {sentence(error, 250)} Tap again when it is mended."
            )
        except KernelUnavailable as error:
            silent = kernel_silent(TRIES, str(error), self._board.view(approval))
            return await self._fail(approval, silent)
        except DemarchError as error:
            gone = isinstance(error, NotFound)
            return await self._close(approval, f"Not done: {sentence(error, 300)}", answered=gone)
        except Exception:  # a fault of ours must not leave a card that nobody can decide any more
            log.exception("decision.failed", code=approval.code, verb=approval.verb)
            return await self._fail(
                approval, "Not done: an internal fault; it is logged. Tap again to retry."
            )
        return await self._finish(approval, result, address)

    async def _claim(self, approval: Approval, verb: Verb, person: Person, address: str) -> Approval | None:
        now = self._clock.now()
        async with self._database.transaction() as conn:
            claimed = await self._approvals.claim(
                conn,
                approval.id,
                verb=verb,
                person=Person(address=person.address, name=one_line(person.name, 40) or person.address),
                now=now,
                holder=self._holder,
                lease_until=now + LEASE,
            )
            if claimed is not None:
                await self._settling.record(
                    conn, claimed, "approval.decided", person.address, chat=address, name=claimed.decided_name
                )
        return claimed

    async def _late(self, approval: Approval) -> Answer:
        """Somebody was faster, or time was."""
        await self._settling.expire(approval)
        async with self._database.transaction() as conn:
            now = await self._approvals.by_id(conn, approval.id)
        if now is None or now.state is State.PENDING:
            return Answer(text=OUT_OF_DATE, alert=True)
        return Answer(text=too_late(now, self._board.view(now)), alert=True)

    async def _earlier(self, approval: Approval, *, recovering: bool) -> list[Vote]:
        """Attempts that may have gone through although nobody saw it; after a crash the last one too."""
        async with self._database.transaction() as conn:
            votes = await self._approvals.votes(conn, approval)
        return [vote for vote in votes if recovering or vote.attempt < approval.attempt]

    async def _renew(self, approval: Approval) -> None:
        now = self._clock.now()
        async with self._database.transaction() as conn:
            await self._approvals.renew(conn, approval.id, holder=self._holder, until=now + LEASE, now=now)

    async def _moved(self, approval: Approval, error: Conflict) -> str:
        """Where the run stands now, as far as the kernel says."""
        if not error.untouched:
            return sentence(error, 300)
        if approval.kind is not Kind.GATE:
            return f"Not done: {sentence(error, 300)}"
        since: datetime | None = None
        try:
            since = (await self._projects.of(approval.project).run(approval.run)).phase_at
        except DemarchError as unreadable:
            log.info("decision.run_unreadable", run=approval.run, reason=str(unreadable))
        return moved_on(error.now or "another phase", since, self._board.view(approval))

    async def _finish(self, approval: Approval, result: Result, address: str) -> Answer:
        ended = await self._settling.finish(approval, result, address)
        if ended is None:
            return await self._late(approval)
        if result.vote is not None and result.vote.attempt != approval.attempt:
            return Answer(text=decided(ended, self._board.view(ended)), alert=True)
        if ended.state is State.PENDING:
            return Answer(text=result.outcome, alert=True)
        verb = ended.verb or Verb.APPROVE
        return Answer(text=f"{PAST[verb].capitalize()}: {ended.outcome}")

    async def _close(self, approval: Approval, outcome: str, *, answered: bool) -> Answer:
        await self._settling.close(approval, outcome, answered=answered)
        return Answer(text=outcome, alert=True)

    async def _fail(self, approval: Approval, error: str) -> Answer:
        await self._settling.fail(approval, error)
        return Answer(text=error, alert=True)
