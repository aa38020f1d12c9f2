"""What a call will do, in one sentence, for the card a person decides on."""

from functools import singledispatch

from pydantic import BaseModel

from demarch import parameters as takes
from demarch.kernel import Extension, Run
from demarch.operations import Call
from demarch.phrases import listing, one_line, quoted, tokens


def effect(call: Call, run: Run | None = None) -> str:
    """One sentence. With the run at hand it is called by its goal, without it by its id."""
    return _tell(call.params, call.operation.name, run) or call.operation.summary


@singledispatch
def _tell(params: BaseModel, name: str, run: Run | None) -> str:
    return ""


def _named(run_id: str, run: Run | None) -> str:
    return f"The run {quoted(run.goal)}" if run else f"The run {run_id}"


@_tell.register
def _(params: takes.GateDecision, name: str, run: Run | None) -> str:
    here = params.from_phase or (run.phase if run else "its phase")
    if name == "reject_gate":
        return f"{_named(params.run_id, run)} stays in {here}, and the refusal is on record."
    return f"{_named(params.run_id, run)} stays in {here}; the decision waits for later."


@_tell.register
def _(params: takes.ApproveGate, name: str, run: Run | None) -> str:
    here = params.from_phase or (run.phase if run else "")
    way = f"goes from {here} to" if here else "goes on to"
    anyway = "" if params.cause == "pause" else " anyway"
    return f"{_named(params.run_id, run)} {way} {params.to_phase or 'its next phase'}{anyway}."


@_tell.register
def _(params: takes.StartRun, name: str, run: Run | None) -> str:
    budget = f"with {tokens(params.token_budget)} tokens" if params.token_budget else "without a token budget"
    project = f" in {one_line(params.project, 60)}" if params.project else ""
    return f"The run {quoted(params.title)} starts now{project}, {budget}, complexity {params.complexity}."


@_tell.register
def _(params: takes.AdvancePhase, name: str, run: Run | None) -> str:
    here = params.from_phase or (run.phase if run else "")
    way = f"from {here} to its next phase" if here else "to its next phase"
    return f"{_named(params.run_id, run)} moves {way}, if its gate allows it."


@_tell.register
def _(params: takes.RunAction, name: str, run: Run | None) -> str:
    if name == "pause_run":
        return f"{_named(params.run_id, run)} finishes its phase and asks before the next one."
    if name == "resume_run":
        return f"{_named(params.run_id, run)} moves on by itself again."
    return f"{_named(params.run_id, run)} stops for good; its work stays."


@_tell.register
def _(params: takes.ExtendBudget, name: str, run: Run | None) -> str:
    if run and run.extension is Extension.FOLLOW_UP:
        return f"A new run with a larger budget continues {quoted(run.goal)}; the old one is stopped."
    if run and run.extension is Extension.DISPATCHES:
        return f"{_named(params.run_id, run)} may start more agents."
    if params.tokens:
        return f"{_named(params.run_id, run)} gets {tokens(params.tokens)} more tokens."
    percent = params.percent or takes.EXTENSION
    more = f" ({tokens(run.budget * percent // 100)} more)" if run and run.budget else ""
    return f"{_named(params.run_id, run)} gets {percent} % more tokens{more}."


@_tell.register
def _(params: takes.CreateIssue, name: str, run: Run | None) -> str:
    return f"A new {params.issue_type} is filed: {quoted(params.title)}, priority {params.priority}."


@_tell.register
def _(params: takes.UpdateIssue, name: str, run: Run | None) -> str:
    return f"The issue {params.id} changes its {listing(sorted(params.model_fields_set - {'id'}))}."


@_tell.register
def _(params: takes.CloseIssue, name: str, run: Run | None) -> str:
    return f"The issue {params.id} is closed{': ' + params.reason if params.reason else ''}."


@_tell.register
def _(params: takes.RegisterFinding, name: str, run: Run | None) -> str:
    return f"The finding {quoted(params.title)} is kept, to be researched and triaged."


@_tell.register
def _(params: takes.DiscoveryAction, name: str, run: Run | None) -> str:
    return f"The discovery {params.discovery_id} is put aside for good."


@_tell.register
def _(params: takes.PromoteDiscovery, name: str, run: Run | None) -> str:
    where = f"the issue {params.issue_id}" if params.issue_id else f"a new issue, priority {params.priority}"
    return f"The discovery {params.discovery_id} becomes {where}."
