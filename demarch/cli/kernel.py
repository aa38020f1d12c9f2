"""The kernel CLI as a kernel: a thin front over reads, writes and events of one project."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from demarch.cli.process import Runner
from demarch.cli.surroundings import surroundings
from demarch.errors import NotPossible
from demarch.kernel import Capabilities, Discovery, KernelEvent, KernelState, Marks, Outcome, Run
from demarch.operations import Call
from storage.clock import Clock
from storage.database import Database


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
    ) -> None:
        """`environment` is the one of this program; commands get the harmless part of it."""
        self.project = project
        self.runner = Runner(project, surroundings(environment or {}, home))
        self._db = db
        self._clock = clock
        # Writes (package B): self._writes = Writes(self.runner, db, clock, str(project))
        # Events (package C): self._events = Events(self.runner)

    async def state(self) -> KernelState:
        return KernelState(ok=True)

    def capabilities(self) -> Capabilities:
        return Capabilities()

    async def read(self, call: Call) -> Outcome:
        raise NotPossible(f"{call.operation.name} is not a read.")

    async def write(self, call: Call, *, actor: str, key: str) -> Outcome:
        raise NotPossible(f"{call.operation.name} is not a write.")

    async def written(self, key: str) -> Outcome | None:
        raise NotPossible("")

    async def run(self, run_id: str) -> Run:
        raise NotPossible("")

    async def runs(self, *, active: bool = True) -> Sequence[Run]:
        raise NotPossible("")

    async def discovery(self, discovery_id: str) -> Discovery:
        raise NotPossible("")

    async def discoveries(self, *, status: str, limit: int) -> Sequence[Discovery]:
        raise NotPossible("")

    async def head(self) -> Marks:
        raise NotPossible("")

    async def events(self, marks: Marks, limit: int) -> Sequence[KernelEvent]:
        raise NotPossible("")
