"""Enters writes into the ledger's tables: claim, work, outcome and events, of one write or of several.

Several share their transaction: one claim for all, one statement for all outcomes and one for all events. A
statement for many costs little more than the same for one; a savepoint for each costs as much as many a
write, so they are set only while refusals are about.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import asyncpg

from demarch.embedded.change import Change, Work
from demarch.kernel import Outcome
from demarch.names import Letters
from storage import sql
from storage.clock import Clock
from storage.database import Connection

#: Somebody else's locks came in another order, or not in time; nothing of ours has happened.
CONTENTION = (asyncpg.DeadlockDetectedError, asyncpg.SerializationError, asyncpg.LockNotAvailableError)
_SQL = sql.load("demarch", "writes", "events")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A write that is to be executed once."""

    work: Work
    actor: str
    key: str


class Spoiled(Exception):
    """A write of the batch was refused without a savepoint; nothing has happened."""

    def __init__(self, error: Exception) -> None:
        super().__init__(str(error))
        self.error = error


#: what became of one write of a batch: done, or refused and undone
Result: TypeAlias = Outcome | Exception


class Entries:
    """Needs the connection of a transaction; the caller commits it."""

    def __init__(self, clock: Clock, letters: Letters) -> None:
        self._clock = clock
        self._letters = letters

    async def one(self, conn: Connection, entry: Entry) -> Outcome:
        if await conn.fetchval(_SQL["writes.claim"], entry.key, entry.actor, self._clock.now()) is None:
            return outcome_of(await conn.fetchval(_SQL["writes.outcome"], entry.key))
        change = self._change(conn, entry)
        outcome = await entry.work(change)
        await conn.execute(_SQL["writes.finish"], entry.key, _stored(outcome))
        if change.events:
            await conn.execute(_SQL["events.append"], change.events, change.now)
        return outcome

    async def several(self, conn: Connection, entries: Sequence[Entry], *, guarded: bool) -> list[Result]:
        """Of entries with different keys. What is raised is about them all, what is returned about each.

        Unguarded, one refusal spoils all of it.
        """
        claimed = await self._claim(conn, entries)
        results = await self._known(conn, [entry.key for entry in entries if entry.key not in claimed])
        events: list[Mapping[str, Any]] = []
        execute = _guarded if guarded else _unguarded
        for entry in entries:
            if entry.key in claimed:
                change = self._change(conn, entry)
                results[entry.key] = result = await execute(change, entry.work)
                if isinstance(result, Outcome):
                    events += change.events
        await _finish(conn, {key: results[key] for key in claimed})
        if events:
            await conn.execute(_SQL["events.append"], events, self._clock.now())
        return [results[entry.key] for entry in entries]

    async def _claim(self, conn: Connection, entries: Sequence[Entry]) -> set[str]:
        # Always in the order of keys, so that two batches wait for each other in one direction only.
        ordered = sorted(entries, key=lambda entry: entry.key)
        keys, actors = [entry.key for entry in ordered], [entry.actor for entry in ordered]
        rows = await conn.fetch(_SQL["writes.claim_all"], keys, actors, self._clock.now())
        return {row["key"] for row in rows}

    async def _known(self, conn: Connection, keys: Sequence[str]) -> dict[str, Result]:
        if not keys:
            return {}
        rows = await conn.fetch(_SQL["writes.outcomes"], keys)
        return {row["key"]: outcome_of(row["outcome"]) for row in rows}

    def _change(self, conn: Connection, entry: Entry) -> Change:
        return Change(
            conn=conn, actor=entry.actor, key=entry.key, now=self._clock.now(), letters=self._letters
        )


async def _guarded(change: Change, work: Work) -> Result:
    """Do it behind a savepoint. A failure is undone and handed back; the others go on."""
    await change.conn.execute(_SQL["writes.savepoint"])
    try:
        outcome = await work(change)
    except Exception as error:  # noqa: BLE001 - it is the caller's of this one write
        await change.conn.execute(_SQL["writes.undo"])
        return error
    await change.conn.execute(_SQL["writes.keep"])
    return outcome


async def _unguarded(change: Change, work: Work) -> Result:
    try:
        return await work(change)
    except Exception as error:
        raise Spoiled(error) from error


async def _finish(conn: Connection, results: Mapping[str, Result]) -> None:
    """Store what was done; the claims of what was not are given back."""
    done = {key: _stored(result) for key, result in results.items() if isinstance(result, Outcome)}
    await conn.execute(_SQL["writes.finish_all"], list(done), done)
    if len(done) < len(results):
        undone = [key for key, result in results.items() if not isinstance(result, Outcome)]
        await conn.execute(_SQL["writes.unclaim"], undone)


def _stored(outcome: Outcome) -> dict[str, Any]:
    return {"text": outcome.text, "data": outcome.data}


def outcome_of(stored: Any) -> Outcome:
    return Outcome(text=stored["text"], data=stored["data"])
