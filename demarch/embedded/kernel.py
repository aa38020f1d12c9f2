"""The kernel that needs nothing but PostgreSQL: the same operations and events, one transaction a write."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from pathlib import Path

from demarch.embedded import discoveries, events, retention, runs
from demarch.embedded.ledger import Change, Ledger, Work, reachable
from demarch.embedded.reads import READS, Reading
from demarch.embedded.writes import WRITES
from demarch.errors import KernelUnavailable, NotPossible
from demarch.kernel import Capabilities, Discovery, KernelEvent, KernelState, Marks, Outcome, Run
from demarch.names import Letters, random_letters
from demarch.operations import Call
from storage.clock import Clock
from storage.database import Database

#: how far each reader of the log has read it
Readers = Callable[[], Awaitable[Sequence[Marks]]]


class EmbeddedKernel:
    """Implements `demarch.kernel.Kernel` on the tables of the schema `kernel`."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        *,
        letters: Letters = random_letters,
        project: Path | None = None,
        patience: float = 20.0,
        readers: Readers | None = None,
    ) -> None:
        """`project` is where artifacts' files are read; `patience` how long `written` waits for a write.

        `readers` tells how far each of those has read the log that keep a mark in it.
        """
        self._db = db
        self._clock = clock
        self._project = project
        self._readers = readers
        self._ledger = Ledger(db, clock, letters, patience)

    async def state(self) -> KernelState:
        try:
            with reachable():
                await events.head(self._db)
        except KernelUnavailable as error:
            return KernelState(ok=False, reason=str(error))
        return KernelState(ok=True)

    def capabilities(self) -> Capabilities:
        """Everything: its code and its tables are of one version."""
        return Capabilities()

    async def read(self, call: Call) -> Outcome:
        answer = READS.get(call.operation.name)
        if answer is None:
            raise NotPossible(f"{call.operation.name} is not a read.")
        with reachable():
            return await answer(Reading(self._db, self._clock.now(), self._project), call.params)

    async def write(self, call: Call, *, actor: str, key: str) -> Outcome:
        execute = WRITES.get(call.operation.name)
        if execute is None:
            raise NotPossible(f"{call.operation.name} is not a write.")
        return await self._ledger.execute(lambda change: execute(change, call.params), actor=actor, key=key)

    async def written(self, key: str) -> Outcome | None:
        return await self._ledger.written(key)

    async def run(self, run_id: str) -> Run:
        with reachable():
            return await runs.with_curve(self._db, await runs.get(self._db, run_id))

    async def runs(self, *, active: bool = True) -> Sequence[Run]:
        """The youngest hundred, without their curves."""
        with reachable():
            return [runs.run_of(row) for row in await runs.listed(self._db, active=active)]

    async def discovery(self, discovery_id: str) -> Discovery:
        with reachable():
            return discoveries.discovery_of(await discoveries.get(self._db, discovery_id))

    async def discoveries(self, *, status: str, limit: int) -> Sequence[Discovery]:
        with reachable():
            rows = await discoveries.best(self._db, status, limit)
            return [discoveries.discovery_of(row) for row in rows]

    async def head(self) -> Marks:
        with reachable():
            return await events.head(self._db)

    async def events(self, marks: Marks, limit: int) -> Sequence[KernelEvent]:
        with reachable():
            return await events.behind(self._db, marks, limit)

    async def prune(self, before: datetime, *, actor: str, key: str) -> int:
        """Remove old events that every reader has read, in slices; how many went. See `retention`."""
        if self._readers is None:
            raise NotPossible("Nobody knows who still reads the log, so nothing is removed from it.")
        with reachable():
            readers = await self._readers()
        removed = 0
        while True:
            outcome = await self.change(_prune(before, readers), actor=actor, key=f"{key}/{removed}")
            if not outcome.data["removed"]:
                return removed
            removed += int(outcome.data["removed"])

    async def change(self, work: Work, *, actor: str, key: str) -> Outcome:
        """For the terminal: a write that is no operation of the table, with the same guarantees."""
        return await self._ledger.execute_alone(work, actor=actor, key=key)

    async def look(self, read: Callable[[Reading], Awaitable[Outcome]]) -> Outcome:
        """For the terminal: a read that is no operation of the table."""
        with reachable():
            return await read(Reading(self._db, self._clock.now(), self._project))


def _prune(before: datetime, readers: Sequence[Marks]) -> Work:
    async def work(change: Change) -> Outcome:
        removed = await retention.prune(change, before, readers)
        return Outcome(text="", data={"removed": removed})

    return work
