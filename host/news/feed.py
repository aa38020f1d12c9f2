"""The consumer of the kernel's events: each is told exactly once, because marks and posts commit together."""

import asyncio
from collections.abc import Sequence

import structlog

from demarch.errors import DemarchError
from demarch.feed import Batch, Feed
from demarch.kernel import Marks
from demarch.notices import Notice, NoticeKind
from host.decisions.desk import Desk
from host.news.pictures import Painter
from host.news.telling import Telling, Told
from host.people.registry import Registry
from storage import sql
from storage.clock import Clock
from storage.database import Connection, Database
from storage.errors import StorageError
from storage.wakeups import Wakeups

log = structlog.get_logger()

CHANNEL = "kernel_events"
POLL = 5.0
BATCH = 50
GIVE_UP_AFTER = 3  #: failures at the same place: then that one event is skipped, loudly
SEEDED = ""  #: a source that says that marks were set, whatever sources the kernel has

_SQL = sql.load("host", "feed")


class MarksMoved(Exception):
    """Another reader was faster; what it read is not told twice."""


class FeedConsumer:
    def __init__(
        self,
        *,
        database: Database,
        feed: Feed,
        telling: Telling,
        desk: Desk,
        registry: Registry,
        painter: Painter,
        clock: Clock,
        picture_patience: float,
        project: str = "",
    ) -> None:
        self._database = database
        self._feed = feed
        self._telling = telling
        self._desk = desk
        self._registry = registry
        self._painter = painter
        self._clock = clock
        self._picture_patience = picture_patience  #: seconds a card waits for its picture
        self._project = project
        self._failures = 0

    async def run(self, wakeups: Wakeups) -> None:
        """Read until cancelled: woken by the kernel, and by a slow poll as the truth."""
        wakeup = wakeups.subscribe(CHANNEL)
        try:
            while True:
                await self._drain()
                await wakeup.wait(self._clock, POLL)
        finally:
            wakeup.close()

    async def step(self) -> int:
        """Tell what is behind the marks; how many events that were. The first time only sets the marks."""
        marks = await self._marks(None)
        if marks is None:
            await self._seed()
            return 0
        batch = await self._feed.read(marks, BATCH)
        if batch.events:
            batch = _before_picture(batch, marks)
            await self._tell(batch, marks)
        return batch.events

    async def _drain(self) -> None:
        try:
            while await self.step():
                self._failures = 0
        except (DemarchError, StorageError, MarksMoved) as error:
            log.warning("feed.waits", reason=str(error))
        except Exception:  # one event must not silence all that follow
            log.exception("feed.failed", failures=self._failures)
            self._failures += 1
            if self._failures >= GIVE_UP_AFTER:
                await self._skip()

    async def _skip(self) -> None:
        """Pass by the one event that cannot be told."""
        try:
            marks = await self._marks(None)
            batch = await self._feed.read(marks or {}, 1)
            async with self._database.transaction() as conn:
                await self._keep(conn, batch.marks)
            log.error("feed.skipped", marks=dict(batch.marks))
            self._failures = 0
        except (DemarchError, StorageError) as error:
            log.warning("feed.waits", reason=str(error))

    async def _tell(self, batch: Batch, marks: Marks) -> None:
        pictures = await self._pictures(batch.notices)
        told = Told()
        async with self._database.transaction() as conn:
            if await self._marks(conn) != dict(marks):
                raise MarksMoved("another reader moved the marks")
            group = self._registry.main()
            if group is None or not group.addresses:
                log.warning("feed.nobody_to_tell", notices=len(batch.notices))
            else:
                for notice in batch.notices:
                    await self._telling.tell(conn, notice, group, pictures.get(notice.run.id), told)
            await self._keep(conn, batch.marks)
            await self._telling.record(conn, told)
        self._desk.asked(told.addresses)

    async def _pictures(self, notices: Sequence[Notice]) -> dict[str, bytes | None]:
        """Drawn before the transaction and not for long: a card without one is still a card."""
        runs = {notice.run.id: notice.run for notice in notices if _pictured(notice)}
        if not runs:
            return {}
        now = self._clock.now()
        drawn: dict[str, bytes | None] = {}

        async def draw(run_id: str) -> None:
            drawn[run_id] = await self._painter.burn(runs[run_id], now)

        try:
            async with asyncio.timeout(self._picture_patience), asyncio.TaskGroup() as tasks:
                for run_id in runs:
                    tasks.create_task(draw(run_id))
        except TimeoutError:
            log.warning("feed.pictures_late", runs=len(runs), drawn=len(drawn))
        return drawn

    async def _seed(self) -> None:
        """A first start begins at the head: history is not told."""
        head = await self._feed.head()
        async with self._database.transaction() as conn:
            await self._keep(conn, {SEEDED: 0, **head})

    async def _marks(self, conn: Connection | None) -> dict[str, int] | None:
        """The marks, or None before the first start; locked when read in a transaction."""
        rows = (
            await self._database.fetch(_SQL["feed.marks"], self._project)
            if conn is None
            else await conn.fetch(_SQL["feed.held"], self._project)
        )
        if not rows:
            return None
        return {row["source"]: row["mark"] for row in rows if row["source"] != SEEDED}

    async def _keep(self, conn: Connection, marks: Marks) -> None:
        await conn.execute(_SQL["feed.keep"], self._project, list(marks.keys()), list(marks.values()))


def _pictured(notice: Notice) -> bool:
    return notice.kind is NoticeKind.BUDGET_EXCEEDED


def _before_picture(batch: Batch, marks: Marks) -> Batch:
    """What comes before a card with a picture goes first and does not wait for it."""
    place = next((index for index, notice in enumerate(batch.notices) if _pictured(notice)), 0)
    first = batch.notices[place].event if batch.notices else None
    ahead = [notice for notice in batch.notices[:place] if notice.event != first]
    if not ahead:
        return batch
    reached = dict(marks)
    for notice in ahead:
        source = notice.event.source
        reached[source] = max(reached.get(source, 0), notice.event.id)
    return Batch(notices=tuple(ahead), marks=reached, events=len(ahead))
