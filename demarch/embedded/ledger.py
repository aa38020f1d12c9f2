"""Executes a write exactly once per key: claim, work, outcome and events are one transaction."""

from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg

from demarch.embedded.batches import Batches
from demarch.embedded.change import Change as Change
from demarch.embedded.change import Reads as Reads
from demarch.embedded.change import Work as Work
from demarch.embedded.entries import CONTENTION, Entries, Entry, outcome_of
from demarch.errors import EvidenceUnknown, InvalidCall, KernelUnavailable
from demarch.kernel import Outcome
from demarch.names import Letters
from demarch.phrases import one_line
from storage import sql
from storage.clock import Clock
from storage.database import Database
from storage.errors import StorageError

_SQL = sql.load("demarch", "writes")
_ATTEMPTS = 5


class Ledger:
    """The write side of the embedded kernel."""

    def __init__(self, db: Database, clock: Clock, letters: Letters, patience: float) -> None:
        self._db = db
        self._clock = clock
        self._patience = patience
        self._entries = Entries(clock, letters)
        self.batches = Batches(db, self._entries)

    async def execute(self, work: Work, *, actor: str, key: str) -> Outcome:
        """Do the work unless its key was executed before; either way the outcome of that one execution.

        The work waits for nothing but the database: others may share its transaction.
        """
        entry = _entry(work, actor, key)
        with reachable():
            try:
                outcome = await self.batches.execute(entry)
            except (*CONTENTION, StorageError):
                # Perhaps not even this write's fault; on its own it does better or is told why not.
                outcome = None
        return await self._alone(entry) if outcome is None else outcome

    async def execute_alone(self, work: Work, *, actor: str, key: str) -> Outcome:
        """The same in a transaction of its own, for work that may take its time."""
        return await self._alone(_entry(work, actor, key))

    async def _alone(self, entry: Entry) -> Outcome:
        with reachable():
            for attempt in range(_ATTEMPTS):
                try:
                    async with self._db.transaction() as conn:
                        return await self._entries.one(conn, entry)
                except CONTENTION as error:
                    if attempt == _ATTEMPTS - 1:
                        raise KernelUnavailable("The kernel is too busy; nothing was done.") from error
        raise AssertionError("unreachable")

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
                    return outcome_of(await conn.fetchval(_SQL["writes.outcome"], key))
            except _NotWritten:
                return None
            except asyncpg.LockNotAvailableError as error:
                raise EvidenceUnknown(
                    "That write is still under way and nobody can say how it ends."
                ) from error


class _NotWritten(Exception):
    """Rolls the trial claim back."""


def _entry(work: Work, actor: str, key: str) -> Entry:
    if not 1 <= len(key) <= 200:
        raise InvalidCall("A write needs a key of 1 to 200 characters.")
    return Entry(work=work, actor=one_line(actor, 200), key=key)


@contextmanager
def reachable() -> Iterator[None]:
    """Say in the kernel's words that its database is gone."""
    try:
        yield
    except (StorageError, TimeoutError) as error:
        raise KernelUnavailable(f"The kernel's database did not answer ({error}).") from error
