"""Runs as `ic` tells them: found, listed, with what they spent, and in the shape the rest of us knows."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from demarch.cli.beside import side_by_side
from demarch.cli.commands import command, flagged
from demarch.cli.failures import Garbled
from demarch.cli.history import history, place
from demarch.cli.older import if_known
from demarch.cli.parsing import Data, an_object, line_of, moment_of, number_of, objects, text_of
from demarch.cli.process import Runner
from demarch.errors import NotFound
from demarch.kernel import Extension, Run
from demarch.phases import DEFAULT_PHASES
from demarch.phrases import one_line

#: what a run made from a goal goes through, when it does not say so itself
GOAL_PHASES = ("goal-formed", "planned", "executing", "review", "polish", "reflect", "done")
_COUNTED = 20  #: runs of a list whose spending is looked up
_BEGINNING = datetime.fromtimestamp(0, UTC)


async def get(runner: Runner, run_id: str) -> Data:
    """Raises NotFound."""
    result = await runner.ask(command("run.status", run_id.lower()))
    if result.code and not objects(result.out):
        raise NotFound(f"There is no run {one_line(run_id, 60)}.")
    return _whole(an_object(result.out))


async def current(runner: Runner) -> str | None:
    """The id of the youngest active run that was started in this very folder."""
    result = await runner.ask(command("run.current"))
    found = objects(result.out)
    return text_of(found[0], "id") or None if found and found[0].get("found", True) else None


async def listed(runner: Runner, *, active: bool, limit: int = 100) -> Sequence[Data]:
    """The youngest first."""
    listing = command("run.list")
    result = await runner.ask(flagged(listing, "active") if active else listing)
    found = [_whole(data) for data in objects(result.out)]
    found.sort(key=lambda data: (-number_of(data, "created_at"), text_of(data, "id")))
    return found[:limit]


async def chosen(runner: Runner, run_id: str | None) -> tuple[Data | None, Sequence[Data]]:
    """The run that is asked for, or the current one and beside it the other active ones."""
    if run_id is not None:
        return await get(runner, run_id), ()
    async with side_by_side() as group:
        here = group.create_task(current(runner))
        active = group.create_task(listed(runner, active=True))
    runs = active.result()
    # A portfolio, or a run started for another folder of the project, is nobody's current one.
    now = here.result() or (text_of(runs[0], "id") if runs else None)
    if now is None:
        return None, ()
    return await get(runner, now), [data for data in runs if text_of(data, "id") != now]


async def usage(runner: Runner, data: Mapping[str, Any]) -> Data:
    """What it spent, in the words of `ic run budget`; the thresholds as they stand, not only when crossed."""
    run_id, budget = text_of(data, "id"), number_of(data, "token_budget")
    if not budget:
        spent = await _maybe(runner, "run.tokens", run_id)
        used = number_of(spent, "total_tokens")
        return {"run_id": run_id, "budget": None, "used": used, "message": "no budget set"}
    spent = await _maybe(runner, "run.budget", run_id)
    used = number_of(spent, "used")
    warn = number_of(spent, "warn_pct") or number_of(data, "budget_warn_pct") or 80
    return {
        "run_id": run_id,
        "budget": budget,
        "used": used,
        "warn_pct": warn,
        "usage_pct": used * 100 // budget,
        "warning": used * 100 >= budget * warn,
        "exceeded": used >= budget,
    }


async def _maybe(runner: Runner, name: str, run_id: str) -> Data:
    result = await if_known(runner, command(name, run_id))
    found = objects(result.out) if result else ()
    return found[0] if found else {}


async def load(runner: Runner, run_id: str) -> Run:
    """A run with what it spent and since when it is in its phase."""
    async with side_by_side() as group:
        # A card waits for this: what needs nothing but the id begins at once.
        past = group.create_task(history(runner, run_id.lower()))
        data = await get(runner, run_id)
        spent = group.create_task(usage(runner, data))
    return run_of(data, spent.result(), place(data, past.result()).since)


async def told(runner: Runner, *, active: bool) -> Sequence[Run]:
    """The youngest hundred; what was spent is asked for where a budget makes it matter, of a screenful."""
    found = await listed(runner, active=active)
    counted = [
        data for data in found if number_of(data, "token_budget") and line_of(data, "status") == "active"
    ]
    async with side_by_side() as group:
        tasks = {text_of(data, "id"): group.create_task(usage(runner, data)) for data in counted[:_COUNTED]}
    spent = {run_id: task.result() for run_id, task in tasks.items()}
    return [run_of(data, spent.get(text_of(data, "id"))) for data in found]


def chain(data: Mapping[str, Any]) -> tuple[str, ...]:
    """Its phases in order, the last one ends it; the phase it is in always among them."""
    given = data.get("phases")
    own = (
        [one_line(phase, 64) for phase in given if isinstance(phase, str)] if isinstance(given, list) else []
    )
    here = line_of(data, "phase")
    phases = tuple(phase for phase in own if phase) or (
        GOAL_PHASES if here == GOAL_PHASES[0] else DEFAULT_PHASES
    )
    # Runs of an older kernel may stand in a phase that has been renamed since.
    return phases if here in phases or not here else (*phases[:-1], here, phases[-1])


def run_of(
    data: Mapping[str, Any], spent: Mapping[str, Any] | None = None, since: datetime | None = None
) -> Run:
    spent = spent or {}
    created = moment_of(data, "created_at") or _BEGINNING
    return Run(
        id=text_of(data, "id"),
        goal=text_of(data, "goal"),
        status=line_of(data, "status"),
        phase=line_of(data, "phase"),
        phases=chain(data),
        created_at=created,
        updated_at=moment_of(data, "updated_at") or created,
        phase_at=since,
        budget=number_of(data, "token_budget") or None,
        used=number_of(spent, "used"),
        warn_pct=number_of(data, "budget_warn_pct") or 80,
        auto_advance=data.get("auto_advance") is not False,
        extension=_extension(data),
    )


def _extension(data: Mapping[str, Any]) -> Extension:
    portfolio = data.get("project_dir") == "" or data.get("children") or number_of(data, "max_dispatches")
    return Extension.DISPATCHES if portfolio else Extension.FOLLOW_UP


def run_data(data: Mapping[str, Any], used: int) -> Data:
    """A run as `ic run status` prints it, in the words every kernel of ours uses."""
    whole = dict(data) | {"phases": list(chain(data)), "used_tokens": used}
    metadata = _metadata(data.get("metadata"))
    if metadata:
        whole["metadata"] = metadata
    if isinstance(metadata.get("description"), str):
        whole["description"] = metadata["description"]
    if isinstance(children := data.get("children"), list):
        shown = ("id", "status", "phase", "goal", "project_dir")
        whole["children"] = [
            {name: child.get(name) for name in shown} for child in children if isinstance(child, dict)
        ]
    return whole


def _metadata(written: object) -> Data:
    """`ic` keeps it as text."""
    if isinstance(written, dict):
        return written
    try:
        found = objects(written) if isinstance(written, str) else ()
    except Garbled:
        return {}
    return found[0] if found else {}


def _whole(data: Data) -> Data:
    if not text_of(data, "id"):
        raise Garbled("The kernel answered with a run that has no id.")
    return data
