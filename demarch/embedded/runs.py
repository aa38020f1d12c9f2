"""Runs: started, looked at, set, cancelled, and the agents that work in them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from asyncpg.protocol import Record

from demarch import gates
from demarch.embedded.ledger import Change, Reads
from demarch.errors import Conflict, InvalidCall, NotFound
from demarch.kernel import Extension, Run
from demarch.names import first_free
from demarch.phases import DEFAULT_PHASES, chain_of
from demarch.phrases import ago, one_line, quoted
from storage import sql

_SQL = sql.load("demarch", "runs", "budgets")
_LENGTHS = (8,) * 8
AGENT_STATUSES = ("active", "completed", "failed")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRun:
    """What `ic run create` takes."""

    goal: str
    description: str = ""
    project: str = ""
    phases: Sequence[str] = DEFAULT_PHASES
    complexity: int = 3
    auto_advance: bool = True
    scope_id: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    gates: Mapping[str, Any] | None = None
    token_budget: int | None = None
    warn_pct: int = 80
    enforce: bool = False
    max_dispatches: int | None = None  #: of a portfolio


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What `ic run set` changes; None leaves it."""

    complexity: int | None = None
    auto_advance: bool | None = None
    force_full: bool | None = None
    metadata: Mapping[str, Any] | None = None
    max_dispatches: int | None = None  #: of a portfolio; 0 takes the limit away


async def create(
    change: Change, new: NewRun, *, portfolio: bool = False, parent: str | None = None
) -> Record:
    chain = chain_of(new.phases)
    if new.max_dispatches is not None and not portfolio:
        raise InvalidCall("Only a portfolio limits how many agents are at work.")
    if new.gates is not None:
        gates.rules_from(new.gates)

    async def insert(run_id: str) -> Record | None:
        return await change.conn.fetchrow(
            _SQL["runs.insert"], run_id, new.project, new.goal, new.description, chain[0], list(chain),
            new.complexity, new.auto_advance, new.scope_id, dict(new.metadata), new.gates, new.token_budget,
            new.warn_pct, new.enforce, change.actor, change.now, portfolio, parent, new.max_dispatches,
        )  # fmt: skip

    return await first_free(_LENGTHS, change.letters, insert)


async def get(db: Reads, run_id: str) -> Record:
    return _found(await db.fetchrow(_SQL["runs.get"], run_id.lower()), run_id)


async def lock(change: Change, run_id: str) -> Record:
    return _found(await change.conn.fetchrow(_SQL["runs.lock"], run_id.lower()), run_id)


async def lock_active(change: Change, run_id: str) -> Record:
    """The run, locked, if something can still happen to it."""
    row = await lock(change, run_id)
    if row["status"] != "active":
        when = ago(change.now, row["completed_at"] or row["updated_at"])
        raise Conflict(f"The run {quoted(row['goal'])} is {row['status']} ({when}).", now=row["status"])
    return row


async def current(db: Reads, project: str = "") -> Record | None:
    """The youngest active run."""
    return await db.fetchrow(_SQL["runs.current"], project)


async def get_or_current(db: Reads, run_id: str | None) -> Record | None:
    return await current(db) if run_id is None else await get(db, run_id)


async def listed(db: Reads, *, active: bool, limit: int = 100) -> Sequence[Record]:
    return await db.fetch(_SQL["runs.active" if active else "runs.all"], limit)


async def touched(db: Reads, ids: Sequence[str], since: datetime | None) -> Sequence[Run]:
    """Those with one of these ids, and those that began since then; the youngest first."""
    return [run_of(row) for row in await db.fetch(_SQL["runs.touched"], list(set(ids)), since)]


async def leading(db: Reads, limit: int) -> Sequence[Record]:
    """The youngest active runs that are nobody's child."""
    return await db.fetch(_SQL["runs.leading"], limit)


async def cancel(change: Change, run_id: str, reason: str) -> Record:
    row = await lock_active(change, run_id)
    await end(change, row, reason)
    return row


async def end(change: Change, row: Record, reason: str) -> None:
    """Cancel a run that is locked and active."""
    await change.conn.execute(_SQL["runs.cancel"], row["id"], change.now)
    change.tell("cancel", row["id"], from_state=row["phase"], to_state=row["phase"], reason=reason)


async def set_(change: Change, run_id: str, settings: Settings, why: str = "") -> Record:
    given = {
        name: value
        for name in ("complexity", "auto_advance", "force_full", "metadata", "max_dispatches")
        if (value := getattr(settings, name)) is not None
    }
    if not given:
        raise InvalidCall("No settings to update.")
    row = await lock_active(change, run_id)
    if settings.max_dispatches is not None and not row["portfolio"]:
        raise InvalidCall("Only a portfolio limits how many agents are at work.")
    metadata = None if settings.metadata is None else dict(settings.metadata)
    after = await change.one(
        _SQL["runs.set"], row["id"], settings.complexity, settings.auto_advance, settings.force_full,
        metadata, settings.max_dispatches, change.now,
    )  # fmt: skip
    words = ", ".join(f"{name}={one_line(str(value), 80)}" for name, value in given.items())
    change.tell(
        "set", row["id"], from_state=row["phase"], to_state=row["phase"],
        reason=f"{words}: {why}" if why else words,
    )  # fmt: skip
    return after


async def add_agent(change: Change, row: Record, agent_type: str, name: str) -> str:
    """The run is locked, active, and may have one more."""

    async def insert(agent_id: str) -> Record | None:
        return await change.conn.fetchrow(
            _SQL["runs.agent_add"], agent_id, row["id"], agent_type, name, change.now
        )

    return str((await first_free(_LENGTHS, change.letters, insert))["id"])


async def update_agent(change: Change, agent_id: str, status: str) -> Record:
    if status not in AGENT_STATUSES:
        raise InvalidCall(f"An agent is one of {', '.join(AGENT_STATUSES)}.")
    row = await change.conn.fetchrow(_SQL["runs.agent_update"], agent_id, status, change.now)
    if row is None:
        raise NotFound(f"There is no agent {one_line(agent_id, 60)}.")
    return row


async def agents(db: Reads, run_id: str) -> Sequence[Record]:
    return await db.fetch(_SQL["runs.agents"], (await get(db, run_id))["id"])


def _found(row: Record | None, run_id: str) -> Record:
    if row is None:
        raise NotFound(f"There is no run {one_line(run_id, 60)}.")
    return row


def run_of(row: Record, spent: Sequence[tuple[datetime, int]] = ()) -> Run:
    return Run(
        id=row["id"],
        goal=row["goal"],
        status=row["status"],
        phase=row["phase"],
        phases=tuple(row["phases"]),
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        phase_at=row["phase_at"],
        budget=row["token_budget"],
        used=row["used"],
        warn_pct=row["budget_warn_pct"],
        auto_advance=row["auto_advance"],
        extension=extension_of(row),
        spent=tuple(spent),
    )


def extension_of(row: Record) -> Extension:
    """A portfolio is given more agents; one that counts tokens is given more of those."""
    counts_agents = row["portfolio"] and row["token_budget"] is None
    return Extension.DISPATCHES if counts_agents else Extension.TOKENS


async def with_curve(db: Reads, row: Record) -> Run:
    """The run with its spending over time, thinned to about a hundred points."""
    points = await db.fetch(_SQL["budgets.curve"], row["id"], row["dispatches"]) if row["dispatches"] else ()
    return run_of(row, [(point["at"], point["total"]) for point in points])


def run_data(row: Record) -> dict[str, Any]:
    """A run as `ic run status` prints it, times in Unix seconds."""
    data: dict[str, Any] = {
        name: row[name]
        for name in ("id", "project_dir", "goal", "description", "status", "phase", "complexity",
                     "force_full", "auto_advance", "scope_id", "token_budget", "metadata", "gates", "waiting",
                     "max_dispatches")
        if row[name] not in (None, "", {})
    }  # fmt: skip
    if row["parent_id"] is not None:
        data["parent_run_id"] = row["parent_id"]
    for name in ("created_at", "updated_at", "completed_at", "phase_at", "waiting_since"):
        if row[name] is not None:
            data[name] = int(row[name].timestamp())
    if row["token_budget"] is not None:
        data |= {"budget_warn_pct": row["budget_warn_pct"], "budget_enforce": row["budget_enforce"]}
    return data | {"phases": list(row["phases"]), "skipped": list(row["skipped"]), "used_tokens": row["used"]}
