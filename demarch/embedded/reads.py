"""What every reading operation of the table answers."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from asyncpg.protocol import Record

from demarch import changes, deciders
from demarch import parameters as takes
from demarch.embedded import (
    artifacts,
    budgets,
    decisions,
    discoveries,
    events,
    issues,
    moves,
    portfolios,
    runs,
)
from demarch.embedded.ledger import Reads
from demarch.kernel import Outcome
from demarch.readiness import Seen
from demarch.readiness import readiness as is_ready
from demarch.telling import changes as tell_changes
from demarch.telling import decisions as tell_decisions
from demarch.telling import events as tell_events
from demarch.telling import findings as tell_findings
from demarch.telling import issues as tell_issues
from demarch.telling import readiness as tell_readiness
from demarch.telling import runs as tell_runs

NO_RUN = Outcome(text="No run is active.", data={"found": False})


@dataclass(frozen=True, slots=True)
class Reading:
    """Where and when a read happens."""

    db: Reads
    now: datetime
    project: Path | None


Answer = Callable[[Reading, Any], Awaitable[Outcome]]


async def run_status(at: Reading, params: takes.RunStatus) -> Outcome:
    row = await runs.get_or_current(at.db, params.run_id)
    if row is None:
        return NO_RUN
    others = await runs.leading(at.db, 6) if params.run_id is None else ()
    others = [other for other in others if other["id"] != row["id"]]
    return await status(at, row, others)


async def status(at: Reading, row: Record, others: Sequence[Record] = ()) -> Outcome:
    gate = await moves.check(at.db, row) if row["status"] == "active" else None
    decision = await decisions.latest(at.db, row)
    children = await portfolios.children(at.db, row)
    data = runs.run_data(row) | {"found": True, "budget": budgets.usage_of(row)}
    if row["portfolio"]:
        data["children"] = [portfolios.child_data(child) for child in children]
    if gate is not None:
        data["gate"] = gate.data(row["id"])
    if decision is not None:
        data["decision"] = decision
    text = tell_runs.status(
        runs.run_of(row),
        at.now,
        since=row["phase_at"] if row["status"] == "active" else row["updated_at"],
        gate=gate,
        waiting=row["waiting"],
        decision=decision,
        others=[runs.run_of(other) for other in others],
        children=[(child["project_dir"], runs.run_of(child)) for child in children],
    )
    return Outcome(text=text, data=data | {"others": [other["id"] for other in others]})


async def sprint_phase(at: Reading, params: takes.Nothing) -> Outcome:
    row = await runs.current(at.db)
    if row is None:
        return NO_RUN
    gate = await moves.check(at.db, row)
    data = {"found": True, "id": row["id"], "phase": row["phase"], "goal": row["goal"]}
    return Outcome(text=tell_runs.phase(runs.run_of(row), gate), data=data | {"gate": gate.data(row["id"])})


async def search_beads(at: Reading, params: takes.SearchBeads) -> Outcome:
    if params.id is not None:
        issue = await issues.show(at.db, params.id)
        return Outcome(text=tell_issues.shown(issue), data={"issues": [issue]})
    if params.query is not None:
        found = await issues.search(at.db, params.query, params.status or "", params.limit)
    else:
        found = await issues.listed(at.db, params.status or "", params.limit)
    text = tell_issues.found(found, query=params.query, status=params.status)
    return Outcome(text=text, data={"issues": list(found)})


async def spec_lookup(at: Reading, params: takes.SpecLookup) -> Outcome:
    if params.artifact_id is not None:
        about, content = await artifacts.read(at.db, params.artifact_id, at.project)
        text = tell_findings.artifact_text(about, content)
        return Outcome(text=text, data={"artifact": about, "content": content[: tell_findings.LONGEST]})
    row = await runs.get_or_current(at.db, params.run_id)
    if row is None:
        return NO_RUN
    found = await artifacts.listed(at.db, row["id"])
    return Outcome(text=tell_findings.artifacts(found), data={"run_id": row["id"], "artifacts": list(found)})


async def review_summary(at: Reading, params: takes.RunStatus) -> Outcome:
    row = await runs.get_or_current(at.db, params.run_id)
    rows = await artifacts.verdicts(at.db, row["id"] if row else None)
    found = [artifacts.verdict_data(verdict) for verdict in rows]
    text = tell_findings.verdicts(found, row["goal"] if row else "", at.now)
    return Outcome(text=text, data={"run_id": row["id"] if row else None, "verdicts": found})


async def next_work(at: Reading, params: takes.NextWork) -> Outcome:
    found = await issues.ready(at.db, params.limit, at.now)
    doors: Mapping[str, int] = {} if found else await issues.doors(at.db)
    return Outcome(text=tell_issues.ready(found, doors), data={"issues": list(found), **doors})


async def run_events(at: Reading, params: takes.RunEvents) -> Outcome:
    found = await events.latest(at.db, params.limit, params.since_when(at.now), params.run_id)
    data = {"events": [events.event_data(event) for event in found]}
    return Outcome(text=tell_events.listed(found, at.now), data=data)


async def what_changed(at: Reading, params: takes.WhatChanged) -> Outcome:
    since = params.since_when(at.now) or at.now - timedelta(seconds=changes.DAY)
    found = await events.latest(at.db, changes.MOST, since, None)
    of = changes.Material(
        since=since,
        now=at.now,
        events=found,
        runs=await runs.touched(at.db, [event.run_id for event in found], since),
        issues=await issues.changed(at.db, since, changes.ISSUES),
    )
    data = changes.changes(of)
    return Outcome(text=tell_changes.changed(data), data=data)


async def readiness(at: Reading, params: takes.RunStatus) -> Outcome:
    row = await runs.get_or_current(at.db, params.run_id)
    if row is None:
        return NO_RUN
    active = row["status"] == "active"
    seen = Seen(
        run=runs.run_of(row),
        since=row["phase_at"] if active else row["updated_at"],
        gate=await moves.check(at.db, row) if active else None,
        waiting=row["waiting"],
        decision=await decisions.latest(at.db, row),
        verdicts=[artifacts.verdict_data(verdict) for verdict in await artifacts.verdicts(at.db, row["id"])],
        artifacts=await artifacts.listed(at.db, row["id"]),
    )
    return Outcome(text=tell_readiness.told(seen, at.now), data=is_ready(seen))


async def decided(at: Reading, params: takes.Decisions) -> Outcome:
    since = params.since_when(at.now)
    run_id = None if params.run_id is None else (await runs.get(at.db, params.run_id))["id"]
    found = await events.latest(at.db, deciders.MOST, since, run_id)
    known = await runs.touched(at.db, [event.run_id for event in found], None)
    items = deciders.decisions(found, known)[-params.limit :]
    return Outcome(text=tell_decisions.listed(items, at.now), data={"decisions": items})


async def research(at: Reading, params: takes.Research) -> Outcome:
    found = await discoveries.search(at.db, params.query, params.limit)
    nothing = f"Nothing is known about “{params.query}” yet."
    return Outcome(text=tell_findings.discoveries(found, nothing), data={"discoveries": list(found)})


READS: Mapping[str, Answer] = {
    "run_status": run_status,
    "sprint_phase": sprint_phase,
    "search_beads": search_beads,
    "spec_lookup": spec_lookup,
    "review_summary": review_summary,
    "next_work": next_work,
    "run_events": run_events,
    "what_changed": what_changed,
    "readiness": readiness,
    "decisions": decided,
    "research": research,
}
