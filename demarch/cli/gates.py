"""Gates: a person lets a run through, turns it down or puts it off; a run tries its next phase.

A gate has no id: it is one transition of one run. The kernel takes neither an expected phase nor the name of
a person, so the run is looked at before, the reason carries person and key, and the run is looked at again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import structlog

from demarch import parameters as takes
from demarch.cli import decided, runs
from demarch.cli.commands import command, flagged
from demarch.cli.evidence import Astray, Said, Work, done
from demarch.cli.history import history, place
from demarch.cli.marks import marked, signed
from demarch.cli.parsing import Data, complaint, line_of, objects, text_of
from demarch.cli.process import Result, Runner
from demarch.cli.standing import check
from demarch.cli.trail import Step, is_last, newest, own_step, step_of, taken_back
from demarch.errors import Conflict, DemarchError, KernelUnavailable, NotPossible
from demarch.kernel import Outcome
from demarch.phases import next_phase
from demarch.phrases import duration, one_line, quoted
from demarch.telling import runs as tell
from storage.clock import Clock

log = structlog.get_logger()

_HARD = 1  #: a person asked: a failing gate keeps the run


class Transitions:
    """What all decisions about a transition share."""

    def __init__(self, runner: Runner, clock: Clock) -> None:
        self._runner = runner
        self._clock = clock

    def about(self, params: takes.GateDecision | takes.AdvancePhase) -> str:
        return params.run_id.lower()

    async def see(self, params: takes.GateDecision | takes.AdvancePhase) -> Mapping[str, Any]:
        """The run where the caller believes it to stand, or Conflict."""
        data = await runs.get(self._runner, params.run_id)
        events = await history(self._runner, text_of(data, "id"))
        phase, phases = line_of(data, "phase"), runs.chain(data)
        if text_of(data, "status") != "active" or params.from_phase not in (None, phase):
            raise self._moved_on(data, events)
        # An advance walks past phases that were marked as skipped, an override does not.
        skipped = [line_of(event, "to_phase") for event in events if text_of(event, "event_type") == "skip"]
        ahead = next_phase(phases, phase, skipped) or phase
        wanted = params.to_phase if isinstance(params, takes.GateDecision) else None
        if wanted not in (None, ahead, next_phase(phases, phase)):
            way = f"from {phase} to {ahead} now, not to {wanted}"
            goal = quoted(text_of(data, "goal"))
            raise Conflict(f"The gate of {goal} leads {way}. Nothing was done.", now=phase)
        waiting = place(data, events).waiting
        return {
            "id": text_of(data, "id"), "phase": phase, "to": wanted or ahead, "last": phases[-1],
            "mark": newest(events), "waiting": waiting,
        }  # fmt: skip

    def _moved_on(self, data: Data, events: Sequence[Data]) -> Conflict:
        run = runs.run_of(data, since=place(data, events).since)
        active = run.status == "active"
        since = (run.phase_at or run.updated_at) if active else run.updated_at
        now = run.phase if active else run.status
        for_long = duration(max(0.0, (self._clock.now() - since).total_seconds()))
        where = f"in {now}" if active else now
        return Conflict(
            f"The run {quoted(run.goal)} has moved on: it has been {where} for {for_long}. Nothing was done.",
            now=now,
        )


class Moves(Transitions):
    """Those that try to move the run."""

    #: what the event log calls a move that went through; "" when it is nobody's decision about a gate
    announced = ""

    async def act(self, work: Work) -> Said | None:
        return await self.advance(work, "confirmed")

    async def advance(self, work: Work, word: str) -> Said:
        reason = marked(signed(work.params.reason, work.actor, word), work.key)
        told = command("run.advance", work.seen["id"], priority=_HARD, skip_reason=reason)
        return await self._answer(work, await done(self._runner, told), "")

    async def override(self, work: Work) -> Said:
        reason = marked(signed(work.params.reason, work.actor, "approved"), work.key)
        told = flagged(command("gate.override", work.seen["id"], reason=reason), "justified")
        return await self._answer(work, await done(self._runner, told), "override")

    async def _answer(self, work: Work, result: Result, kind: str) -> Said:
        found = objects(result.out)
        if found and text_of(found[0], "from_phase"):
            return found[0] | ({"event_type": kind} if kind else {})
        if result.code:
            raise await self._refused(work, complaint(result.out, result.err))
        raise KernelUnavailable("The kernel did not say what became of the move.")

    async def _refused(self, work: Work, why: str) -> DemarchError:
        """The kernel said no without an attempt: mostly because the run is not where it was a moment ago."""
        data = await runs.get(self._runner, work.seen["id"])
        if text_of(data, "status") != "active" or line_of(data, "phase") != work.seen["phase"]:
            return self._moved_on(data, await history(self._runner, work.seen["id"]))
        return NotPossible(f"The kernel did not let {quoted(text_of(data, 'goal'))} go on: {why}.")

    async def settle(self, work: Work, said: Said | None) -> Outcome | None:
        data = await runs.get(self._runner, work.seen["id"])
        events = await history(self._runner, work.seen["id"])
        step = _step(work, data, events) or (step_of(said) if said else None)
        if step is None:
            return None
        if step.from_phase != work.seen["phase"]:
            strayed = step.moved and await self._strayed(work, data, events, step)
            raise strayed or self._moved_on(data, events)
        if step.moved and self.announced:
            await self._announce(work, step)
        return await self._outcome(data, step)

    async def _announce(self, work: Work, step: Step) -> None:
        made = decided.decision(work, "approved", work.seen["id"], step.from_phase, step.to_phase)
        try:
            made = await decided.keep(self._runner, made)
        except KernelUnavailable as error:
            # The run moved, and the reason of the move names the person: that is on record.
            log.warning("decision.unkept", run=work.seen["id"], reason=str(error))
        await decided.announce(self._runner, self.announced, made)

    async def _outcome(self, data: Data, step: Step) -> Outcome:
        completed = step.moved and step.to_phase == runs.chain(data)[-1]
        run = runs.run_of(data, await runs.usage(self._runner, data) if completed else None)
        answer: dict[str, Any] = {
            "run_id": run.id, "from_phase": step.from_phase, "to_phase": step.to_phase,
            "event_type": step.kind, "advanced": step.moved,
            "completed": completed,
            "reason": step.reason, "gate_result": step.result, "gate_tier": step.tier,
            "evidence": {"conditions": [dict(condition) for condition in step.conditions]},
        }  # fmt: skip
        if not step.moved:
            here = replace(run, phase=step.from_phase)
            return Outcome(text=tell.stayed(here, step.to_phase, step.kind, step.gate), data=answer)
        # As it was then: it may have gone on since.
        there = replace(run, phase=step.to_phase, status="completed" if completed else "active")
        return Outcome(text=tell.moved(there, step.from_phase, step.kind), data=answer)

    async def _strayed(self, work: Work, data: Data, events: Sequence[Data], step: Step) -> Conflict:
        """The run moved between our look and the move: a gate was passed that nobody approved."""
        run_id, goal = work.seen["id"], quoted(text_of(data, "goal"))
        log.warning("gate.strayed", run=run_id, approved=work.seen["phase"], passed=step.from_phase)
        last = line_of(data, "phase") == step.to_phase and is_last(step, work.key, events)
        back = taken_back(work.key, events) or (last and await self._take_back(work, step))
        where = f"The run {goal} had moved on to {step.from_phase} in the same moment"
        if back:
            words = f"{where}; the step beyond it was taken back at once."
            return Conflict(words, now=step.from_phase, untouched=False)
        return Astray(
            f"{where} and was let through to {step.to_phase}, which nobody decided. A person must look.",
            now=step.to_phase,
            untouched=False,
        )

    async def _take_back(self, work: Work, step: Step) -> bool:
        reason = marked("taken back: the run had moved on before it was decided", work.key)
        told = command("run.rollback", work.seen["id"], to_phase=step.from_phase, reason=reason)
        # Where nobody knows whether that worked, the write stays open and is looked at again.
        result = await self._runner.ask(told)
        if result.code == 0 and not taken_back(work.key, await history(self._runner, work.seen["id"])):
            raise KernelUnavailable("The kernel did not say whether it took the move back.")
        return result.code == 0


class Approve(Moves):
    """Past a pause by advancing, past a block by overriding it."""

    announced = "gate.approved"

    async def act(self, work: Work) -> Said | None:
        if (work.params.cause or work.seen["waiting"]) == "pause":
            return await self.advance(work, "approved")
        if work.seen["to"] == work.seen["last"] and (needed := await self._evidence(work)) is not None:
            # An attempt to override this one is refused and logged as one more block: it is not even tried.
            if not needed:
                which = one_line(str(work.seen["id"]), 60)
                raise NotPossible(
                    f"The last gate of the run {which} wants evidence that its work runs; "
                    "nobody can override that."
                )
            return await self.advance(work, "approved")
        return await self.override(work)

    async def _evidence(self, work: Work) -> bool | None:
        """Whether the evidence that the work runs is there; None when the gate does not ask for it."""
        gate = await check(self._runner, work.seen["id"])
        asked = [c for c in gate.conditions if c.get("check") == "runtime_evidence"] if gate else []
        return all(c.get("result") == "pass" for c in asked) if asked else None


class Decide(Transitions):
    """The run stays where it is; the decision is on record."""

    def __init__(self, runner: Runner, clock: Clock, how: str) -> None:
        super().__init__(runner, clock)
        self._how = how  #: rejected or deferred

    async def act(self, work: Work) -> Said | None:
        seen = work.seen
        await decided.keep(
            self._runner, decided.decision(work, self._how, seen["id"], seen["phase"], seen["to"])
        )
        return None  # the kernel keeps silent about it

    async def settle(self, work: Work, said: Said | None) -> Outcome | None:
        made = await decided.kept(self._runner, work.seen["id"])
        if made is None or text_of(made, "key") != work.name:
            return None
        await decided.announce(self._runner, f"gate.{self._how}", made)
        data = await runs.get(self._runner, work.seen["id"])
        run = replace(runs.run_of(data), phase=work.seen["phase"])
        shown = {name: value for name, value in made.items() if name != "key"}
        return Outcome(text=tell.decided(run, work.seen["to"], self._how), data=shown)


def _step(work: Work, data: Data, events: Sequence[Data]) -> Step | None:
    seen = work.seen
    return own_step(work.key, seen["phase"], seen["to"], seen["mark"], line_of(data, "phase"), events)
