"""What stands between two phases, and how it comes out: the gate's rules and every check of them."""

from __future__ import annotations

from tests.servers.kernels import notation
from tests.servers.kernels.ic import budgets, chain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    Condition = dict[str, Any]
    Finding = tuple[bool, int | None, str]

_ARTIFACT = "artifact_exists"
#: (from, to) -> checks, each with the phase it looks at
RULES: Mapping[tuple[str, str], Sequence[Mapping[str, str]]] = {
    ("brainstorm", "brainstorm-reviewed"): ({"check": _ARTIFACT, "phase": "brainstorm"},),
    ("brainstorm-reviewed", "strategized"): ({"check": _ARTIFACT, "phase": "brainstorm-reviewed"},),
    ("strategized", "planned"): ({"check": _ARTIFACT, "phase": "strategized"},),
    ("planned", "executing"): ({"check": _ARTIFACT, "phase": "planned"},),
    ("executing", "review"): ({"check": "agents_complete"},),
    ("review", "polish"): ({"check": "verdict_exists"},),
    ("reflect", "done"): ({"check": _ARTIFACT, "phase": "reflect"},),
}


class Gate:
    """How a gate stands; `evidence` is None where nothing was looked at."""

    def __init__(
        self, result: str, tier: str, source: str, evidence: Mapping[str, Any] | None = None
    ) -> None:
        self.result = result
        self.tier = tier
        self.source = source
        self.evidence = evidence


def wants_evidence(run: Any) -> bool:
    """Whether the last step needs proof that the thing runs, which nobody may override."""
    try:
        metadata = notation.read(run["metadata"] or "{}")
    except ValueError:
        return False
    requirements = (metadata.get("close_gate") or {}).get("requirements") or []
    return "runtime-evidence/v1" in requirements


def evaluate(db: Any, run: Any, to: str, priority: int, *, disabled: bool = False, dry: bool = False) -> Gate:
    steps = chain.of(run)
    proof = wants_evidence(run) and to == "done" and chain.is_last(steps, to)
    if (disabled or priority >= 4) and not proof:
        return Gate("none", "none", "default")
    tier = "soft" if 2 <= priority <= 3 else "hard"
    rules, source = _rules(db, run, to)
    if proof:
        rules.append({"check": "runtime_evidence", "tier": "hard"})
        source = "required" if priority >= 4 else source
        tier = "hard"
    if not rules:
        return Gate("pass", tier, source)
    for rule in rules:
        if rule.get("tier") == "hard":
            tier = "hard"
            break
        if rule.get("tier") == "soft" and tier != "hard":
            tier = "soft"
    conditions = [_checked(db, run, rule, dry) for rule in rules]
    failed = any(condition["result"] == "fail" for condition in conditions)
    return Gate("fail" if failed else "pass", tier, source, {"conditions": conditions})


def _rules(db: Any, run: Any, to: str) -> tuple[list[Mapping[str, str]], str]:
    rules: list[Mapping[str, str]]
    if run["gate_rules"]:
        rules, source = list(notation.read(run["gate_rules"]).get(f"{run['phase']}→{to}", ())), "per-run"
    else:
        rules, source = _spec_rules(db, run), "spec"
        if not rules:
            rules, source = list(RULES.get((run["phase"], to), ())), "default"
    if run["project_dir"] == "":
        rules.append({"check": "children_at_phase", "phase": to})
    if run["parent_run_id"]:
        rules.append({"check": "upstreams_at_phase", "phase": to})
    if run["budget_enforce"]:
        rules.append({"check": "budget_not_exceeded"})
    return rules, source


def _spec_rules(db: Any, run: Any) -> list[Mapping[str, str]]:
    row = db.execute(
        "SELECT payload FROM state WHERE key = ? AND scope_id = ?",
        (f"agency.gates.{run['phase']}", run["id"]),
    ).fetchone()
    return list(notation.read(row["payload"]).get("exit", ())) if row else []


def _checked(db: Any, run: Any, rule: Mapping[str, str], dry: bool) -> Condition:
    check = _CHECKS.get(rule["check"])
    phase = rule.get("phase", "")
    found = check(db, run, phase, dry) if check else (False, None, f'unknown check type: "{rule["check"]}"')
    passed, count, detail = found
    condition: Condition = {"check": rule["check"]}
    if phase:
        condition["phase"] = phase
    condition["result"] = "pass" if passed else "fail"
    if count is not None:
        condition["count"] = count
    if detail:
        condition["detail"] = detail
    return condition


def _one(db: Any, query: str, *arguments: object) -> int:
    return int(db.execute(query, arguments).fetchone()[0])


def _artifact(db: Any, run: Any, phase: str, dry: bool) -> Finding:
    count = _one(
        db,
        "SELECT count(*) FROM run_artifacts WHERE run_id = ? AND phase = ? AND status = 'active'",
        run["id"],
        phase,
    )
    return count > 0, count, "" if count else f'no artifacts found for phase "{phase}"'


def _agents(db: Any, run: Any, phase: str, dry: bool) -> Finding:
    count = _one(db, "SELECT count(*) FROM run_agents WHERE run_id = ? AND status = 'active'", run["id"])
    return count == 0, count, f"{count} agents still active" if count else ""


def _has_verdict(db: Any, run: Any) -> bool:
    """Verdicts are looked for under the run's scope, not under the run; without a scope there is none."""
    if not run["scope_id"]:
        return False
    query = (
        "SELECT count(*) FROM dispatches"
        " WHERE scope_id = ? AND verdict_status IS NOT NULL AND verdict_status <> 'reject'"
    )
    return _one(db, query, run["scope_id"]) > 0


def _verdict(db: Any, run: Any, phase: str, dry: bool) -> Finding:
    return (True, None, "") if _has_verdict(db, run) else (False, None, "no passing verdict found")


def _clean(db: Any, run: Any, phase: str, dry: bool) -> Finding:
    if not _has_verdict(db, run):
        return False, None, "no verdict found — review did not run (fail-closed)"
    query = "SELECT count(*) FROM dispatches WHERE scope_id = ? AND verdict_status IN ('fail', 'error')"
    count = _one(db, query, run["scope_id"])
    return count == 0, count, f"{count} verdict(s) NEEDS_ATTENTION (fail/error) — not clean" if count else ""


def _children(db: Any, run: Any, phase: str, dry: bool) -> Finding:
    children = db.execute("SELECT * FROM runs WHERE parent_run_id = ?", (run["id"],)).fetchall()
    count = sum(
        _is_behind(child, phase) for child in children if child["status"] not in {"completed", "cancelled"}
    )
    return count == 0, count, f'{count} children behind phase "{phase}"' if count else ""


def _upstreams(db: Any, run: Any, phase: str, dry: bool) -> Finding:
    query = "SELECT upstream_project FROM project_deps WHERE portfolio_run_id = ? AND downstream_project = ?"
    upstreams = [row[0] for row in db.execute(query, (run["parent_run_id"], run["project_dir"]))]
    if not upstreams:
        return True, None, "no upstream dependencies"
    siblings = db.execute("SELECT * FROM runs WHERE parent_run_id = ?", (run["parent_run_id"],)).fetchall()
    behind = [
        f"{sibling['project_dir']} at {sibling['phase']}"
        for sibling in siblings
        if sibling["project_dir"] in upstreams
        and sibling["status"] not in chain.OVER
        and _is_behind(sibling, phase)
    ]
    return (
        not behind,
        len(behind),
        f'upstreams behind phase "{phase}": [{" ".join(behind)}]' if behind else "",
    )


def _is_behind(run: Any, phase: str) -> bool:
    steps = chain.of(run)
    return phase in steps and chain.index(steps, run["phase"]) < chain.index(steps, phase)


def _budget(db: Any, run: Any, phase: str, dry: bool) -> Finding:
    # A dry look goes through the check that tells a crossing once only; a real move compares the numbers.
    exceeded = budgets.crossed_now(db, run) if dry else budgets.is_exceeded(db, run)
    return not exceeded, None, "token budget exceeded" if exceeded else ""


def _proof(db: Any, run: Any, phase: str, dry: bool) -> Finding:
    return False, None, "runtime evidence expectations are not sealed"


_CHECKS: Mapping[str, Callable[[Any, Any, str, bool], Finding]] = {
    "artifact_exists": _artifact,
    "agents_complete": _agents,
    "verdict_exists": _verdict,
    "verdict_clean": _clean,
    "children_at_phase": _children,
    "upstreams_at_phase": _upstreams,
    "budget_not_exceeded": _budget,
    "runtime_evidence": _proof,
}
