"""Looks at the active runs now and then for what no event tells: a phase that lasts, a budget used up."""

import asyncio
from collections.abc import Mapping

import structlog

from demarch.errors import DemarchError
from demarch.kernel import Kernel, KernelEvent, Run
from demarch.notices import Notice, NoticeKind
from host.decisions.desk import Desk
from host.news.pictures import Painter
from host.news.seen import Seen
from host.news.telling import Telling
from host.news.told import Told
from storage.clock import Clock
from storage.database import Connection, Database
from storage.errors import StorageError

log = structlog.get_logger()

EVERY = 60.0  #: seconds
RUNS = 100  #: of a project that are looked at
SOURCE = "watch"  #: of what has no event of its own
_NOTHING: Mapping[str, int] = {}


class Watch:
    """One for each project. What it tells is marked in the same transaction, so it is told once."""

    def __init__(
        self,
        *,
        database: Database,
        kernel: Kernel,
        project: str,
        telling: Telling,
        seen: Seen,
        desk: Desk,
        painter: Painter,
        clock: Clock,
        stale_after: float,
        picture_patience: float,
    ) -> None:
        self._database = database
        self._kernel = kernel
        self._project = project
        self._telling = telling
        self._seen = seen
        self._desk = desk
        self._painter = painter
        self._clock = clock
        self._stale_after = stale_after  #: seconds in one phase; 0 tells nobody
        self._picture_patience = picture_patience

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            await self._clock.sleep(EVERY)
            try:
                await self.look()
            except (DemarchError, StorageError) as error:
                log.warning("watch.waits", project=self._project, reason=str(error))
            except Exception:  # what one look could not do the next one may
                log.exception("watch.failed", project=self._project)

    async def look(self) -> None:
        known = await self._seen.runs(self._project)
        active = (await self._kernel.runs(active=True))[:RUNS]
        for run in active:
            try:
                await self._look_at(await self._kernel.run(run.id))
            except DemarchError as error:
                log.info("watch.run_unreadable", run=run.id, reason=str(error))
            except StorageError:
                raise
            except Exception:  # one run must not keep the others from being looked at
                log.exception("watch.run_failed", project=self._project, run=run.id)
        if len(active) < RUNS:
            # Only what was known before: a run that began meanwhile may have been told of already.
            await self._seen.forget(self._project, known - {run.id for run in active})

    async def _look_at(self, run: Run) -> None:
        if run.status != "active":
            return
        picture = await self._picture(run)
        told = Told()
        async with self._database.transaction() as conn:
            for notice in await self._notices(conn, run):
                await self._telling.tell(conn, notice, self._project, picture, told)
            await self._telling.record(conn, told)
        self._desk.asked(told.addresses)

    async def _notices(self, conn: Connection, run: Run) -> list[Notice]:
        """What there is to say just now; Telling says each of it once."""
        now = self._clock.now()
        lasts = (now - await self._seen.in_phase(conn, self._project, run, now)).total_seconds()
        notices = []
        if self._stale_after and lasts >= self._stale_after:
            notices.append(self._notice(NoticeKind.RUN_STALE, run, {"seconds": int(lasts)}))
        if run.budget and run.used >= run.budget:
            notices.append(self._notice(NoticeKind.BUDGET_EXCEEDED, run))
        elif run.budget and run.used * 100 >= run.budget * run.warn_pct:
            notices.append(self._notice(NoticeKind.BUDGET_WARNING, run))
        return notices

    def _notice(self, kind: NoticeKind, run: Run, data: Mapping[str, int] = _NOTHING) -> Notice:
        now = self._clock.now()
        event = KernelEvent(id=0, source=SOURCE, type=kind.value, run_id=run.id, timestamp=now)
        return Notice(kind=kind, event=event, run=run, from_phase=run.phase, to_phase=run.phase, data=data)

    async def _picture(self, run: Run) -> bytes | None:
        if not run.budget or run.used < run.budget:
            return None
        if await self._seen.knows_exceeded(self._project, run):
            return None
        try:
            async with asyncio.timeout(self._picture_patience):
                return await self._painter.burn(run, self._clock.now())
        except TimeoutError:
            return None
