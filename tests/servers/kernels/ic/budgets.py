"""Token budgets: what a run used, and the two crossings that are told once."""

from __future__ import annotations

from tests.servers.kernels import notation
from tests.servers.kernels.ic import rows
from tests.servers.kernels.ic.database import stamp

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Spending:
    def __init__(self, db: Any, run_id: str) -> None:
        row = db.execute(
            "SELECT coalesce(sum(input_tokens), 0), coalesce(sum(output_tokens), 0),"
            " coalesce(sum(cache_hits), 0)"
            " FROM dispatches WHERE scope_id = ?",
            (run_id,),
        ).fetchone()
        self.taken, self.given, self.cached = (int(value) for value in row)

    @property
    def total(self) -> int:
        return self.taken + self.given


class Standing:
    """`warning` and `exceeded` are true only for the look that finds the crossing."""

    def __init__(self, run: Any, used: int) -> None:
        self.budget = int(run["token_budget"])
        self.used = used
        self.warn_pct = int(run["budget_warn_pct"])
        self.warning = False
        self.exceeded = False


def check(db: Any, run: Any) -> Standing | None:
    """Look, and tell a crossing that nobody found before. None without a budget."""
    if run is None or not run["token_budget"]:
        return None
    standing = Standing(run, Spending(db, run["id"]).total)
    threshold = standing.budget * standing.warn_pct // 100
    words = f"token usage {standing.used} "
    if standing.used >= threshold > 0:
        told = f"{words}reached {standing.warn_pct}% of budget {standing.budget}"
        standing.warning = _tell_once(db, run["id"], "budget.warning", standing.used, told)
    if standing.used >= standing.budget:
        told = f"{words}exceeded budget {standing.budget}"
        standing.exceeded = _tell_once(db, run["id"], "budget.exceeded", standing.used, told)
    return standing


def crossed_now(db: Any, run: Any) -> bool:
    standing = check(db, run)
    return standing is not None and standing.exceeded


def is_exceeded(db: Any, run: Any) -> bool:
    return bool(run["token_budget"]) and Spending(db, run["id"]).total >= run["token_budget"]


def _tell_once(db: Any, run_id: str, kind: str, used: int, reason: str) -> bool:
    done = db.execute(
        "INSERT INTO state (key, scope_id, payload, updated_at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
        (kind, run_id, notation.written({"used": used}), stamp()),
    )
    if not done.rowcount:
        return False
    rows.add_event(db, run_id, kind, "", "", reason=reason)
    return True
