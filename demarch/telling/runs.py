"""Runs in words: one screen for a status, one sentence for a move."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from demarch.gates import GateCheck
from demarch.kernel import Run
from demarch.phrases import ago, bar, dots, duration, listing, one_line, plural, quoted, tokens


def line(run: Run) -> str:
    """A run on one line, for lists."""
    return f"{one_line(run.goal, 120)} · {progress(run)}{_share(run)} · {run.id}"


def progress(run: Run) -> str:
    """●●●○○○○○○ planned."""
    if run.status != "active":
        return run.status
    done = run.phases.index(run.phase) if run.phase in run.phases else 0
    return f"{dots(done, len(run.phases))} {run.phase}"


def _share(run: Run) -> str:
    return f" · {run.used * 100 // run.budget} % of {tokens(run.budget)}" if run.budget else ""


def status(
    run: Run,
    now: datetime,
    *,
    since: datetime,
    gate: GateCheck | None = None,
    waiting: str | None = None,
    decision: Mapping[str, Any] | None = None,
    others: Sequence[Run] = (),
    children: Sequence[tuple[str, Run]] = (),
) -> str:
    """A run on one screen; `children` are the projects of a portfolio, each with its run."""
    lines = [one_line(run.goal, 200), f"{progress(run)}{_place(run)}, {ago(now, since)}", _budget(run)]
    lines += [_gate(gate, waiting)] if gate and run.status == "active" else []
    lines += ["Paused: it asks before every phase"] if _paused(run, waiting) else []
    lines += [f"{one_line(project, 80)} {progress(child)} · {child.id}" for project, child in children]
    lines += [_decision(decision, now)] if decision else []
    if others:
        lines += ["", f"Also active: {listing([f'{one_line(o.goal, 80)} ({o.phase})' for o in others])}"]
    return "\n".join([*lines, f"run {run.id}"])


def _paused(run: Run, waiting: str | None) -> bool:
    return run.status == "active" and not run.auto_advance and waiting is None


def _place(run: Run) -> str:
    if run.status != "active" or run.phase not in run.phases:
        return ""
    return f" ({run.phases.index(run.phase) + 1} of {len(run.phases)})"


def _budget(run: Run) -> str:
    if run.budget is None:
        return f"No token budget; {tokens(run.used)} tokens used" if run.used else "No token budget"
    return f"Budget {bar(run.used, run.budget)} of {tokens(run.budget)} tokens"


def _gate(gate: GateCheck, waiting: str | None) -> str:
    way = f"{gate.from_phase} → {gate.to_phase}"
    checks = f" ({listing(gate.open_checks)})" if gate.open_checks else ""
    if waiting == "pause":
        return f"Waits for a person to let it go on: {way}{checks}"
    if waiting == "block":
        return f"Waits at a closed gate for a person: {way}{checks}"
    return f"Next {gate.to_phase}: {listing(gate.open_checks)}" if checks else f"Next {gate.to_phase}"


def _decision(decision: Mapping[str, Any], now: datetime) -> str:
    when = ago(now, datetime.fromtimestamp(decision["at"], UTC))
    reason = f": {one_line(str(decision['reason']), 200)}" if decision["reason"] else ""
    return f"The gate was {decision['decision']} by {one_line(str(decision['by']), 80)} {when}{reason}"


def phase(run: Run, gate: GateCheck) -> str:
    """Where the sprint is and what the next step needs."""
    needs = (
        f"It still needs: {listing(gate.open_checks)}." if gate.open_checks else "Nothing stands in its way."
    )
    where = f"{quoted(run.goal)} is in {run.phase} {dots(run.phases.index(run.phase), len(run.phases))}"
    return f"{where}{_place(run)}. Next is {gate.to_phase}. {needs}"


def started(run: Run) -> str:
    budget = f"{tokens(run.budget)} tokens" if run.budget else "no token budget"
    return f"{quoted(run.goal)} has started. It is in {run.phase} and has {budget}. (run {run.id})"


def moved(run: Run, from_phase: str, event: str) -> str:
    """A move that happened."""
    if run.status == "completed":
        took = duration((run.updated_at - run.created_at).total_seconds())
        return f"{quoted(run.goal)} is complete after {took}, {tokens(run.used)} tokens. (run {run.id})"
    verb = {"rollback": "went back", "override": "went on although its gate was closed"}.get(event, "went on")
    return f"{quoted(run.goal)} {verb}: from {from_phase} to {run.phase}. (run {run.id})"


def stayed(run: Run, to_phase: str, event: str, gate: GateCheck | None) -> str:
    """A move that did not happen, and why."""
    if event == "pause":
        why = "it does not advance by itself, so a person has to let it go on"
    else:
        why = listing(gate.open_checks) if gate and gate.open_checks else "its gate is closed"
    return f"{quoted(run.goal)} stays in {run.phase}; {to_phase} has to wait: {why}. (run {run.id})"


def decided(run: Run, to_phase: str, decision: str) -> str:
    """A gate that a person turned down or put off."""
    if decision == "rejected":
        return (
            f"Rejected: {quoted(run.goal)} stays in {run.phase} and does not go to {to_phase}. (run {run.id})"
        )
    later = f"whether it goes to {to_phase} is decided later"
    return f"Deferred: {quoted(run.goal)} stays in {run.phase}; {later}. (run {run.id})"


def paced(run: Run) -> str:
    """A run that was paused or resumed."""
    if run.auto_advance:
        return f"Resumed: {quoted(run.goal)} moves on by itself again; it is in {run.phase}. (run {run.id})"
    return f"Paused: {quoted(run.goal)} stays in {run.phase} and asks before it moves on. (run {run.id})"


def cancelled(run: Run, children: int = 0) -> str:
    along = f", and {plural(children, 'run')} of its projects with it" if children else ""
    return f"Cancelled: {quoted(run.goal)} was in {run.phase}{along}; its work stays. (run {run.id})"


def extended(run: Run, more: int) -> str:
    budget = run.budget or 0
    left = tokens(max(0, budget - run.used))
    total = f"{tokens(budget)} in all, {left} left"
    return f"{quoted(run.goal)} got {tokens(more)} more tokens: {total}. (run {run.id})"


def widened(run: Run, dispatches: int) -> str:
    """A portfolio that may start more agents."""
    return f"{quoted(run.goal)} may start {dispatches} agents in all now. (run {run.id})"


def continued(run: Run) -> str:
    """A run that takes the place of one whose budget cannot grow."""
    budget = tokens(run.budget or 0)
    return (
        f"{quoted(run.goal)} has started in {run.phase} with {budget} tokens and takes the place of the old "
        f"run, which was stopped. (run {run.id})"
    )


def spent(run: Run, used: int) -> str:
    share = f", {run.used * 100 // run.budget} % of {tokens(run.budget)}" if run.budget else ""
    return f"{tokens(used)} tokens spent; {tokens(run.used)} so far{share}. (run {run.id})"


def checked(gate: GateCheck) -> str:
    """A gate as it stands."""
    way = f"{gate.from_phase} → {gate.to_phase}"
    if gate.result == "none":
        return f"{way}: nothing is checked."
    if gate.result == "pass":
        return f"{way}: open."
    return f"{way}: closed ({gate.tier.value}): {listing(gate.open_checks)}."


def listed(runs: Sequence[Run]) -> str:
    return "\n".join(line(run) for run in runs) if runs else "There are no runs."
