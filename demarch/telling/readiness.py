"""Whether a run is ready for a person, in words: yes or not yet first, then why and what to look at."""

from datetime import datetime

from demarch.phrases import ago, listing, quoted, tokens
from demarch.readiness import SHOWN, Seen, Stage, readiness, stage
from demarch.telling import findings


def told(seen: Seen, now: datetime) -> str:
    data = readiness(seen)
    lines = [_answer(seen, now)]
    if data["open"]:
        lines.append(f"Still open: {listing(data['open'])}.")
    if (made := seen.decision) and seen.run.status == "active":
        lines.append(f"The gate was {made['decision']} by {made['by']}.")
    lines += _budget(seen)
    lines += [findings.verdict(verdict, now) for verdict in seen.verdicts[:SHOWN]]
    lines += [findings.artifact(artifact) for artifact in data["artifacts"]]
    return "\n".join([*lines, f"run {seen.run.id}"])


def _answer(seen: Seen, now: datetime) -> str:
    run, when = seen.run, ago(now, seen.since)
    goal, way = quoted(run.goal), f"{run.phase} → {seen.gate.to_phase}" if seen.gate else run.phase
    match stage(seen):
        case Stage.DECIDE:
            return f"Yes: {goal} waits for your decision, {way}."
        case Stage.LOOK:
            return f"Yes: {goal} is done ({when}). Its results can be looked at."
        case Stage.MOVES_ON:
            return f"Nothing for you to do: {goal} is in {run.phase} ({when}) and goes on by itself."
        case Stage.WORKING:
            return f"Not yet: {goal} is in {run.phase} ({when}), next is {_next(seen)}."
        case Stage.OVER:
            return f"No: {goal} was {run.status} in {run.phase} ({when})."


def _next(seen: Seen) -> str:
    return seen.gate.to_phase if seen.gate else "its next phase"


def _budget(seen: Seen) -> list[str]:
    run = seen.run
    if not run.budget or run.used * 100 < run.budget * run.warn_pct:
        return []
    return [f"{run.used * 100 // run.budget} % of its {tokens(run.budget)} tokens are used."]
