"""How the host is, part by part, in words: for /readyz, for the bar on top of the page, for the metrics.

Implements `bridges.web.port.Health`.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

import structlog

from bridges.web.port import PartHealth, Readiness
from host.metrics import Metrics
from storage.clock import Clock

log = structlog.get_logger()

#: asks one part; a sentence when it is not well, "" when it is. Anything raised counts as not well.
Check = Callable[[], Awaitable[str]]

PATIENCE = 3.0  #: seconds a part may take to answer
EVERY = 10.0  #: seconds between two looks without being asked


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    name: str  #: "database", "sandbox", "kernel", "bridge:tg"
    check: Check
    banner: str = ""  #: how the page's bar begins ("Telegram")
    note: Callable[[], str] = str  #: what is to be said of it even when it is well
    needed: bool = True  #: without it the host is not ready; else it is degraded, which is told as well


class Condition:
    """Asks every part, remembers the answers, and tells when they change."""

    def __init__(
        self,
        *,
        parts: Sequence[Part],
        metrics: Metrics,
        clock: Clock,
        notes: Sequence[str] = (),
        changed: Callable[[], None] = lambda: None,
        more_metrics: Callable[[], bytes] = bytes,
    ) -> None:
        self._parts = parts
        self._metrics = metrics
        self._clock = clock
        self._notes = tuple(notes)  #: what stays true while the host runs ("Agents are not isolated…")
        self._changed = changed
        self._more_metrics = more_metrics  #: of a part that keeps its own
        self._known: Mapping[str, PartHealth] = {}
        self._serving = False

    def serving(self, *, on: bool) -> None:
        """Ready only between the end of the start and the beginning of the stop."""
        self._serving = on

    async def ready(self) -> Readiness:
        known = await self._look()
        well = all(known[part.name].ok for part in self._parts if part.needed)
        return Readiness(ready=self._serving and well, parts=known)

    def metrics(self) -> bytes:
        return self._metrics.text() + self._more_metrics()

    def banner(self) -> Sequence[str]:
        """One sentence per thing that is degraded, by the last look."""
        parts = {part.name: part for part in self._parts}
        degraded = [
            f"{parts[name].banner or name.capitalize()}: {health.reason}"
            for name, health in self._known.items()
            if not health.ok
        ]
        return [*self._notes, *degraded]

    async def run(self) -> None:
        """Look from time to time, so that the page and the metrics know without asking."""
        while True:
            await self._look()
            await self._clock.sleep(EVERY)

    async def _look(self) -> Mapping[str, PartHealth]:
        async with asyncio.TaskGroup() as tasks:
            asked = {part.name: tasks.create_task(_ask(part)) for part in self._parts}
        known = {name: task.result() for name, task in asked.items()}
        for name, health in known.items():
            self._metrics.ready.labels(name).set(health.ok)
        if known != self._known:
            self._tell(known)
        return known

    def _tell(self, known: Mapping[str, PartHealth]) -> None:
        for name, health in known.items():
            if health != self._known.get(name):
                log.info("part.changed", part=name, ok=health.ok, reason=health.reason)
        self._known = known
        self._changed()


async def _ask(part: Part) -> PartHealth:
    try:
        async with asyncio.timeout(PATIENCE):
            reason = await part.check()
    except TimeoutError:
        reason = f"no answer within {PATIENCE:g} s"
    except Exception as error:  # noqa: BLE001 - whatever a part raises means that it is not well
        reason = str(error) or type(error).__name__
    return PartHealth(ok=not reason, reason=reason or part.note())
