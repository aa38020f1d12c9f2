"""The audit log: who did what and when, append-only, chained by HMAC with a key outside the database."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog
from asyncpg import Record

from host.record.audit_chain import Entry, Head, plain, seal
from host.record.audit_files import AuditBroken, AuditFiles
from storage import sql
from storage.clock import Clock
from storage.database import Connection, Database
from storage.errors import DatabaseUnavailable
from storage.wakeups import Wakeups

log = structlog.get_logger()

CHANNEL = "host_audit"
POLL = 30.0  #: seconds; the copy of the head is at most this old when a wake-up is lost
CHUNK = 2000  #: rows checked at once

_SQL = sql.load("host", "audit")


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What `verify` found: fine, or the first entry that is not and how."""

    ok: bool
    entries: int
    words: str
    broken_at: int | None = None


class Audit:
    """Appends inside the caller's transaction: what was rolled back was never recorded."""

    def __init__(self, database: Database, files: AuditFiles, key: bytes, clock: Clock) -> None:
        self._database = database
        self._files = files
        self._key = key
        self._clock = clock

    @classmethod
    async def open(cls, database: Database, folder: Path, clock: Clock) -> "Audit":
        """Read the key, or make it with the very first use. Raises AuditBroken when it got lost."""
        files = AuditFiles(folder)
        key = await asyncio.to_thread(files.key)
        if not await database.fetchval(_SQL["audit.any"]):
            return cls(database, files, await asyncio.to_thread(files.begin), clock)
        if key is None:
            raise AuditBroken(
                f"The audit log has entries but {files.key_file} is gone. Restore it from a backup:"
                " with a new key nobody could tell whether old entries were changed."
            )
        return cls(database, files, key, clock)

    async def record(self, conn: Connection, *, actor: str, action: str, detail: Mapping[str, Any]) -> None:
        """Append one entry. Do it last in a transaction: the head stays locked until it ends."""
        head = _head(await conn.fetchrow(_SQL["audit.lock"]))
        entry = Entry(
            seq=head.seq + 1,
            at=self._clock.now(),
            actor=plain(actor),
            action=action,
            detail=plain(detail),
        )
        mac = seal(self._key, head.mac, entry)
        await conn.execute(
            _SQL["audit.insert"], entry.seq, entry.at, entry.actor, entry.action, entry.detail, mac
        )
        await conn.execute(_SQL["audit.advance"], entry.seq, mac)

    async def settle(self) -> None:
        """Bring the copy of the head up to what is committed."""
        head = _head(await self._database.fetchrow(_SQL["audit.head"]))
        kept = await asyncio.to_thread(self._files.head)
        if head.seq and kept is None:
            # Made anew it would hide that the end was cut off; only the very first start makes it.
            raise AuditBroken(f"{self._files.head_file} is gone. Restore it from a backup.")
        if kept is None or kept.seq < head.seq:
            await asyncio.to_thread(self._files.keep, head)

    async def run(self, wakeups: Wakeups) -> None:
        """Keep the copy of the head fresh until cancelled; many entries cost one write."""
        wakeup = wakeups.subscribe(CHANNEL)
        try:
            while True:
                try:
                    await self.settle()
                except (OSError, AuditBroken, DatabaseUnavailable) as error:
                    log.error("audit.head_not_kept", reason=str(error))
                await wakeup.wait(self._clock, POLL)
        finally:
            wakeup.close()

    async def tail(self, limit: int) -> Sequence[Entry]:
        """The newest entries, oldest of them first."""
        rows = await self._database.fetch(_SQL["audit.tail"], limit)
        return [_entry(row) for row in reversed(rows)]

    async def verify(self) -> Verdict:
        """Recompute the whole chain and compare its end with both heads."""
        try:
            kept = await asyncio.to_thread(self._files.head)
        except AuditBroken as error:
            return Verdict(ok=False, entries=0, words=str(error))
        row = await self._database.fetchrow(_SQL["audit.end"])
        walk = _Walk(self._key, kept, _head(row))
        while walk.fault is None:
            rows = await self._database.fetch(_SQL["audit.between"], walk.seen.seq, walk.head.seq, CHUNK)
            if not rows:
                break
            await asyncio.to_thread(walk.check, rows)
        return walk.fault or walk.close(beyond=row is not None and row["beyond"])


class _Walk:
    """Follows the chain from its start to the head that was there when it began, and stops at a fault."""

    def __init__(self, key: bytes, kept: Head | None, head: Head) -> None:
        self._key = key
        self._kept = kept
        self.head = head
        self.seen = Head(seq=0, mac=b"")
        self.fault: Verdict | None = None

    def check(self, rows: Sequence[Record]) -> None:
        for row in rows:
            if row["seq"] != self.seen.seq + 1:
                self._fail(self.seen.seq + 1, "is missing")
                return
            mac = seal(self._key, self.seen.mac, _entry(row))
            if mac != row["mac"]:
                self._fail(row["seq"], "was changed, or an entry before it was removed or replaced")
                return
            self.seen = Head(seq=row["seq"], mac=mac)
            if self._kept is not None and self._kept.seq == row["seq"] and self._kept.mac != mac:
                self._fail(row["seq"], "is not the one the head file knows")
                return

    def close(self, *, beyond: bool) -> Verdict:
        """Nothing may be missing at the end, and nothing may follow it."""
        count = self.seen.seq
        if self.head.seq != count:
            return self._fail(count + 1, "is missing: the log's head knows of it, so the end was cut off")
        if self._kept is not None and self._kept.seq > count:
            return self._fail(count + 1, "is missing: the head file knows of it, so the end was cut off")
        if self.head.mac != self.seen.mac:
            return self._fail(count, "is not the one the log's head knows")
        if beyond:
            return self._fail(count + 1, "stands behind the log's head and was not written by the host")
        if self._kept is None and count:
            return self._fail(count, "cannot be confirmed: the head file is missing")
        return Verdict(ok=True, entries=count, words=f"All {count} entries are as they were written.")

    def _fail(self, seq: int, how: str) -> Verdict:
        self.fault = Verdict(ok=False, entries=self.seen.seq, words=f"Entry {seq} {how}.", broken_at=seq)
        return self.fault


def _head(row: Record | None) -> Head:
    if row is None:
        raise AuditBroken("The head of the audit log is missing in the database; restore it from a backup.")
    return Head(seq=row["seq"], mac=row["mac"])


def _entry(row: Record) -> Entry:
    return Entry(seq=row["seq"], at=row["at"], actor=row["actor"], action=row["action"], detail=row["detail"])
