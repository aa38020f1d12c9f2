"""What happens to approvals without a person: they expire, and decisions a crash cut off are finished."""

import asyncio
from uuid import UUID

import structlog

from host.decisions.approvals_store import Approvals
from host.decisions.deciding import LEASE, Deciding
from host.decisions.errands import first
from host.decisions.settling import Settling
from storage.clock import Clock
from storage.database import Database

log = structlog.get_logger()

LONGEST = 30.0  #: seconds between two looks; the table is the truth, so a restart keeps every timer
SHORTEST = 0.05
RECOVERY = 10.0  #: seconds the start waits for what a crash cut off


class Expiry:
    """The loop behind the desk."""

    def __init__(
        self,
        *,
        database: Database,
        approvals: Approvals,
        deciding: Deciding,
        settling: Settling,
        clock: Clock,
        holder: str,
    ) -> None:
        self._database = database
        self._approvals = approvals
        self._deciding = deciding
        self._settling = settling
        self._clock = clock
        self._holder = holder
        self._changed = asyncio.Event()
        self._tasks: asyncio.TaskGroup | None = None
        self._taking_over: set[UUID] = set()

    def wake(self) -> None:
        """A question was put whose time may end before the next look."""
        self._changed.set()

    async def recover(self) -> None:
        """At start, before any tap: finish what was decided and acknowledged when we went down."""
        async with self._database.transaction() as conn:
            left = await self._approvals.abandoned(conn, self._clock.now(), self._holder)
        async with asyncio.TaskGroup() as tasks:
            work = tasks.create_task(self._take_over_all([approval.id for approval in left]))
            await first(work, self._clock.sleep(RECOVERY))
            if not work.done():
                # A kernel that hangs keeps nobody from starting: it is gone on with when the leases run out.
                log.warning("recovery.later", decisions=len(left))
                work.cancel()

    async def _take_over_all(self, approvals: list[UUID]) -> None:
        async with asyncio.TaskGroup() as tasks:
            for approval in approvals:
                tasks.create_task(self._take_over(approval))

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            try:
                await self._run()
            finally:
                self._tasks = None

    async def _run(self) -> None:
        while True:
            self._changed.clear()
            try:
                pause = await self.look()
            except Exception:  # whatever it was, the other questions still have to expire
                log.exception("expiry.failed")
                pause = LONGEST
            await self._wait(pause)

    async def look(self) -> float:
        """Expire what is due, take over what nobody holds any more; seconds until the next."""
        now = self._clock.now()
        async with self._database.transaction() as conn:
            due = await self._approvals.due(conn, now)
            left = await self._approvals.abandoned(conn, now, "")
        for approval in due:
            await self._settling.expire(approval)
        for approval in left:
            if await self._deciding.goes_on(approval):
                continue  # one try may take longer than a lease
            # In the loop a kernel that hangs keeps no other question from expiring.
            if self._tasks is None:
                await self._take_over(approval.id)
            elif approval.id not in self._taking_over:
                self._tasks.create_task(self._taken_over(approval.id))
        async with self._database.transaction() as conn:
            next_due = await self._approvals.next_due(conn)
        if next_due is None:
            return LONGEST
        return min(LONGEST, max(SHORTEST, (next_due - self._clock.now()).total_seconds()))

    async def _taken_over(self, approval_id: UUID) -> None:
        self._taking_over.add(approval_id)
        try:
            await self._take_over(approval_id)
        except Exception:  # its lease runs out again, and then it is tried again
            log.exception("expiry.failed", approval=str(approval_id))
        finally:
            self._taking_over.discard(approval_id)

    async def _take_over(self, approval_id: UUID) -> None:
        now = self._clock.now()
        async with self._database.transaction() as conn:
            held = await self._approvals.renew(
                conn, approval_id, holder=self._holder, until=now + LEASE, now=now
            )
        if held is not None:
            log.info("decision.recovered", code=held.code, verb=held.verb)
            await self._deciding.carry_out(held, held.address, recovering=True)

    async def _wait(self, seconds: float) -> None:
        async with asyncio.TaskGroup() as tasks:
            alarm = tasks.create_task(self._clock.sleep(seconds))
            alarm.add_done_callback(lambda _: self._changed.set())
            await self._changed.wait()
            alarm.cancel()
