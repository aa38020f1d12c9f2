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

PATIENCE = 10.0  #: seconds for what /status says
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
            await self._clock.sleep(self._pause(due))

    def _pause(self, due: datetime | None) -> float:
        """Until the next one; one that is still due could not be told just now."""
        seconds = POLL if due is None else (due - self._clock.now()).total_seconds()
        return min(POLL, max(1.0, seconds)) if seconds > 0 else POLL

    async def send_due(self) -> bool:
        """Send those that are due; False when none was."""
        due = await self._database.fetch(_SQL["news.due_digests"], self._clock.now())
        sent = False
        for row in due:
            try:
                sent |= await self._send(row["folder"])
            except StorageError:
                raise
            except Exception:  # one that cannot be told must not silence those of other groups
                log.exception("digest.failed", folder=row["folder"])
        return sent

    async def _send(self, folder: str) -> bool:
        """False when it was told or taken away meanwhile."""
        page = await self._page(folder)
        async with self._database.transaction() as conn:
            now = self._clock.now()
            row = await conn.fetchrow(_SQL["news.due_digest"], folder, now)
            if row is None:
                return False
            digest = digest_of(row)
            addresses = await self._tell(conn, digest, page)
            await conn.execute(
                _SQL["news.digested"], folder, now, digest.schedule.next_after(now, self._zone)
            )
        self.wake(addresses)
        return True

    def wake(self, addresses: Sequence[str]) -> None:
        """After the commit."""
        for address in addresses:
            self._outbox.wake(address)

    async def now(self, folder: str) -> Content:
        """The digest as it would be at this moment; its lines stay for the one that is due."""
        page = await self._page(folder)
        lines = await self._database.fetch(_SQL["news.kept_lines"], folder, MOST)
        digest = await self._wishes.digest(folder)
        since = digest.since if digest else None
        return Content(text=_text(lines, page, self._since(since)), silent=True)

    async def end(self, conn: Connection, folder: str) -> Sequence[str] | None:
        """Take the digest away; what it held is told in the same transaction.

        Returns the addresses to wake after it; None when there was no digest.
        """
        if not await self._wishes.drop_digest(conn, folder):
            return None
        lines = await conn.fetch(_SQL["news.take_lines"], folder, MOST)
        return await self._put(conn, folder, f"📰 Not told yet\n{_happened(lines)}") if lines else ()

    async def _page(self, folder: str) -> str:
        """What /status says, without its picture. It asks the kernel, so no transaction waits for it."""
        try:
            async with asyncio.timeout(PATIENCE):
                return (await self._status(folder)).text
        except TimeoutError:
            log.warning("digest.without_status", folder=folder)
            return "What runs and what waits could not be found out in time; /status tells."

    async def _tell(self, conn: Connection, digest: Digest, page: str) -> Sequence[str]:
        lines = await conn.fetch(_SQL["news.take_lines"], digest.folder, MOST)
        return await self._put(conn, digest.folder, _text(lines, page, self._since(digest.since)))

    async def _put(self, conn: Connection, folder: str, text: str) -> Sequence[str]:
        """To every chat of the group, none of which may be left."""
        group = self._registry.group(folder)
        addresses = group.addresses if group else ()
        for address in addresses:
            await self._outbox.put(
                conn,
                address=address,
                kind=PostKind.NOTICE,
                content=Content(text=text),
                folder=folder,
            )
        return addresses

    def _since(self, since: datetime | None) -> str:
        return moment(since, self._clock.now(), self._zone) if since else ""


def _text(lines: Sequence[Record], page: str, since: str) -> str:
    heading = f"📰 Since {since}" if since else "📰 Digest"
    return "\n\n".join([f"{heading}\n{_happened(lines)}", page])


def _happened(lines: Sequence[Record]) -> str:
    """The newest line comes first here and stands last."""
    if not lines:
        return "Nothing happened that was not told."
    shown = [
        line["text"] + (f" ({line['times']} moves)" if line["times"] > 1 else "") for line in reversed(lines)
    ]
    earlier = lines[0]["kept"] - len(lines)
    return "\n".join(([f"{count(earlier, 'earlier line')} left out."] if earlier else []) + shown)
