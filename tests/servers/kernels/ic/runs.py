"""`ic run`: looking at runs, and what changes one as a whole. Creating and moving stand elsewhere."""

from __future__ import annotations

from tests.servers.kernels import notation, shell
from tests.servers.kernels.ic import belongings, budgets, chain, creating, moves, rows
from tests.servers.kernels.ic import words as said
from tests.servers.kernels.ic.database import Database, stamp
from tests.servers.kernels.ic.words import Words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any


def run(place: Database, words: list[str]) -> int:
    if not words:
        said.usage("run", "missing subcommand")
    act = _ACTS.get(words[0])
    if act is None:
        said.usage("run", "unknown subcommand", subcommand=words[0])
    return act(place, words[1:])


def _first(words: list[str], command: str, usage: str) -> str:
    # These take the first word whatever it is, even an option.
    if not words:
        said.misused(f"{command}: usage: ic {usage}")
    return words[0]


def _status(place: Database, words: list[str]) -> int:
    run_id = _first(words, "run status", "run status <id>")
    db = place.open()
    found = moves.found(db, run_id, "run status")
    children = db.execute(
        "SELECT * FROM runs WHERE parent_run_id = ? ORDER BY created_at", (run_id,)
    ).fetchall()
    if place.json:
        told = rows.run_map(found)
        if children:
            told["children"] = [rows.run_map(child) for child in children]
        rows.print_json(dict(sorted(told.items())))
        return 0
    for name, key in (
        ("ID", "id"),
        ("Status", "status"),
        ("Phase", "phase"),
        ("Goal", "goal"),
        ("Project", "project_dir"),
    ):
        shell.say(f"{name + ':':<12}{found[key]}")
    return 0


def _current(place: Database, words: list[str]) -> int:
    import os

    project = Words(words).text("project") or os.getcwd()
    found = (
        place.open()
        .execute(
            "SELECT * FROM runs WHERE status = 'active' AND project_dir = ?"
            " ORDER BY created_at DESC, rowid DESC LIMIT 1",
            (project,),
        )
        .fetchone()
    )
    if found is None:
        if place.json:
            rows.print_json({"found": False})
        return 1
    if place.json:
        rows.print_json({"found": True, "goal": found["goal"], "id": found["id"], "phase": found["phase"]})
    else:
        shell.say(found["id"])
    return 0


def _phase(place: Database, words: list[str]) -> int:
    """Plain text, whatever was asked for."""
    run_id = _first(words, "run phase", "run phase <id>")
    shell.say(moves.found(place.open(), run_id, "run phase")["phase"])
    return 0


def _list(place: Database, words: list[str]) -> int:
    given = Words(words)
    query, arguments = "SELECT * FROM runs", ()
    if given.flag("portfolio"):
        query += " WHERE project_dir = ''" + (" AND status = 'active'" if given.flag("active") else "")
    elif given.flag("active"):
        query += " WHERE status = 'active'"
    elif given.has("scope"):
        query, arguments = query + " WHERE scope_id = ?", (given.text("scope"),)  # type: ignore[assignment]
    found = place.open().execute(query + " ORDER BY created_at DESC", arguments).fetchall()
    if place.json:
        rows.print_json([rows.run_map(one) for one in found])
    else:
        for one in found:
            shell.say(f"{one['id']}\t{one['status']}\t{one['phase']}\t{one['goal']}")
    return 0


def _events(place: Database, words: list[str]) -> int:
    run_id = _first(words, "run events", "run events <id>")
    found = (
        place.open().execute("SELECT * FROM phase_events WHERE run_id = ? ORDER BY id", (run_id,)).fetchall()
    )
    if not place.json:
        for one in found:
            told = (one["event_type"], one["gate_result"] or "", one["reason"] or "")
            shell.say(f"{one['from_phase']} → {one['to_phase']}\t" + "\t".join(told))
        return 0
    told_all = []
    for one in found:
        told_one = rows.kept(
            one,
            "id",
            "run_id",
            "from_phase",
            "to_phase",
            "event_type",
            "created_at",
            "gate_result",
            "gate_tier",
            "reason",
        )
        if one["envelope_json"]:
            told_one["envelope"] = notation.Raw(one["envelope_json"])
        told_all.append(dict(sorted(told_one.items())))
    rows.print_json(told_all)
    return 0


def _cancel(place: Database, words: list[str]) -> int:
    run_id = _first(words, "run cancel", "run cancel <id>")
    db = place.open()
    db.execute("BEGIN IMMEDIATE")
    found = moves.found(db, run_id, "run cancel")
    if found["status"] in chain.OVER:
        said.negative("run cancel", ": run already in terminal state", status=found["status"])
    portfolio = found["project_dir"] == ""
    children = (
        db.execute("SELECT * FROM runs WHERE parent_run_id = ?", (run_id,)).fetchall() if portfolio else []
    )
    now = stamp()
    db.execute(
        "UPDATE runs SET status = 'cancelled', updated_at = ?, completed_at = ?"
        " WHERE id = ? OR (? AND parent_run_id = ? AND status = 'active')",
        (now, now, run_id, portfolio, run_id),
    )
    rows.add_event(db, run_id, "cancel", found["phase"], found["phase"])
    for child in children:
        rows.add_event(
            db, child["id"], "cancel", child["phase"], child["phase"], reason="portfolio cancelled"
        )
    db.execute("COMMIT")
    shell.say(f"cancelled (portfolio + {len(children)} children)" if portfolio else "cancelled")
    return 0


def _set(place: Database, words: list[str]) -> int:
    given = Words(words)
    if not given.loose:
        said.misused(
            "run set: usage: ic run set <id> [--complexity=N] [--auto-advance=bool] [--force-full=bool]"
            " [--max-dispatches=N] [--metadata-merge=JSON]"
        )
    changes = _settings(given)
    merge = given.text("metadata-merge")
    if not changes and not merge:
        said.usage("run set", "no settings to update")
    db = place.open()
    db.execute("BEGIN IMMEDIATE")
    found = moves.found(db, given.loose[0], "run set")
    if "max_dispatches" in changes and found["project_dir"] != "":
        said.usage("run set", "--max-dispatches is only valid for portfolio runs")
    _write_settings(db, found, changes, merge)
    db.execute("COMMIT")
    _say_if_other_level(db, changes)
    shell.say("updated")
    return 0


def _settings(given: Words) -> dict[str, int]:
    changes: dict[str, int] = {}
    if given.has("complexity"):
        changes["complexity"] = given.number("complexity", 0, "run set", 1, 5)
    for name in ("auto-advance", "force-full"):
        if name in given.values:
            value = said.boolean(given.text(name))
            if value is None:
                said.usage("run set", "invalid bool", value=given.text(name))
            changes[name.replace("-", "_")] = int(value)
    if given.has("max-dispatches"):
        changes["max_dispatches"] = given.number("max-dispatches", 0, "run set", 0)
    return changes


def _write_settings(db: Any, found: Any, changes: dict[str, int], merge: str) -> None:
    if merge:
        try:
            merged = notation.read(found["metadata"] or "{}") | notation.read(merge)
        except (TypeError, ValueError) as error:
            said.usage("run set", "invalid metadata merge", error=str(error))
        db.execute(
            "UPDATE runs SET metadata = ? WHERE id = ?",
            (notation.written(dict(sorted(merged.items()))), found["id"]),
        )
    columns = "".join(f", {name} = ?" for name in changes)
    db.execute(
        f"UPDATE runs SET updated_at = ?{columns} WHERE id = ?",  # noqa: S608 - names of ours
        (stamp(), *changes.values(), found["id"]),
    )
    rows.add_event(db, found["id"], "set", found["phase"], found["phase"])


def _say_if_other_level(db: Any, changes: Mapping[str, int]) -> None:
    from tests.servers.kernels.ic import config

    level = int(config.level(db)["level"])
    if "auto_advance" in changes and bool(changes["auto_advance"]) != (level >= 2):
        wanted = str(bool(changes["auto_advance"])).lower()
        shell.complain(
            f"note: auto_advance={wanted} overrides the L{level} default ({str(level >= 2).lower()})"
            " — run no longer matches the declared delegation level"
        )


def _tokens(place: Database, words: list[str]) -> int:
    run_id = _first(words, "run tokens", "run tokens <run_id>")
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


def _budget(place: Database, words: list[str]) -> int:
    run_id = _first(words, "run budget", "run budget <run_id>")
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


_ACTS: Mapping[str, Callable[[Database, list[str]], int]] = {
    "create": lambda place, words: creating.create(place, Words(words)),
    "status": _status,
    "current": _current,
    "phase": _phase,
    "list": _list,
    "events": _events,
    "advance": lambda place, words: moves.advance(place, Words(words)),
    "skip": lambda place, words: moves.skip(place, Words(words)),
    "rollback": lambda place, words: moves.rollback(place, Words(words)),
    "cancel": _cancel,
    "set": _set,
    "tokens": _tokens,
    "budget": _budget,
    "agent": belongings.agent,
    "artifact": belongings.artifact,
}
