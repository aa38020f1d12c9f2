"""The digest: what happened since the last one, what runs and what waits, in one message."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, tzinfo

import structlog
from asyncpg.protocol import Record

from bridges.messages import Content
from host.news.wishes import Digest, Wishes, digest_of
from host.outgoing.outbox import Outbox, PostKind
from host.people.registry import Registry
from host.phrases import count
from host.times import moment
from storage import sql
from storage.clock import Clock
from storage.database import Connection, Database
from storage.errors import StorageError

log = structlog.get_logger()

POLL = 30.0  #: seconds; what another process or a clock change moved is seen by then
MOST = 30  #: lines of a digest

_SQL = sql.load("host", "news")

StatusPage = Callable[[str], Awaitable[Content]]


class Digests:
    """Sends each when it is due: its lines are taken, told and the next time set in one transaction."""

    def __init__(
        self,
        *,
        database: Database,
        wishes: Wishes,
        outbox: Outbox,
        registry: Registry,
        status: StatusPage,
        clock: Clock,
        zone: tzinfo,
    ) -> None:
        self._database = database
        self._wishes = wishes
        self._outbox = outbox
        self._registry = registry
        self._status = status
        self._clock = clock
        self._zone = zone

    async def run(self) -> None:
        """Send until cancelled. One that was due while nobody ran comes at once, and once."""
        while True:
            try:
                while await self.send_due():
                    pass
                due: datetime | None = await self._database.fetchval(_SQL["news.next_digest"])
            except StorageError as error:
                log.warning("digest.waits", reason=str(error))
                due = None
            now = self._clock.now()
            await self._clock.sleep(POLL if due is None else min(POLL, max(1.0, (due - now).total_seconds())))

    async def send_due(self) -> bool:
        """Send one that is due; False when none is."""
        folder = await self._due()
        if folder is None:
            return False
        page = await self._page(folder)
        async with self._database.transaction() as conn:
            now = self._clock.now()
            row = await conn.fetchrow(_SQL["news.due_digest"], now)
            if row is None or row["folder"] != folder:
                return row is not None
            digest = digest_of(row)
            addresses = await self._tell(conn, digest, page, now)
            await conn.execute(
                _SQL["news.digested"], folder, now, digest.schedule.next_after(now, self._zone)
            )
        for address in addresses:
            self._outbox.wake(address)
        return True

    async def now(self, folder: str) -> Content:
        """The digest as it would be at this moment; its lines stay for the one that is due."""
        page = await self._page(folder)
        lines = await self._database.fetch(_SQL["news.kept_lines"], folder)
        digest = await self._wishes.digest(folder)
        since = digest.since if digest else None
        return Content(text=_text(lines, page, self._since(since)), silent=True)

    async def end(self, folder: str) -> Content | None:
        """Take the digest away; what it held is told. None when there was none."""
        async with self._database.transaction() as conn:
            if not await self._wishes.drop_digest(conn, folder):
                return None
            lines = await conn.fetch(_SQL["news.take_lines"], folder)
        said = "No digest any more: what happens is told at once again."
        return Content(text="\n\n".join([said, _happened(lines)]) if lines else said)

    async def _due(self) -> str | None:
        async with self._database.transaction() as conn:
            row = await conn.fetchrow(_SQL["news.due_digest"], self._clock.now())
        return None if row is None else str(row["folder"])

    async def _page(self, folder: str) -> str:
        """What /status says, without its picture. It asks the kernel, so no transaction waits for it."""
        async with asyncio.timeout(10):
            return (await self._status(folder)).text

    async def _tell(self, conn: Connection, digest: Digest, page: str, now: datetime) -> Sequence[str]:
        lines = await conn.fetch(_SQL["news.take_lines"], digest.folder)
        group = self._registry.group(digest.folder)
        if group is None:
            return ()
        content = Content(text=_text(lines, page, self._since(digest.since)))
        for address in group.addresses:
            await self._outbox.put(
                conn,
                address=address,
                kind=PostKind.NOTICE,
                content=content,
                folder=group.folder,
                slot=f"digest:{digest.next_at.isoformat()}:{address}",
            )
        return group.addresses

    def _since(self, since: datetime | None) -> str:
        return moment(since, self._clock.now(), self._zone) if since else ""


def _text(lines: Sequence[Record], page: str, since: str) -> str:
    heading = f"📰 Since {since}" if since else "📰 Digest"
    return "\n\n".join([f"{heading}\n{_happened(lines)}", page])


def _happened(lines: Sequence[Record]) -> str:
    if not lines:
        return "Nothing happened that was not told."
    shown = [
        line["text"] + (f" ({line['times']} moves)" if line["times"] > 1 else "") for line in lines[-MOST:]
    ]
    earlier = len(lines) - len(shown)
    return "\n".join(([f"{count(earlier, 'earlier line')} left out."] if earlier else []) + shown)
