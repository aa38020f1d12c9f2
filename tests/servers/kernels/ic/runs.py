"""`ic run`: looking at runs, and what changes one as a whole. Creating and moving stand elsewhere."""

from __future__ import annotations

from tests.servers.kernels import notation, shell
from tests.servers.kernels.ic import belongings, chain, creating, moves, rows, settings, spending
from tests.servers.kernels.ic import words as said
from tests.servers.kernels.ic.database import Database, stamp
from tests.servers.kernels.ic.words import Words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def run(place: Database, words: list[str]) -> int:
    if not words:
        said.usage("run", "missing subcommand")
    act = _ACTS.get(words[0])
    if act is None:
        said.usage("run", "unknown subcommand", subcommand=words[0])
    return act(place, words[1:])


def _status(place: Database, words: list[str]) -> int:
    run_id = said.first(words, "run status", "run status <id>")
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
    run_id = said.first(words, "run phase", "run phase <id>")
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
    run_id = said.first(words, "run events", "run events <id>")
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
    run_id = said.first(words, "run cancel", "run cancel <id>")
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
    "set": settings.set_,
    "tokens": spending.tokens,
    "budget": spending.budget,
    "agent": belongings.agent,
    "artifact": belongings.artifact,
}
