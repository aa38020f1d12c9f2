"""Approvals in the database, which decides every race: each move is an UPDATE that names where it starts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any
from uuid import UUID

from asyncpg import Record

from bridges.messages import Person
from host.decisions.approvals import Approval, Draft, Kind, Move, State, sources, target
from host.decisions.codes import Below, Verb, new_code
from storage import sql
from storage.database import Connection
from storage.ids import NewId

_SQL = sql.load("host", "approvals")
_FIELDS = tuple(field.name for field in fields(Approval))


@dataclass(frozen=True, slots=True, kw_only=True)
class Vote:
    """One claimed decision."""

    attempt: int
    person: str
    name: str
    verb: Verb
    voted_at: datetime


class Approvals:
    """Every method runs in the caller's transaction."""

    def __init__(self, new_id: NewId, below: Below) -> None:
        self._new_id = new_id
        self._below = below

    async def open(self, conn: Connection, draft: Draft, now: datetime) -> tuple[Approval, bool]:
        """Ask, unless the same question is open already; True when new. No code is given twice."""
        while True:
            row = await conn.fetchrow(
                _SQL["approvals.insert"],
                self._new_id(),
                new_code(self._below),
                draft.kind,
                draft.folder,
                draft.project,
                draft.address,
                draft.lane,
                draft.run,
                dict(draft.subject),
                draft.dedupe,
                now,
                draft.expires_at,
            )
            if row is not None:
                return _approval(row), True
            same = await conn.fetchrow(_SQL["approvals.same_open"], draft.dedupe)
            if same is not None:
                return _approval(same), False

    async def by_id(self, conn: Connection, approval: UUID) -> Approval | None:
        return _maybe(await conn.fetchrow(_SQL["approvals.by_id"], approval))

    async def locked(self, conn: Connection, approval: UUID) -> Approval | None:
        """Like `by_id`, and nobody else moves it until the transaction ends."""
        return _maybe(await conn.fetchrow(_SQL["approvals.locked"], approval))

    async def by_code(self, conn: Connection, code: str) -> Approval | None:
        return _maybe(await conn.fetchrow(_SQL["approvals.by_code"], code))

    async def last_same(self, conn: Connection, dedupe: str) -> Approval | None:
        """The newest approval that asked this, open or not."""
        return _maybe(await conn.fetchrow(_SQL["approvals.same_last"], dedupe))

    async def claim(
        self,
        conn: Connection,
        approval: UUID,
        *,
        verb: Verb,
        person: Person,
        now: datetime,
        holder: str,
        lease_until: datetime,
    ) -> Approval | None:
        """Take the decision and record the vote; None when somebody was faster or it has expired."""
        claimed = _maybe(
            await conn.fetchrow(
                _SQL["approvals.claim"],
                approval,
                *_move(Move.CLAIM),
                verb,
                person.address,
                person.name,
                now,
                holder,
                lease_until,
            )
        )
        if claimed is not None:
            await conn.execute(
                _SQL["approvals.vote"],
                approval,
                claimed.attempt,
                claimed.round,
                person.address,
                person.name,
                verb,
                now,
            )
        return claimed

    async def renew(
        self, conn: Connection, approval: UUID, *, holder: str, until: datetime, now: datetime
    ) -> Approval | None:
        """Hold the execution for longer, or take it over when its lease has run out."""
        return _maybe(await conn.fetchrow(_SQL["approvals.renew"], approval, holder, until, now))

    async def votes(self, conn: Connection, approval: Approval) -> Sequence[Vote]:
        """The decisions claimed since the question was last put, oldest first."""
        rows = await conn.fetch(_SQL["approvals.votes"], approval.id, approval.round)
        return [
            Vote(
                attempt=row["attempt"],
                person=row["person"],
                name=row["name"],
                verb=Verb(row["verb"]),
                voted_at=row["voted_at"],
            )
            for row in rows
        ]

    async def vote_with(self, conn: Connection, approval: Approval, key: str) -> Vote | None:
        """The vote whose attempt bore this key: it caused what the kernel tells, though it seemed to fail."""
        votes = await self.votes(conn, approval)
        return next((vote for vote in reversed(votes) if key == approval.key(vote.attempt)), None)

    async def credit(self, conn: Connection, approval: UUID, vote: Vote) -> Approval | None:
        """An earlier attempt turned out to have gone through: the decision is that vote's."""
        return _maybe(
            await conn.fetchrow(
                _SQL["approvals.credit"],
                approval,
                vote.verb,
                vote.person,
                vote.name,
                vote.voted_at,
                vote.attempt,
            )
        )

    async def end(
        self, conn: Connection, approval: UUID, move: Move, outcome: str, now: datetime
    ) -> Approval | None:
        """FINISH, CLOSE or DROP; None when it was not in a state this starts from."""
        return _maybe(await conn.fetchrow(_SQL["approvals.end"], approval, *_move(move), outcome, now))

    async def defer(self, conn: Connection, approval: UUID, outcome: str) -> Approval | None:
        return _maybe(await conn.fetchrow(_SQL["approvals.defer"], approval, *_move(Move.DEFER), outcome))

    async def fail(self, conn: Connection, approval: UUID, error: str) -> Approval | None:
        return _maybe(await conn.fetchrow(_SQL["approvals.fail"], approval, *_move(Move.FAIL), error))

    async def reopen(
        self, conn: Connection, approval: UUID, error: str, subject: Mapping[str, Any]
    ) -> Approval | None:
        """The decision was carried out and the question remains, in another shape."""
        return _maybe(
            await conn.fetchrow(_SQL["approvals.reopen"], approval, *_move(Move.FAIL), error, dict(subject))
        )

    async def ask_again(
        self, conn: Connection, approval: UUID, expires_at: datetime | None
    ) -> Approval | None:
        return _maybe(await conn.fetchrow(_SQL["approvals.ask"], approval, *_move(Move.ASK), expires_at))

    async def retell(self, conn: Connection, approval: UUID, subject: Mapping[str, Any]) -> Approval | None:
        return _maybe(await conn.fetchrow(_SQL["approvals.retell"], approval, dict(subject)))

    async def open_in(
        self, conn: Connection, folders: Sequence[str] | None, limit: int
    ) -> Sequence[Approval]:
        """Open questions, newest first, of some groups or of all."""
        wanted = None if folders is None else list(folders)
        return [_approval(row) for row in await conn.fetch(_SQL["approvals.open_in"], wanted, limit)]

    async def open_of_run(self, conn: Connection, project: str, run: str) -> Sequence[Approval]:
        return [_approval(row) for row in await conn.fetch(_SQL["approvals.open_of_run"], project, run)]

    async def decided(
        self,
        conn: Connection,
        *,
        project: str,
        run: str,
        folders: Sequence[str] | None,
        since: datetime | None,
        limit: int,
    ) -> Sequence[Approval]:
        """What people decided, the newest first; of one run, or with "" of all."""
        wanted = None if folders is None else list(folders)
        rows = await conn.fetch(_SQL["approvals.decided"], project, run, wanted, since, limit)
        return [_approval(row) for row in rows]

    async def open_at(self, conn: Connection, address: str) -> Sequence[Approval]:
        """The undecided questions with a card in this chat, newest first."""
        return [_approval(row) for row in await conn.fetch(_SQL["approvals.open_at"], address)]

    async def shown_at(self, conn: Connection, approval: UUID, address: str) -> bool:
        return bool(await conn.fetchval(_SQL["approvals.shown_at"], approval, address))

    async def due(self, conn: Connection, now: datetime) -> Sequence[Approval]:
        """Questions nobody decided in time."""
        return [_approval(row) for row in await conn.fetch(_SQL["approvals.due"], now)]

    async def abandoned(self, conn: Connection, now: datetime, holder: str) -> Sequence[Approval]:
        """Executions whose lease ran out, or that an earlier life of this very holder began."""
        return [_approval(row) for row in await conn.fetch(_SQL["approvals.abandoned"], now, holder)]

    async def next_due(self, conn: Connection) -> datetime | None:
        due: datetime | None = await conn.fetchval(_SQL["approvals.next_due"])
        return due


def _move(move: Move) -> tuple[State, list[State]]:
    return target(move), list(sources(move))


def _maybe(row: Record | None) -> Approval | None:
    return None if row is None else _approval(row)


def _approval(row: Record) -> Approval:
    values = {name: row[name] for name in _FIELDS}
    values["kind"] = Kind(row["kind"])
    values["state"] = State(row["state"])
    values["verb"] = None if row["verb"] is None else Verb(row["verb"])
    return Approval(**values)
