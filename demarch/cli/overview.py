"""What people ask a project as a whole: what changed, is it ready for me, who decided; from `ic` and `bd`."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

from demarch import changes, deciders
from demarch import parameters as takes
from demarch.cli import artifacts, issues, latest, research, reviews, runs, standing
from demarch.cli.beside import side_by_side
from demarch.cli.parsing import Data, text_of
from demarch.cli.reads import NO_RUN, Answer, Reading, look
from demarch.errors import KernelUnavailable
from demarch.kernel import KernelEvent, Outcome, Run
from demarch.phrases import one_line
from demarch.readiness import Seen
from demarch.readiness import readiness as is_ready
from demarch.telling import changes as tell_changes
from demarch.telling import decisions as tell_decisions
from demarch.telling import readiness as tell_readiness

_KEPT = frozenset({"rejected", "deferred"})
_ASKED = 10  #: runs whose latest decision is looked up
_SAME = 5  #: seconds between a decision in the run's state and the same in the log


async def what_changed(at: Reading, params: takes.WhatChanged) -> Outcome:
    since = params.since_when(at.now) or at.now - timedelta(seconds=changes.DAY)
    async with side_by_side() as group:
        newest = group.create_task(latest.everywhere(at.runner, at.events, changes.MOST, at.now))
        known = group.create_task(runs.listed(at.runner, active=False))
        changed = group.create_task(_issues(at, since))
    found = [event for event in newest.result() if event.timestamp >= since]
    listed, missing = changed.result()
    of = changes.Material(
        since=since,
        now=at.now,
        events=found,
        runs=[runs.run_of(data) for data in known.result()],
        issues=listed,
        titles=await _titles(at, found),
        missing=missing,
    )
    data = changes.changes(of)
    return Outcome(text=tell_changes.changed(data), data=data)


async def _issues(at: Reading, since: datetime) -> tuple[Sequence[Data], tuple[str, ...]]:
    """Without a tracker the rest is told all the same."""
    try:
        return await issues.changed(at.runner, since, changes.ISSUES), ()
    except KernelUnavailable as error:
        return (), (f"Issues could not be read: {one_line(str(error), 300)}",)


async def _titles(at: Reading, events: Sequence[KernelEvent]) -> Mapping[str, str]:
    if not any(event.source == "discovery" for event in events):
        return {}
    found = await research.listed(at.runner, limit=research.SEARCHED)
    return {text_of(data, "id"): text_of(data, "title") for data in found}


async def readiness(at: Reading, params: takes.RunStatus) -> Outcome:
    data, _ = await runs.chosen(at.runner, params.run_id)
    if data is None:
        return NO_RUN
    async with side_by_side() as group:
        picture = group.create_task(look(at, data))
        verdicts = group.create_task(reviews.verdicts(at.runner, data))
        left = group.create_task(artifacts.listed(at.runner, text_of(data, "id")))
    found = picture.result()
    active = found.run.status == "active"
    seen = Seen(
        run=found.run,
        since=(found.place.since if active else None) or found.run.updated_at,
        gate=found.gate,
        waiting=found.waiting if active else None,
        decision=found.decision,
        verdicts=verdicts.result(),
        artifacts=left.result(),
    )
    return Outcome(text=tell_readiness.told(seen, at.now), data=is_ready(seen))


async def decisions(at: Reading, params: takes.Decisions) -> Outcome:
    """Moves and triage stand in the log; that a gate was turned down or put off, in the run's state."""
    if params.run_id is None:
        known = await runs.listed(at.runner, active=False)
        found = await latest.everywhere(at.runner, at.events, deciders.MOST, at.now)
    else:
        known = [await runs.get(at.runner, params.run_id)]
        found = await latest.of_run(at.runner, text_of(known[0], "id"), deciders.MOST, at.now)
    shown = [runs.run_of(data) for data in known]
    items = deciders.decisions(found, shown, await _titles(at, found))
    items = _merged(items, await _noted(at, params.run_id, shown), await _kept(at, known[:_ASKED]))
    since = params.since_when(at.now)
    since_second = int(since.timestamp()) if since else 0
    fitting = sorted((item for item in items if item["at"] >= since_second), key=lambda item: item["at"])
    told = fitting[-params.limit :]
    return Outcome(text=tell_decisions.listed(told, at.now), data={"decisions": told})


async def _noted(at: Reading, run_id: str | None, shown: Sequence[Run]) -> list[deciders.Item]:
    """What our own decisions left in the log beside the moves: the reasons of those that cannot carry one."""
    about = next((run.id for run in shown), "") if run_id else ""
    return deciders.decisions(await latest.noted(at.runner, about, at.now), shown)


def _merged(
    moves: Sequence[deciders.Item], noted: Sequence[deciders.Item], kept: Sequence[deciders.Item]
) -> list[deciders.Item]:
    """One decision once: what the run's state keeps of it says most, what was noted says more than a move."""
    stopped = {item["about"] for item in noted if item["type"] == "run.cancelled"}
    said = {(item["about"], item["type"], item["at"]) for item in kept}
    return [
        *(item for item in moves if item["type"] != "cancel" or item["about"] not in stopped),
        *(item for item in noted if not _near(item, said)),
        *kept,
    ]


def _near(item: deciders.Item, said: Collection[tuple[str, str, int]]) -> bool:
    return any((item["about"], item["type"]) == (a, t) and abs(item["at"] - at) <= _SAME for a, t, at in said)


async def _kept(at: Reading, known: Sequence[Data]) -> list[deciders.Item]:
    async with side_by_side() as group:
        tasks = [(run, group.create_task(standing.decision(at.runner, run))) for run in known]
    return [
        deciders.decision_of(made, text_of(run, "goal"))
        for run, task in tasks
        if (made := task.result()) is not None and made["decision"] in _KEPT
    ]


OVERVIEW: Mapping[str, Answer] = {
    "what_changed": what_changed,
    "readiness": readiness,
    "decisions": decisions,
}
