"""What every reading operation of the table answers from `ic` and `bd`, in the words of every kernel."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from demarch import parameters as takes
from demarch.cli import artifacts, issues, latest, research, reviews, runs, standing
from demarch.cli.beside import side_by_side
from demarch.cli.events import Events
from demarch.cli.failures import NotStarted
from demarch.cli.history import Place, history, place
from demarch.cli.parsing import Data, text_of
from demarch.cli.process import Runner
from demarch.embedded.events import event_data
from demarch.gates import GateCheck
from demarch.kernel import Outcome, Run
from demarch.telling import events as tell_events
from demarch.telling import findings as tell_findings
from demarch.telling import issues as tell_issues
from demarch.telling import runs as tell_runs

NO_RUN = Outcome(text="No run is active.", data={"found": False})
_OTHERS = 5


@dataclass(frozen=True, slots=True)
class Reading:
    """Where and when a read happens."""

    runner: Runner
    events: Events
    now: datetime


Answer = Callable[[Reading, Any], Awaitable[Outcome]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """All that one look at a run finds."""

    data: Data
    run: Run
    place: Place
    usage: Data
    gate: GateCheck | None
    decision: Data | None

    @property
    def waiting(self) -> str | None:
        """A gate that was turned down waits for nobody until a new attempt."""
        rejected = self.decision is not None and self.decision["decision"] == "rejected"
        since = self.place.waiting_since
        over = (
            rejected and self.decision is not None and since and self.decision["at"] >= int(since.timestamp())
        )
        return None if over else self.place.waiting


async def look(at: Reading, data: Data) -> Picture:
    run_id = text_of(data, "id")
    active = text_of(data, "status") == "active"
    async with side_by_side() as group:
        usage = group.create_task(runs.usage(at.runner, data))
        past = group.create_task(history(at.runner, run_id))
        gate = group.create_task(standing.check(at.runner, run_id)) if active else None
        decision = group.create_task(standing.decision(at.runner, data)) if active else None
    where = place(data, past.result())
    return Picture(
        data=data,
        run=runs.run_of(data, usage.result(), where.since),
        place=where,
        usage=usage.result(),
        gate=gate.result() if gate else None,
        decision=standing.still_says(decision.result(), data, where.since) if decision else None,
    )


async def run_status(at: Reading, params: takes.RunStatus) -> Outcome:
    data, others = await runs.chosen(at.runner, params.run_id)
    if data is None:
        return NO_RUN
    seen = await look(at, data)
    run, shown = seen.run, [runs.run_of(other) for other in others[:_OTHERS]]
    text = tell_runs.status(
        run,
        at.now,
        since=(seen.place.since if run.status == "active" else None) or run.updated_at,
        gate=seen.gate,
        waiting=seen.waiting,
        decision=seen.decision,
        others=shown,
    )
    return Outcome(text=text, data=_status_data(seen) | {"others": [other.id for other in shown]})


def _status_data(seen: Picture) -> Data:
    data = runs.run_data(seen.data, seen.run.used) | {"found": True, "budget": seen.usage}
    if seen.run.phase_at:
        data["phase_at"] = int(seen.run.phase_at.timestamp())
    if seen.waiting and seen.place.waiting_since:
        data |= {"waiting": seen.waiting, "waiting_since": int(seen.place.waiting_since.timestamp())}
    if seen.gate is not None:
        data["gate"] = seen.gate.data(seen.run.id)
    return data | {"decision": seen.decision} if seen.decision else data


async def sprint_phase(at: Reading, params: takes.Nothing) -> Outcome:
    data, _ = await runs.chosen(at.runner, None)
    if data is None:
        return NO_RUN
    run = runs.run_of(data)
    gate = await standing.check(at.runner, run.id) or standing.unchecked(run.phases, run.phase)
    found = {"found": True, "id": run.id, "phase": run.phase, "goal": run.goal}
    return Outcome(text=tell_runs.phase(run, gate), data=found | {"gate": gate.data(run.id)})


async def search_beads(at: Reading, params: takes.SearchBeads) -> Outcome:
    if params.id is not None:
        issue = await issues.show(at.runner, params.id)
        return Outcome(text=tell_issues.shown(issue), data={"issues": [issue]})
    if params.query is not None:
        found = await issues.search(at.runner, params.query, params.status or "", params.limit)
    else:
        found = await issues.listed(at.runner, params.status or "", params.limit)
    text = tell_issues.found(found, query=params.query, status=params.status)
    return Outcome(text=text, data={"issues": list(found)})


async def spec_lookup(at: Reading, params: takes.SpecLookup) -> Outcome:
    if params.artifact_id is not None:
        about, content = await artifacts.read(at.runner, params.artifact_id, params.run_id)
        text = tell_findings.artifact_text(about, content)
        return Outcome(text=text, data={"artifact": about, "content": content[: tell_findings.LONGEST]})
    data, _ = await runs.chosen(at.runner, params.run_id)
    if data is None:
        return NO_RUN
    run_id = text_of(data, "id")
    found = await artifacts.listed(at.runner, run_id)
    return Outcome(text=tell_findings.artifacts(found), data={"run_id": run_id, "artifacts": list(found)})


async def review_summary(at: Reading, params: takes.RunStatus) -> Outcome:
    try:
        data, _ = await runs.chosen(at.runner, params.run_id)
    except NotStarted:
        # The files are there to be read, whether or not anybody knows the run they are about.
        if params.run_id is not None:
            raise
        data = None
    run_id = text_of(data, "id") if data else None
    found = await reviews.verdicts(at.runner, data)
    text = tell_findings.verdicts(found, text_of(data, "goal") if data else "", at.now)
    return Outcome(text=text, data={"run_id": run_id, "verdicts": list(found)})


async def next_work(at: Reading, params: takes.NextWork) -> Outcome:
    found = await issues.ready(at.runner, params.limit, at.now)
    doors: Mapping[str, int] = {} if found else await issues.doors(at.runner)
    return Outcome(text=tell_issues.ready(found, doors), data={"issues": list(found), **doors})


async def run_events(at: Reading, params: takes.RunEvents) -> Outcome:
    if params.run_id is None:
        newest = await latest.everywhere(at.runner, at.events, params.limit, at.now)
    else:
        newest = await latest.of_run(at.runner, params.run_id.lower(), params.limit, at.now)
    since = params.since_when(at.now)
    found = [event for event in newest if since is None or event.timestamp >= since]
    data: Sequence[Data] = [event_data(event) for event in found]
    return Outcome(text=tell_events.listed(found, at.now), data={"events": list(data)})


async def research_(at: Reading, params: takes.Research) -> Outcome:
    found = await research.search(at.runner, params.query, params.limit)
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
    "research": research_,
}
