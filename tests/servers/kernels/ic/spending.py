"""`ic run tokens` and `ic run budget`: what a run used, and how much of its budget that is."""

from __future__ import annotations

from tests.servers.kernels import shell
from tests.servers.kernels.ic import budgets, moves, rows
from tests.servers.kernels.ic import words as said
from tests.servers.kernels.ic.database import Database

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def tokens(place: Database, words: list[str]) -> int:
    run_id = said.first(words, "run tokens", "run tokens <run_id>")
    spent = budgets.Spending(place.open(), run_id)
    told: dict[str, Any] = {"run_id": run_id, "input_tokens": spent.taken, "output_tokens": spent.given}
    told |= {"cache_hits": spent.cached, "total_tokens": spent.total}
    if spent.taken:
        told["cache_ratio"] = spent.cached / (spent.taken + spent.cached) * 100
    elif spent.cached:
        told["cache_ratio"] = 0
    if place.json:
        rows.print_json(dict(sorted(told.items())))
    else:
        shell.say(f"Run: {run_id}\n  Total tokens:  {spent.total}")
    return 0


def budget(place: Database, words: list[str]) -> int:
    run_id = said.first(words, "run budget", "run budget <run_id>")
    db = place.open()
    standing = budgets.check(db, moves.find(db, run_id))
    if standing is None:
        if place.json:
            rows.print_json({"budget": None, "message": "no budget set", "run_id": run_id})
        else:
            shell.say(f"Run {run_id}: no budget set")
        return 0
    told = {
        "budget": standing.budget,
        "exceeded": standing.exceeded,
        "run_id": run_id,
        "usage_pct": standing.used / standing.budget * 100,
        "used": standing.used,
        "warn_pct": standing.warn_pct,
        "warning": standing.warning,
    }
    if place.json:
        rows.print_json(told)
    else:
        shell.say(
            f"Run: {run_id}\n  Budget:    {standing.budget} tokens\n  Used:      {standing.used} tokens"
        )
    return 1 if standing.exceeded else 0
