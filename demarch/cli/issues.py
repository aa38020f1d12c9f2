"""Issues as `bd` tells them: shown, searched, listed, and which are ready, each with its reason."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from demarch.cli.beside import side_by_side
from demarch.cli.commands import command, flagged
from demarch.cli.failures import Failed
from demarch.cli.parsing import Data, complaint, line_of, moment_of, number_of, objects, text_of
from demarch.cli.process import Runner
from demarch.errors import NotFound
from demarch.phrases import ago, one_line

MANY = 200  #: so many are put into order, or counted
_COUNTED = 100
_TEXTS = ("title", "description", "notes", "assignee", "created_by", "close_reason", "external_ref")
_TIMES = ("created_at", "updated_at", "started_at", "closed_at", "defer_until")
_MISSING = ("not found", "no issue found", "no issues found", "does not exist")


async def show(runner: Runner, issue_id: str) -> Data:
    """One issue with what it waits for. Raises NotFound."""
    result = await runner.ask(command("bd.show", issue_id.lower()))
    found = [data for data in objects(result.out) if text_of(data, "id")] if result.code == 0 else []
    if found:
        return issue_data(found[0]) | {"dependencies": _edges(found[0])}
    why = complaint(result.out, result.err)
    if result.code and "database" in why.lower():
        raise Failed(f"bd show failed: {why}", code=result.code)
    if result.code == 0 or any(sign in why.lower() for sign in _MISSING):
        raise NotFound(f"There is no issue {one_line(issue_id, 60)}.")
    raise Failed(f"bd show failed: {why or 'it gave no reason'}", code=result.code)


async def listed(runner: Runner, status: str, limit: int) -> Sequence[Data]:
    """By priority and age; closed ones only if asked for."""
    result = await runner.ask(command("bd.list", status=status or None, limit=max(limit, MANY)))
    return [issue_data(data) for data in _in_order(result.out)[:limit]]


async def changed(runner: Runner, since: datetime, limit: int) -> Sequence[Data]:
    """What was filed, changed or closed since then, closed ones too, the newest first."""
    # `bd` compares seconds and means later than, so one more is asked for.
    after = (since.astimezone(UTC) - timedelta(seconds=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    result = await runner.ask(flagged(command("bd.list", updated_after=after, limit=0), "all"))
    found = [issue_data(data) for data in _issues(result.out)]
    begin = since.astimezone(UTC).replace(microsecond=0).isoformat(timespec="seconds")
    fitting = [issue for issue in found if issue.get("updated_at", begin) >= begin]
    return sorted(fitting, key=lambda issue: str(issue.get("updated_at", "")), reverse=True)[:limit]


async def search(runner: Runner, query: str, status: str, limit: int) -> Sequence[Data]:
    result = await runner.ask(command("bd.search", query, status=status or None, limit=limit))
    return [issue_data(data) for data in _issues(result.out)[:limit]]


async def ready(runner: Runner, limit: int, now: datetime) -> Sequence[Data]:
    """What can be worked on, by priority and then age, each with the reason why it stands there."""
    result = await runner.ask(command("bd.ready", limit=max(limit, MANY)))
    return [issue_data(data) | {"reason": _why(data, now)} for data in _in_order(result.out)[:limit]]


async def doors(runner: Runner) -> Mapping[str, int]:
    """How much is in progress and how much is blocked, for when nothing is ready."""
    async with side_by_side() as group:
        busy = group.create_task(runner.ask(command("bd.list", status="in_progress", limit=MANY)))
        blocked = group.create_task(runner.ask(command("bd.blocked")))
    counts = {"in_progress": busy.result().out, "blocked": blocked.result().out}
    return {name: min(_COUNTED, len(_issues(out))) for name, out in counts.items()}


def _issues(out: str) -> Sequence[Data]:
    return [data for data in objects(out) if text_of(data, "id")]


def _in_order(out: str) -> Sequence[Data]:
    """`bd` puts the newest of a priority first: what has waited longest would wait for ever."""
    return sorted(
        _issues(out), key=lambda data: (number_of(data, "priority", 2), _filed(data), text_of(data, "id"))
    )


def _filed(data: Mapping[str, Any]) -> float:
    then = moment_of(data, "created_at")
    return then.timestamp() if then else 0.0


def _why(data: Mapping[str, Any], now: datetime) -> str:
    filed = moment_of(data, "created_at")
    reasons = [f"priority {number_of(data, 'priority', 2)}"]
    reasons += [f"filed {ago(now, filed)}"] if filed else []
    reasons.append("nothing blocks it")
    if waiting := number_of(data, "dependent_count"):
        reasons.append(f"{waiting} {'waits' if waiting == 1 else 'wait'} for it")
    return ", ".join(reasons)


def issue_data(data: Mapping[str, Any]) -> Data:
    """An issue in the shape every kernel of ours uses; nothing but one line where a sentence holds it."""
    issue: Data = {name: text_of(data, name) for name in _TEXTS if data.get(name)}
    for name in _TIMES:
        if (then := moment_of(data, name)) is not None:
            issue[name] = then.isoformat(timespec="seconds")
    given, edges = data.get("labels"), _edges(data)
    labels = given if isinstance(given, list) else []
    return issue | {
        "id": line_of(data, "id"),
        "title": text_of(data, "title"),
        "status": line_of(data, "status", 32) or "open",
        "priority": number_of(data, "priority", 2),
        "issue_type": line_of(data, "issue_type", 32) or "task",
        "labels": [one_line(label, 64) for label in labels if isinstance(label, str)],
        "blocked": _waits(issue, edges),
    }


def _waits(issue: Mapping[str, Any], edges: Sequence[Data]) -> bool:
    open_ones = (edge for edge in edges if edge["type"] == "blocks" and edge["status"] not in {"closed", ""})
    return "closed_at" not in issue and any(True for _ in open_ones)


def _edges(data: Mapping[str, Any]) -> list[Data]:
    """What it waits for: whole issues with the kind of edge beside them, or edges alone."""
    given = data.get("dependencies")
    return (
        [_edge(data, other) for other in given if isinstance(other, dict)] if isinstance(given, list) else []
    )


def _edge(data: Mapping[str, Any], other: Mapping[str, Any]) -> Data:
    target = line_of(other, "depends_on_id") or line_of(other, "id")
    return {
        "issue_id": line_of(data, "id"),
        "depends_on_id": target,
        "type": line_of(other, "dependency_type", 32) or line_of(other, "type", 32) or "blocks",
        "title": text_of(other, "title") or target,
        "status": line_of(other, "status", 32),
    }
