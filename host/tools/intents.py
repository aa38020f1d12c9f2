"""Intents: every write an agent asked for, on record before anything is executed."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from asyncpg import Record

from host.conversation.turns import Turn
from storage import sql
from storage.database import Connection
from storage.ids import NewId

_SQL = sql.load("host", "intents")


class IntentState(StrEnum):
    RECORDED = "recorded"  #: about to be executed; after a crash only the kernel knows
    EXECUTED = "executed"
    PENDING = "pending"  #: waits for a person
    REFUSED = "refused"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    id: UUID  #: the kernel's idempotency key of a write that needs no person
    turn: UUID
    ordinal: int
    operation: str
    project: str  #: the key of the kernel's project it is about
    arguments: Mapping[str, Any]
    state: IntentState
    approval: UUID | None
    result: Mapping[str, Any] | None
    code: str = ""  #: of its approval

    @property
    def key(self) -> str:
        return str(self.id)


class Intents:
    """Every method runs in the caller's transaction."""

    def __init__(self, new_id: NewId) -> None:
        self._new_id = new_id

    async def names(self, conn: Connection, persons: Sequence[str]) -> list[str]:
        """What the networks call these persons, in their order."""
        rows = await conn.fetch(_SQL["intents.names"], list(persons))
        return [row["name"] or row["person"] for row in rows]

    async def hold_turn(self, conn: Connection, turn: Turn) -> bool:
        """False when the turn, or this attempt at it, has ended: then it may not write any more."""
        return await conn.fetchval(_SQL["intents.hold_turn"], turn.id, turn.attempt) is not None

    async def record(
        self,
        conn: Connection,
        turn: UUID,
        operation: str,
        arguments: Mapping[str, Any],
        now: datetime,
        *,
        project: str = "",
    ) -> Intent:
        """To be called while the turn is held, which numbers calls one after the other."""
        row = await conn.fetchrow(
            _SQL["intents.insert"],
            self._new_id(),
            turn,
            operation,
            dict(arguments),
            arguments_hash(operation, arguments),
            now,
            project,
        )
        if row is None:
            raise LookupError(f"turn {turn} takes no intents")
        return _intent(row)

    async def refused(
        self,
        conn: Connection,
        turn: UUID,
        operation: str,
        arguments: Mapping[str, Any],
        reason: str,
        now: datetime,
    ) -> None:
        await conn.execute(
            _SQL["intents.refused"],
            self._new_id(),
            turn,
            operation,
            dict(arguments),
            arguments_hash(operation, arguments),
            {"text": reason},
            now,
        )

    async def waiting(
        self, conn: Connection, turn: UUID, operation: str, arguments: Mapping[str, Any]
    ) -> Intent | None:
        """The same call, if this turn has made it already and it still waits for a person."""
        row = await conn.fetchrow(_SQL["intents.waiting"], turn, arguments_hash(operation, arguments))
        return None if row is None else _intent(row)

    async def ask(self, conn: Connection, intent: UUID, approval: UUID) -> None:
        await conn.execute(_SQL["intents.ask"], intent, approval)

    async def end(
        self, conn: Connection, intent: UUID, state: IntentState, result: Mapping[str, Any], now: datetime
    ) -> None:
        await conn.execute(_SQL["intents.end"], intent, state, dict(result), now)

    async def of_turn(self, conn: Connection, turn: UUID) -> Sequence[Intent]:
        return [_intent(row) for row in await conn.fetch(_SQL["intents.of_turn"], turn)]


def arguments_hash(operation: str, arguments: Mapping[str, Any]) -> str:
    """The same for the same call, however its arguments are ordered."""
    canonical = json.dumps([operation, arguments], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode("ascii")).hexdigest()


def _intent(row: Record) -> Intent:
    return Intent(
        id=row["id"],
        turn=row["turn"],
        ordinal=row["ordinal"],
        operation=row["operation"],
        project=row["project"],
        arguments=row["arguments"],
        state=IntentState(row["state"]),
        approval=row["approval"],
        result=row["result"],
        code=row.get("code") or "",
    )
