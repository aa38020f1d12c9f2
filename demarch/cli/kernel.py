"""The kernel CLI as a kernel: a thin front over the probe, reads, writes and events of one project."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from demarch.cli import research, runs
from demarch.cli.events import Events
from demarch.cli.follow import Follower
from demarch.cli.overview import OVERVIEW
from demarch.cli.probe import Probe
from demarch.cli.process import Runner
from demarch.cli.reads import READS, Reading
from demarch.cli.surroundings import surroundings
from demarch.cli.writes import Writes
from demarch.errors import NotPossible
from demarch.kernel import Capabilities, Discovery, KernelEvent, KernelState, Marks, Outcome, Run
from demarch.operations import Call
from storage.clock import Clock
from storage.database import Database

_READS = {**READS, **OVERVIEW}


class CliKernel:
    """Implements `demarch.kernel.Kernel` with the binaries `ic` and `bd`, run in the project's folder."""

    def __init__(
        self,
        project: Path,
        db: Database,
        clock: Clock,
        *,
        home: Path | None = None,
        environment: Mapping[str, str] | None = None,
        patience: float = 1.0,
    ) -> None:
        """`environment` is the one of this program; commands get the harmless part of it.

        `patience` stretches how long every command may take.
        """
        self.project = project
        self.runner = Runner(project, surroundings(environment or {}, home), patience=patience)
        self._clock = clock
        self._probe = Probe(self.runner, clock)
        self._events = Events(self.runner)
        #: the signal that something happened; whoever reads the events runs it
        self.follower = Follower(self.runner, clock, self._events.head)
        self._writes = Writes(self.runner, db, clock, str(project))

    async def state(self) -> KernelState:
        trouble = await self._probe.trouble()
        return KernelState(ok=not trouble, reason=trouble)

    def capabilities(self) -> Capabilities:
        return self._probe.capabilities

    async def read(self, call: Call) -> Outcome:
        answer = _READS.get(call.operation.name)
        if answer is None:
            raise NotPossible(f"{call.operation.name} is not a read.")
        return await answer(Reading(self.runner, self._events, self._clock.now()), call.params)

    async def write(self, call: Call, *, actor: str, key: str) -> Outcome:
        return await self._writes.write(call, actor=actor, key=key)

    async def written(self, key: str) -> Outcome | None:
        return await self._writes.written(key)

    async def run(self, run_id: str) -> Run:
        return await runs.load(self.runner, run_id)

    async def runs(self, *, active: bool = True) -> Sequence[Run]:
        return await runs.told(self.runner, active=active)

    async def discovery(self, discovery_id: str) -> Discovery:
        return research.discovery_of(await research.get(self.runner, discovery_id))

    async def discoveries(self, *, status: str, limit: int) -> Sequence[Discovery]:
        found = await research.listed(self.runner, status=status, limit=limit)
        return [research.discovery_of(data) for data in found]

    async def head(self) -> Marks:
        return await self._events.head()

    async def events(self, marks: Marks, limit: int) -> Sequence[KernelEvent]:
        return await self._events.behind(marks, limit)
