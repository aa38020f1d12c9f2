"""The journal of writes: on record in our own database before a command runs, and what came of it after."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from asyncpg.protocol import Record

from demarch.errors import KernelUnavailable
from demarch.kernel import Outcome
from storage import sql
from storage.clock import Clock
from storage.database import Database
from storage.errors import StorageError

_SQL = sql.load("demarch", "attempts")


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One write, about to happen or happened."""

    key: str
    operation: str
    about: str  #: the run, issue or discovery it changes; "" for what makes something new
    params: Mapping[str, Any]
    actor: str
    seen: Mapping[str, Any]  #: what stood there before
    begun_at: datetime
    outcome: Outcome | None = None  #: None: it may have happened or not


class Journal:
    """Of one project: keys and ids mean something within it only."""

    def __init__(self, db: Database, clock: Clock, project: str) -> None:
        self._db = db
        self._clock = clock
        self._project = project

    async def find(self, key: str) -> Attempt | None:
        with _reachable():
            row = await self._db.fetchrow(_SQL["attempts.find"], self._project, key)
        return None if row is None else _attempt(row)

    async def open_about(self, about: str) -> Sequence[Attempt]:
        """Writes to the same thing of which nobody knows yet how they ended, the oldest first."""
        with _reachable():
            rows = await self._db.fetch(_SQL["attempts.open_about"], self._project, about)
        return [_attempt(row) for row in rows]

    async def begin(self, attempt: Attempt) -> None:
        """From here on it may have happened. Raises KernelUnavailable when another process has begun it."""
        with _reachable():
            mine = await self._db.fetchval(
                _SQL["attempts.begin"], self._project, attempt.key, attempt.operation, attempt.about,
                dict(attempt.params), attempt.actor, dict(attempt.seen), attempt.begun_at,
            )  # fmt: skip
        if mine is None:
            raise KernelUnavailable("This write is under way elsewhere.")

    async def finish(self, key: str, outcome: Outcome) -> None:
        stored = {"text": outcome.text, "data": dict(outcome.data)}
        with _reachable():
            await self._db.execute(_SQL["attempts.finish"], self._project, key, stored, self._clock.now())

    async def drop(self, key: str) -> None:
        """It certainly did not happen: the key is free again."""
        with _reachable():
            await self._db.execute(_SQL["attempts.drop"], self._project, key)


@contextmanager
def _reachable() -> Iterator[None]:
    try:
        yield
    except (StorageError, TimeoutError) as error:
        raise KernelUnavailable(f"The journal of writes cannot be reached ({error}).") from error


def _attempt(row: Record) -> Attempt:
    stored = row["outcome"]
    return Attempt(
        key=row["key"],
        operation=row["operation"],
        about=row["about"],
        params=row["params"],
        actor=row["actor"],
        seen=row["seen"],
        begun_at=row["begun_at"],
        outcome=None if stored is None else Outcome(text=stored["text"], data=stored["data"]),
    )
