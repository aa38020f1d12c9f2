"""What kernel notices become: the questions they put to people, and the quiet lines. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Any

from demarch.kernel import Run
from demarch.notices import Notice
from demarch.phrases import dots, duration, tokens
from host.decisions.approvals import Draft, Kind
from host.news.chart import SHORTEST
from host.phrases import one_line, quoted, sentence
from host.times import stamp

FINISHED_STAYS = timedelta(days=1)
PACE = timedelta(hours=3)  #: how far back the pace of spending is measured


def gate_dedupe(project: str, run: str, here: str, there: str) -> str:
    return f"gate:{project}:{run}:{here}>{there}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a question is put, and whose run it is about."""

    folder: str
    address: str
    project: str


def gate_draft(notice: Notice, place: Place, expires_at: datetime) -> Draft:
    return Draft(
        kind=Kind.GATE,
        folder=place.folder,
        address=place.address,
        project=place.project,
        run=notice.run.id,
        dedupe=gate_dedupe(place.project, notice.run.id, notice.from_phase, notice.to_phase),
        subject=gate_subject(notice),
        expires_at=expires_at,
    )


def gate_subject(notice: Notice) -> dict[str, Any]:
    return {
        "goal": one_line(notice.run.goal, 200),
        "from": notice.from_phase,
        "to": notice.to_phase,
        "last": notice.to_phase == notice.run.phases[-1],
        "cause": notice.cause,
        "reason": _reason(notice),
        "evidence": [one_line(line, 400) for line in notice.evidence[:50]],
        "event": _event(notice),
    }


def _reason(notice: Notice) -> str:
    if notice.cause == "pause" and notice.reason in ("", "auto_advance disabled"):
        return "This run asks before it moves on."
    if notice.reason or notice.evidence:
        return sentence(notice.reason, 400)
    return "Its gate did not let it through."


def budget_dedupe(project: str, run: str) -> str:
    return f"budget:{project}:{run}"


def budget_draft(notice: Notice, place: Place, expires_at: datetime, percent: int) -> Draft:
    run = notice.run
    return Draft(
        kind=Kind.BUDGET,
        folder=place.folder,
        address=place.address,
        project=place.project,
        run=run.id,
        dedupe=budget_dedupe(place.project, run.id),
        subject={
            "goal": one_line(run.goal, 200),
            "used": run.used,
            "budget": run.budget or 0,
            "grant": max(1, (run.budget or 0) * percent // 100),
            "percent": percent,
            "pace": pace(run),
            "extension": run.extension.value,
            "event": _event(notice),
        },
        expires_at=expires_at,
    )


def finished_draft(notice: Notice, place: Place, now: datetime) -> Draft:
    run = notice.run
    share = f" of {tokens(run.budget)} ({run.used * 100 // run.budget} %)" if run.budget else ""
    return Draft(
        kind=Kind.FINISHED,
        folder=place.folder,
        address=place.address,
        project=place.project,
        run=run.id,
        dedupe=f"finished:{place.project}:{run.id}",
        subject={
            "goal": one_line(run.goal, 200),
            "seconds": int((notice.event.timestamp - run.created_at).total_seconds()),
            "used": run.used,
            "lines": [
                f"All {len(run.phases)} phases are behind it; {tokens(run.used)}{share} tokens were used."
            ],
            "event": _event(notice),
        },
        expires_at=now + FINISHED_STAYS,
    )


def pace(run: Run) -> float:
    """Tokens per second lately; 0 when that cannot be said."""
    if len(run.spent) < 2:
        return 0.0
    end, used = run.spent[-1]
    begin, before = next(point for point in run.spent if point[0] >= end - PACE)
    took = end - begin
    return (used - before) / took.total_seconds() if took >= SHORTEST else 0.0


def phase_line(notice: Notice) -> str:
    phases = list(notice.run.phases)
    here = notice.to_phase
    bar = f"  {dots(phases.index(here), len(phases))}" if here in phases else ""
    return f"📋 {quoted(notice.run.goal)} is in {one_line(here, 40)}{bar}"


def cancelled_line(notice: Notice, who: str) -> str:
    by = f" by {who}" if who else ""
    # Who stopped it with a button left no other reason than that.
    told = who and who in notice.reason
    reason = f" {sentence(notice.reason, 200)}" if notice.reason and not told else ""
    where = one_line(notice.run.phase, 40)
    return f"🛑 {quoted(notice.run.goal)} was stopped{by} in {where}; its work stays.{reason}"


def warning_line(notice: Notice) -> str:
    run = notice.run
    budget = run.budget or 0
    percent = run.used * 100 // budget if budget else 0
    return f"💰 {quoted(run.goal)} has used {tokens(run.used)} of {tokens(budget)} tokens ({percent} %)."


def stale_line(notice: Notice) -> str:
    lasts = duration(int(notice.data.get("seconds", 0)))
    return f"⏰ {quoted(notice.run.goal)} has been in {one_line(notice.run.phase, 40)} for {lasts}."


def review_line(notice: Notice) -> str:
    words = f": {sentence(notice.reason, 200)}" if notice.reason else "."
    return f"🔎 The reviewers of {quoted(notice.run.goal)} agree now{words}"


def resolved(notice: Notice, who: str, now: datetime, zone: tzinfo) -> str:
    """What a card says when its question was answered without it."""
    how = str(notice.data.get("how", ""))
    words = _RESOLVED.get(how, "the run moved").format(
        here=one_line(notice.from_phase, 40), there=one_line(notice.to_phase, 40)
    )
    by = f" by {who}" if who else ""
    return f"Resolved elsewhere{by} at {stamp(notice.event.timestamp, now, zone)}: {words}."


def voids(notice: Notice, subject: Mapping[str, Any]) -> bool:
    """Whether what happened answers the question of a gate's card."""
    how = notice.data.get("how")
    if how == "cancel":
        return True
    if how == "skip":
        return bool(subject["to"] == notice.to_phase)
    if how == "reject":
        return (subject["from"], subject["to"]) == (notice.from_phase, notice.to_phase)
    return bool(subject["from"] == notice.from_phase)


_RESOLVED = {
    "advance": "the run went on to {there}",
    "override": "the gate was overridden, the run is in {there}",
    "rollback": "the run went back to {there}",
    "skip": "{there} is skipped",
    "cancel": "the run was stopped",
    "reject": "the gate was turned down, the run stays in {here}",
}


def _event(notice: Notice) -> dict[str, Any]:
    return {"source": notice.event.source, "id": notice.event.id}
