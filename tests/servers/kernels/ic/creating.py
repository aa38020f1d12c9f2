"""`ic run create`: one run, or a portfolio with a child for every project."""

from __future__ import annotations

import os
from itertools import pairwise

from tests.servers.kernels import notation, shell
from tests.servers.kernels.ic import chain, config, rows
from tests.servers.kernels.ic import words as said
from tests.servers.kernels.ic.database import Database, new_id, stamp
from tests.servers.kernels.ic.words import Words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_CHECKS = frozenset(
    {"artifact_exists", "agents_complete", "verdict_exists", "verdict_clean", "budget_not_exceeded"}
)


def create(place: Database, given: Words) -> int:
    common = _numbers(given)
    goal, projects, project = given.text("goal"), given.text("projects"), given.text("project")
    if not goal:
        said.usage("run create", "--goal is required")
    if projects and project:
        said.usage("run create", "--project and --projects are mutually exclusive")
    gates = _gates(given)
    phases = _phases(given)
    if gates is not None:
        _fit(gates, phases or list(chain.DEFAULT))
    common |= {
        "goal": goal,
        "scope_id": given.text("scope-id") or None,
        "goal_id": given.text("goal-id") or None,
        "phases": notation.written(phases) if phases else None,
        "gate_rules": notation.written(gates) if gates is not None else None,
        "metadata": _metadata(given),
        "budget_enforce": int(given.flag("budget-enforce")),
    }
    db = place.open()
    common["auto_advance"] = int(config.level(db)["level"] >= 2)
    if projects:
        return _portfolio(place, db, common, projects.split(","))
    run_id = _insert(db, common | {"project_dir": project or os.getcwd(), "max_dispatches": 0})
    if place.json:
        # Always the first phase of the default chain, whatever the run's own chain begins with.
        rows.print_json({"id": run_id, "phase": "brainstorm"})
    else:
        shell.say(run_id)
    return 0


def _numbers(given: Words) -> dict[str, Any]:
    budget = given.number("token-budget", 0, "run create", 1)
    return {
        "complexity": given.number("complexity", 3, "run create", 1, 5),
        "token_budget": budget or None,
        "budget_warn_pct": given.number("budget-warn-pct", 80, "run create", 1, 99),
        "max_dispatches": given.number("max-dispatches", 0, "run create", 0),
        "max_agents": given.number("max-agents", 0, "run create", 0),
    }


def _phases(given: Words) -> list[str] | None:
    if not given.text("phases"):
        return None
    phases = chain.parse(given.text("phases"))
    if isinstance(phases, str):
        said.usage("", "run create failed", error=phases)
    return phases


def _metadata(given: Words) -> str | None:
    text = given.text("metadata")
    if not text:
        return None
    try:
        value = notation.read(text)
    except ValueError as error:
        said.usage("", "run create failed", error=f"invalid metadata: {error}")
    if not isinstance(value, dict):
        said.usage("", "run create failed", error="invalid metadata: not an object")
    return notation.written(dict(sorted(value.items())))


def _gates(given: Words) -> dict[str, list[dict[str, str]]] | None:
    text, path = given.text("gates"), given.text("gates-file")
    if text and path:
        said.usage("run create", "--gates and --gates-file are mutually exclusive")
    if path:
        try:
            with open(path, encoding="utf-8") as file:
                text = file.read()
        except OSError as error:
            said.log("ERROR", "run create: read gates file", error=str(error))
            raise shell.Ended(2) from error
    if not text:
        return None
    try:
        rules = notation.read(text)
    except ValueError as error:
        said.usage("", "run create failed", error=f"parse gate rules: {error}")
    for key, checks in rules.items():
        _rule(key, checks)
    return dict(rules)


def _rule(key: str, checks: list[dict[str, str]]) -> None:
    before, _, after = key.partition("→")
    if key.count("→") != 1 or not before or not after:
        said.usage(
            "", "run create failed", error=f'parse gate rules: invalid transition key "{key}" (want from→to)'
        )
    for number, check in enumerate(checks):
        if check.get("check") not in _CHECKS:
            problem = f'{key}[{number}]: unknown check "{check.get("check", "")}"'
        elif check.get("tier", "") not in {"", "hard", "soft"}:
            problem = f'{key}[{number}]: invalid tier "{check["tier"]}" (want hard, soft, or empty)'
        else:
            continue
        said.usage("", "run create failed", error=f"parse gate rules: {problem}")


def _fit(gates: dict[str, list[dict[str, str]]], phases: list[str]) -> None:
    """Every step of the chain must be named; an empty list says that nothing is checked there."""
    steps = {f"{before}→{after}" for before, after in pairwise(phases)}
    strange = next((key for key in gates if key not in steps), None)
    missing = sorted(steps - gates.keys())
    if strange is not None:
        said.usage(
            "",
            "run create failed",
            error=f'validate gate rules: transition "{strange}" not present in active phase chain',
        )
    if missing:
        said.usage(
            "",
            "run create failed",
            error=f"validate gate rules: missing transitions for active phase chain: {', '.join(missing)}"
            " (use explicit [] to mark ungated)",
        )


def _portfolio(place: Database, db: Any, common: dict[str, Any], projects: list[str]) -> int:
    if len(projects) < 2:
        said.usage("run create", "--projects requires at least 2 comma-separated paths")
    db.execute("BEGIN IMMEDIATE")
    run_id = _insert(db, common | {"project_dir": ""})
    child = common | {"parent_run_id": run_id, "scope_id": None, "token_budget": None, "gate_rules": None}
    child |= {"budget_enforce": 0, "max_agents": 0, "max_dispatches": 0, "metadata": None, "goal_id": None}
    children = [_insert(db, child | {"project_dir": os.path.abspath(path.strip())}) for path in projects]
    db.execute("COMMIT")
    if place.json:
        rows.print_json({"children": children, "id": run_id})
    else:
        shell.say("\n".join([run_id, *(f"  child: {one}" for one in children)]))
    return 0


def _insert(db: Any, values: dict[str, Any]) -> str:
    run_id, now = new_id(), stamp()
    phases = notation.read(values["phases"]) if values["phases"] else chain.DEFAULT
    row = values | {"id": run_id, "phase": phases[0], "created_at": now, "updated_at": now}
    names, marks = ", ".join(row), ", ".join("?" for _ in row)
    db.execute(f"INSERT INTO runs ({names}) VALUES ({marks})", tuple(row.values()))  # noqa: S608 - names of ours
    return run_id
