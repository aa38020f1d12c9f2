"""A write in progress, as the work of an operation sees it."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from asyncpg.protocol import Record

from demarch.errors import KernelUnavailable
from demarch.kernel import Outcome
from demarch.names import Letters
from storage.database import Connection


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
    events: list[Mapping[str, Any]] = field(default_factory=list)

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
            "source": source,
            "type": type_,
            "run_id": run_id,
            "from_state": from_state,
            "to_state": to_state,
            "reason": reason,
            "envelope": {"actor": self.actor, "key": self.key, **(envelope or {})},
        }
        self.events.append(event)


Work = Callable[[Change], Awaitable[Outcome]]
