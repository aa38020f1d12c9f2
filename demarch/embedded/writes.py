"""What every writing operation of the table does, and says it did."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from asyncpg.protocol import Record

from demarch import parameters as takes
from demarch.embedded import budgets, decisions, discoveries, issues, moves, portfolios, runs
from demarch.embedded.ledger import Change
from demarch.embedded.moves import Move
from demarch.kernel import Extension, Outcome
from demarch.phrases import one_line
from demarch.telling import findings as tell_findings
from demarch.telling import issues as tell_issues
from demarch.telling import runs as tell_runs

Execute = Callable[[Change, Any], Awaitable[Outcome]]


async def create_issue(change: Change, params: takes.CreateIssue) -> Outcome:
    issue = await issues.create(change, params)
    return Outcome(text=tell_issues.created(issue), data=issue)


async def update_issue(change: Change, params: takes.UpdateIssue) -> Outcome:
    issue, freed = await issues.update(change, params)
    changed = sorted(params.model_fields_set - {"id"})
    return Outcome(text=tell_issues.updated(issue, changed, freed), data=issue | _freed(freed))


async def close_issue(change: Change, params: takes.CloseIssue) -> Outcome:
    issue, freed = await issues.close(change, params)
    return Outcome(text=tell_issues.closed(issue, freed), data=issue | _freed(freed))


def _freed(freed: Any) -> dict[str, Any]:
    return {"unblocked": [issue["id"] for issue in freed]}


async def register_finding(change: Change, params: takes.RegisterFinding) -> Outcome:
    row, new = await discoveries.submit(change, params)
    data = discoveries.discovery_data(row)
    return Outcome(text=tell_findings.registered(data, new), data=data)


async def start_run(change: Change, params: takes.StartRun) -> Outcome:
    new = runs.NewRun(
        goal=params.title,
        description=params.description,
        project=params.project,
        complexity=params.complexity,
        token_budget=params.token_budget,
        scope_id=change.key,
    )
    row = await runs.create(change, new)
    return Outcome(text=tell_runs.started(runs.run_of(row)), data=runs.run_data(row))


async def approve_gate(change: Change, params: takes.ApproveGate) -> Outcome:
    """A person let the run through: past a pause by advancing, past a block by overriding it."""
    row = await moves.locked_at(change, params.run_id, params.from_phase, params.to_phase)
    reason = params.reason or f"approved by {one_line(change.actor, 120)}"
    if (params.cause or row["waiting"]) == "pause":
        return outcome_of(await moves.advance(change, row, skip_reason=reason))
    return outcome_of(await moves.override(change, row, reason=reason))


async def reject_gate(change: Change, params: takes.GateDecision) -> Outcome:
    return await _decide(change, params, "rejected")


async def defer_gate(change: Change, params: takes.GateDecision) -> Outcome:
    return await _decide(change, params, "deferred")


async def _decide(change: Change, params: takes.GateDecision, decision: str) -> Outcome:
    row = await moves.locked_at(change, params.run_id, params.from_phase, params.to_phase)
    gate = await moves.check(change.conn, row)
    data = await decisions.record(change, row, gate.to_phase, decision, params.reason)
    return Outcome(text=tell_runs.decided(runs.run_of(row), gate.to_phase, decision), data=data)


async def advance_phase(change: Change, params: takes.AdvancePhase) -> Outcome:
    """A person confirmed it, so a run that does not advance by itself goes on too; its gate still counts."""
    row = await moves.locked_at(change, params.run_id, params.from_phase, None)
    confirmed = "" if row["auto_advance"] else f"confirmed by {one_line(change.actor, 120)}"
    return outcome_of(await moves.advance(change, row, skip_reason=params.reason or confirmed))


async def pause_run(change: Change, params: takes.RunAction) -> Outcome:
    return await _pace(change, params, auto_advance=False)


async def resume_run(change: Change, params: takes.RunAction) -> Outcome:
    return await _pace(change, params, auto_advance=True)


async def _pace(change: Change, params: takes.RunAction, *, auto_advance: bool) -> Outcome:
    row = await runs.set_(change, params.run_id, runs.Settings(auto_advance=auto_advance), params.reason)
    return Outcome(text=tell_runs.paced(runs.run_of(row)), data=runs.run_data(row))


async def cancel_run(change: Change, params: takes.RunAction) -> Outcome:
    row, children = await portfolios.cancel(change, params.run_id, params.reason)
    data = {"id": row["id"], "status": "cancelled", "phase": row["phase"]}
    if row["portfolio"]:
        data["children"] = children
    return Outcome(text=tell_runs.cancelled(runs.run_of(row), children), data=data)


async def extend_budget(change: Change, params: takes.ExtendBudget) -> Outcome:
    row = await runs.lock_active(change, params.run_id)
    if runs.extension_of(row) is Extension.DISPATCHES:
        return _widened(await portfolios.widen(change, row, params))
    row, more = await budgets.extend(change, row, params)
    return Outcome(
        text=tell_runs.extended(runs.run_of(row), more), data=budgets.usage_of(row) | {"more": more}
    )


def _widened(row: Record) -> Outcome:
    most = row["max_dispatches"]
    data = {"run_id": row["id"], "extension": Extension.DISPATCHES.value, "max_dispatches": most}
    return Outcome(text=tell_runs.widened(runs.run_of(row), most), data=data)


async def promote_discovery(change: Change, params: takes.PromoteDiscovery) -> Outcome:
    row = await discoveries.promote(change, params.discovery_id, params.issue_id, params.priority)
    return _triaged(discoveries.discovery_data(row))


async def dismiss_discovery(change: Change, params: takes.DiscoveryAction) -> Outcome:
    return _triaged(discoveries.discovery_data(await discoveries.dismiss(change, params.discovery_id)))


def _triaged(data: dict[str, Any]) -> Outcome:
    return Outcome(text=tell_findings.triaged(data), data=data)


def outcome_of(move: Move) -> Outcome:
    """A move, or what kept the run."""
    run = runs.run_of(move.run)
    if move.moved:
        text = tell_runs.moved(run, move.from_phase, move.event)
    else:
        text = tell_runs.stayed(run, move.to_phase, move.event, move.check)
    return Outcome(text=text, data=moves.move_data(move))


WRITES: Mapping[str, Execute] = {
    "create_issue": create_issue,
    "update_issue": update_issue,
    "close_issue": close_issue,
    "register_finding": register_finding,
    "start_run": start_run,
    "approve_gate": approve_gate,
    "reject_gate": reject_gate,
    "defer_gate": defer_gate,
    "advance_phase": advance_phase,
    "pause_run": pause_run,
    "resume_run": resume_run,
    "cancel_run": cancel_run,
    "extend_budget": extend_budget,
    "promote_discovery": promote_discovery,
    "dismiss_discovery": dismiss_discovery,
}
