"""Executes a write exactly once per key: claim, work, outcome and events are one transaction."""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

import asyncpg
from asyncpg.protocol import Record

from demarch.errors import EvidenceUnknown, InvalidCall, KernelUnavailable
from demarch.kernel import Outcome
from demarch.names import Letters
from demarch.phrases import one_line
from storage import sql
from storage.clock import Clock
from storage.database import Connection, Database
from storage.errors import StorageError

_SQL = sql.load("demarch", "writes", "events")
_ATTEMPTS = 5


class Reads(Protocol):
    """What a read needs: the pool, or the connection of a transaction."""

    async def fetch(self, sql: str, /, *args: Any) -> list[Record]: ...

    async def fetchrow(self, sql: str, /, *args: Any) -> Record | None: ...

    async def fetchval(self, sql: str, /, *args: Any) -> Any: ...


@dataclass(slots=True, kw_only=True)
class Change:
    """A write in progress: its transaction, who does it, when, and what it will have to tell."""

    conn: Connection
    actor: str
    key: str
    now: datetime
    letters: Letters
    events: dict[str, list[Mapping[str, Any]]] = field(default_factory=dict)

    async def one(self, statement: str, *args: Any) -> Record:
        """The row a statement returns about something this transaction holds locked."""
        row = await self.conn.fetchrow(statement, *args)
        if row is None:
            raise KernelUnavailable("A row vanished under its lock; nothing was done.")
        return row

    def tell(
        self,
        type_: str,
        run_id: str,
        *,
        source: str = "phase",
        from_state: str = "",
        to_state: str = "",
        reason: str = "",
        envelope: Mapping[str, Any] | None = None,
    ) -> None:
        """Add an event; it gets its id when the write is about to commit."""
        event = {
            "type": type_,
            "run_id": run_id,
            "from_state": from_state,
            "to_state": to_state,
            "reason": reason,
            "envelope": {"actor": self.actor, "key": self.key, **(envelope or {})},
        }
        self.events.setdefault(source, []).append(event)


Work = Callable[[Change], Awaitable[Outcome]]


class Ledger:
    """The write side of the embedded kernel."""

    def __init__(self, db: Database, clock: Clock, letters: Letters, patience: float) -> None:
        self._db = db
        self._clock = clock
        self._letters = letters
        self._patience = patience

    async def execute(self, work: Work, *, actor: str, key: str) -> Outcome:
        """Do the work unless its key was executed before; either way the outcome of that one execution."""
        if not 1 <= len(key) <= 200:
            raise InvalidCall("A write needs a key of 1 to 200 characters.")
        with reachable():
            for attempt in range(_ATTEMPTS):
                try:
                    return await self._once(work, one_line(actor, 200), key)
                except (asyncpg.DeadlockDetectedError, asyncpg.SerializationError) as error:
                    # Somebody else's locks came in another order; nothing of ours has happened.
                    if attempt == _ATTEMPTS - 1:
                        raise KernelUnavailable("The kernel is too busy; nothing was done.") from error
        raise AssertionError("unreachable")

    async def _once(self, work: Work, actor: str, key: str) -> Outcome:
        async with self._db.transaction() as conn:
            now = self._clock.now()
            if await conn.fetchval(_SQL["writes.claim"], key, actor, now) is None:
                return _outcome(await conn.fetchval(_SQL["writes.outcome"], key))
            change = Change(conn=conn, actor=actor, key=key, now=now, letters=self._letters)
            outcome = await work(change)
            stored = {"text": outcome.text, "data": outcome.data}
            await conn.execute(_SQL["writes.finish"], key, stored)
            for source in sorted(change.events):
                await conn.execute(_SQL["events.append"], source, change.events[source], now)
            return outcome

    async def written(self, key: str) -> Outcome | None:
        """What the key did, or None when it certainly did nothing.

        A write of a process that was just killed may still be ending in its backend: claiming the same key
        waits for that, and the claim is rolled back.
        """
        with reachable():
            try:
                async with self._db.transaction() as conn:
                    await conn.execute(_SQL["writes.patience"], f"{int(self._patience * 1000)}ms")
                    if await conn.fetchval(_SQL["writes.claim"], key, "", self._clock.now()) is not None:
                        raise _NotWritten
                    return _outcome(await conn.fetchval(_SQL["writes.outcome"], key))
            except _NotWritten:
                return None
            except asyncpg.LockNotAvailableError as error:
                raise EvidenceUnknown(
                    "That write is still under way and nobody can say how it ends."
                ) from error


class _NotWritten(Exception):
    """Rolls the trial claim back."""


@contextmanager
def reachable() -> Iterator[None]:
    """Say in the kernel's words that its database is gone."""
    try:
        yield
    except (StorageError, TimeoutError) as error:
        raise KernelUnavailable(f"The kernel's database did not answer ({error}).") from error


def _outcome(stored: Any) -> Outcome:
    return Outcome(text=stored["text"], data=stored["data"])
