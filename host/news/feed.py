"""The consumer of a kernel's events: each is told exactly once, because marks and posts commit together."""

import asyncio
from collections.abc import Sequence
from typing import Protocol

import structlog

from demarch.errors import DemarchError
from demarch.feed import Batch, Feed, passed
from demarch.kernel import Marks
from demarch.notices import DiscoveryNotice, Notice, NoticeKind
from demarch.reading import Unreadable
from host.decisions.desk import Desk
from host.news.feed_marks import FeedMarks, MarksMoved
from host.news.obstacle import Obstacle
from host.news.pictures import Painter
from host.news.telling import Telling
from host.news.told import Told
from storage.clock import Clock
from storage.database import Connection, Database
from storage.errors import StorageError
from storage.wakeups import notify

log = structlog.get_logger()

CHANNEL = "kernel_events"
POLL = 5.0
BATCH = 50


class Signal(Protocol):
    """Shortens the wait for the next look: a subscriber of storage wakeups, a follower of a kernel's log."""

    async def wait(self, clock: Clock, poll_every: float, /) -> object:
        """Until there may be something new, `poll_every` seconds at the latest."""
        ...

    def close(self) -> None: ...


class Triage(Protocol):
    """Tells people of discoveries. It may hear of one several times, and asks about it once."""

    async def tell_discovery(
        self, conn: Connection, notice: DiscoveryNotice, project: str, told: Told
    ) -> None: ...


class FeedConsumer:
    """Reads one project's log."""

    def __init__(
        self,
        *,
        database: Database,
        feed: Feed,
        telling: Telling,
        desk: Desk,
        painter: Painter,
        clock: Clock,
        picture_patience: float,
        project: str = "",
        triage: Triage | None = None,
    ) -> None:
        self._database = database
        self._feed = feed
        self._telling = telling
        self._desk = desk
        self._painter = painter
        self._clock = clock
        self._picture_patience = picture_patience  #: seconds a card waits for its picture
        self._project = project
        self._triage = triage
        self._marks = FeedMarks(database, project)
        self._obstacle = Obstacle(clock, BATCH)

    async def run(self, signal: Signal) -> None:
        """Read until cancelled: woken by the kernel, and by a slow poll as the truth."""
        try:
            while True:
                await self._drain()
                await signal.wait(self._clock, POLL)
        finally:
            signal.close()

    async def step(self) -> int:
        """Tell what is behind the marks; how many events that were. The first time only sets the marks."""
        marks = await self._marks.read()
        if marks is None:
            await self._marks.seed(await self._feed.head())
            return 0
        batch = await self._feed.read(marks, self._obstacle.limit)
        if batch.events or batch.start != marks:
            batch = _before_picture(batch)
            await self._tell(batch, marks)
        return batch.events

    async def _drain(self) -> None:
        try:
            while await self.step():
                self._obstacle.passed()
        except Unreadable as error:
            log.warning("feed.unreadable", source=error.event.source, id=error.event.id, reason=str(error))
            # While the kernel is not well it is not for this event to be passed by.
            if self._obstacle.unreadable(error.event) and await self._feed.well():
                await self._skip()
        except (DemarchError, StorageError, MarksMoved) as error:
            log.warning("feed.waits", project=self._project, reason=str(error))
        except Exception:  # one event must not silence all that follow
            log.exception("feed.failed", project=self._project)
            if self._obstacle.failed():
                await self._skip()

    async def _skip(self) -> None:
        """Pass by the one event that cannot be told."""
        try:
            marks = await self._marks.read() or {}
            beyond = await self._feed.beyond(marks)
            async with self._database.transaction() as conn:
                await self._marks.hold(conn, marks)
                await self._marks.keep(conn, beyond)
            log.error("feed.skipped", project=self._project, marks=dict(beyond))
            self._obstacle.passed()
        except (DemarchError, StorageError, MarksMoved) as error:
            log.warning("feed.waits", project=self._project, reason=str(error))

    async def _tell(self, batch: Batch, marks: Marks) -> None:
        pictures = await self._pictures(batch.notices)
        told = Told()
        async with self._database.transaction() as conn:
            await self._marks.hold(conn, marks)
            for notice in batch.notices:
                picture = pictures.get(notice.run.id)
                await self._telling.tell(conn, notice, self._project, picture, told)
            if self._triage is not None:
                for found in batch.discoveries:
                    await self._triage.tell_discovery(conn, found, self._project, told)
            await self._marks.keep(conn, batch.marks)
            if self._project:  # what happens in the embedded kernel is announced by itself
                await notify(conn, CHANNEL)
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


def _pictured(notice: Notice) -> bool:
    return notice.kind is NoticeKind.BUDGET_EXCEEDED


def _before_picture(batch: Batch) -> Batch:
    """What comes before a card with a picture goes first and does not wait for it."""
    place = next((index for index, notice in enumerate(batch.notices) if _pictured(notice)), 0)
    first = batch.notices[place].event if batch.notices else None
    ahead = [notice for notice in batch.notices[:place] if notice.event != first]
    if not ahead:
        return batch
    # Marks of other sources stay: what they told comes again with the rest.
    reached = passed(batch.start, [notice.event for notice in ahead])
    return Batch(notices=tuple(ahead), start=batch.start, marks=reached, events=len(ahead))
