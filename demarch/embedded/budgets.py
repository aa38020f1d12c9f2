"""Token budgets: spending, the two thresholds told once each, and more tokens."""

from typing import Any

from asyncpg.protocol import Record

from demarch.embedded import runs
from demarch.embedded.ledger import Change, Reads
from demarch.errors import NotPossible
from demarch.parameters import EXTENSION, ExtendBudget
from demarch.phrases import quoted
from storage import sql

_SQL = sql.load("demarch", "budgets")


async def spend(change: Change, run_id: str, in_tokens: int, out_tokens: int, agent_type: str) -> Record:
    """Record what an agent used. Crossing a threshold is told the first time only."""
    row = await runs.lock(change, run_id)
    row = await change.one(_SQL["budgets.spend"], row["id"], in_tokens, out_tokens, change.now)
    await change.conn.execute(
        _SQL["budgets.record"], row["id"], row["dispatches"], agent_type, in_tokens, out_tokens, row["used"],
        change.now,
    )  # fmt: skip
    await _tell_crossing(change, row)
    return row


async def _tell_crossing(change: Change, row: Record) -> None:
    usage = usage_of(row)
    told = (row["warned"], row["exceeded"])
    warned = bool(row["warned"] or usage.get("warning"))
    exceeded = bool(row["exceeded"] or usage.get("exceeded"))
    if (warned, exceeded) == told or row["status"] != "active":
        return
    await change.conn.execute(_SQL["budgets.crossed"], row["id"], warned, exceeded)
    words = f"{row['used']} of {row['token_budget']} tokens used ({usage['usage_pct']} %)"
    if warned and not row["warned"]:
        change.tell("budget.warning", row["id"], reason=words)
    if exceeded and not row["exceeded"]:
        change.tell("budget.exceeded", row["id"], reason=words)


async def extend(change: Change, row: Record, params: ExtendBudget) -> tuple[Record, int]:
    """Raise the budget; both thresholds may be told again. The run and how many tokens it got."""
    budget = row["token_budget"]
    if budget is None:
        raise NotPossible(f"The run {quoted(row['goal'])} has no token budget that could be extended.")
    more = params.tokens or max(1, budget * (params.percent or EXTENSION) // 100)
    row = await change.one(_SQL["budgets.extend"], row["id"], more, change.now)
    words = f"token budget {budget} -> {row['token_budget']}"
    change.tell(
        "set",
        row["id"],
        from_state=row["phase"],
        to_state=row["phase"],
        reason=f"{words}: {params.reason}" if params.reason else words,
    )
    return row, more


def usage_of(row: Record) -> dict[str, Any]:
    """What `ic run budget` prints."""
    budget, used = row["token_budget"], row["used"]
    if budget is None:
        return {"run_id": row["id"], "budget": None, "used": used, "message": "no budget set"}
    return {
        "run_id": row["id"],
        "budget": budget,
        "used": used,
        "warn_pct": row["budget_warn_pct"],
        "usage_pct": used * 100 // budget,
        "warning": used * 100 >= budget * row["budget_warn_pct"],
        "exceeded": used >= budget,
    }


async def tokens(db: Reads, run_id: str) -> dict[str, Any]:
    """What `ic run tokens` prints."""
    row = await runs.get(db, run_id)
    sums = await db.fetchrow(_SQL["budgets.tokens"], row["id"])
    used_in, used_out = (int(sums["input"]), int(sums["output"])) if sums else (0, 0)
    return {
        "run_id": row["id"],
        "input_tokens": used_in,
        "output_tokens": used_out,
        "cache_hits": 0,
        "total_tokens": used_in + used_out,
    }
