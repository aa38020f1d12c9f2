"""A kernel with the faults of the field: silent, silent after the deed, held up, unsure."""

import asyncio
from collections import deque
from collections.abc import Sequence
from enum import StrEnum

from demarch.embedded import EmbeddedKernel
from demarch.kernel import (
    Capabilities,
    Conflict,
    Discovery,
    EvidenceUnknown,
    KernelEvent,
    KernelState,
    KernelUnavailable,
    Marks,
    Outcome,
    Run,
)
from demarch.operations import Call


class Fault(StrEnum):
    NONE = "none"
    SILENT = "silent"  #: nothing happened, no answer
    LOST = "lost"  #: it happened, the answer was lost
    UNSURE = "unsure"  #: nobody can say
    ASTRAY = "astray"  #: something else was done, and taken back


class FaultyKernel:
    """Implements the port on the embedded kernel; `plan` holds the faults of the next writes."""

    def __init__(self, kernel: EmbeddedKernel) -> None:
        self._kernel = kernel
        self.plan: deque[Fault] = deque()
        self.blind = False  #: `written` cannot say
        self.down = False  #: every call fails
        self.absent: dict[str, str] = {}  #: operations it lacks, with the reason
        self.mended = False  #: the next look finds that nothing is absent any more
        self.hold: asyncio.Event | None = None  #: writes wait for it before the deed
        self.hold_after: asyncio.Event | None = None  #: and for this one after it
        self.arrived = asyncio.Event()  #: a write waits
        self.executed: list[str] = []  #: keys of writes that changed something, in order

    async def state(self) -> KernelState:
        if self.mended:
            self.absent = {}
        return await self._kernel.state()

    def capabilities(self) -> Capabilities:
        return Capabilities(absent=dict(self.absent))

    async def read(self, call: Call) -> Outcome:
        self._check()
        return await self._kernel.read(call)

    async def write(self, call: Call, *, actor: str, key: str) -> Outcome:
        self._check()
        fault = self.plan.popleft() if self.plan else Fault.NONE
        await self._wait(self.hold)
        if fault is Fault.SILENT:
            raise KernelUnavailable("The kernel did not answer.")
        if fault is Fault.UNSURE:
            raise EvidenceUnknown("The kernel went away in the middle.")
        if fault is Fault.ASTRAY:
            raise Conflict("The run had moved on; the step was taken back.", now="polish", untouched=False)
        new = await self._kernel.written(key) is None
        outcome = await self._kernel.write(call, actor=actor, key=key)
        if new:
            self.executed.append(key)
        await self._wait(self.hold_after)
        if fault is Fault.LOST:
            raise KernelUnavailable("The kernel did not answer.")
        return outcome

    async def written(self, key: str) -> Outcome | None:
        self._check()
        if self.blind:
            raise EvidenceUnknown("The log was cut.")
        return await self._kernel.written(key)

    async def run(self, run_id: str) -> Run:
        self._check()
        return await self._kernel.run(run_id)

    async def runs(self, *, active: bool = True) -> Sequence[Run]:
        self._check()
        return await self._kernel.runs(active=active)

    async def discovery(self, discovery_id: str) -> Discovery:
        self._check()
        return await self._kernel.discovery(discovery_id)

    async def discoveries(self, *, status: str, limit: int) -> Sequence[Discovery]:
        self._check()
        return await self._kernel.discoveries(status=status, limit=limit)

    async def head(self) -> Marks:
        return await self._kernel.head()

    async def events(self, marks: Marks, limit: int) -> Sequence[KernelEvent]:
        return await self._kernel.events(marks, limit)

    def _check(self) -> None:
        if self.down:
            raise KernelUnavailable("The kernel is down.")

    async def _wait(self, held: asyncio.Event | None) -> None:
        if held is not None:
            self.arrived.set()
            await held.wait()
