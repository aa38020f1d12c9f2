"""`ic dispatch`: agents at work. Nothing is really started; the row is what the kernel keeps."""

from __future__ import annotations

from tests.servers.kernels import shell
from tests.servers.kernels.ic import budgets, moves, rows
from tests.servers.kernels.ic import words as said
from tests.servers.kernels.ic.database import Database, new_id, stamp
from tests.servers.kernels.ic.words import Words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_LIVE = frozenset({"spawned", "running"})
_OVER = frozenset({"completed", "failed", "timeout", "cancelled"})


def dispatch(place: Database, words: list[str]) -> int:
    acts = {"spawn": _spawn, "status": _status, "list": _list, "kill": _kill, "tokens": _tokens}
    if not words:
        said.usage("dispatch", "missing subcommand", expected="spawn, status, list, kill, tokens")
    if words[0] not in acts:
        said.usage("dispatch", "unknown subcommand", subcommand=words[0])
    return acts[words[0]](place, Words(words[1:]))


def _spawn(place: Database, given: Words) -> int:
    import os

    if not given.text("prompt-file"):
        said.usage("dispatch spawn", "--prompt-file is required")
    scope = given.text("run-id") or given.text("scope-id")
    db = place.open()
    new, now = new_id(), stamp()
    db.execute("BEGIN IMMEDIATE")
    db.execute(
        "INSERT INTO dispatches (id, agent_type, status, project_dir, prompt_file, name, pid,"
        " created_at, started_at,"
        " scope_id) VALUES (?, ?, 'running', ?, ?, ?, ?, ?, ?, ?)",
        (
            new,
            given.text("type") or "codex",
            given.text("project") or os.getcwd(),
            given.text("prompt-file"),
            given.values.get("name"),
            os.getpid(),
            now,
            now,
            scope or None,
        ),
    )
    note(db, new, scope, "", "spawned")
    note(db, new, scope, "spawned", "running")
    db.execute("COMMIT")
    if place.json:
        rows.print_json({"id": new, "pid": os.getpid()})
    else:
        shell.say(new)
    return 0


def note(db: Any, dispatch_id: str, run_id: str, before: str, after: str) -> None:
    db.execute(
        "INSERT INTO dispatch_events (dispatch_id, run_id, from_status, to_status, event_type, created_at)"
        " VALUES (?, ?, ?, ?, 'status_change', ?)",
        (dispatch_id, run_id or None, before, after, stamp()),
    )


def shown(row: Any) -> dict[str, Any]:
    told = {
        "id": row["id"],
        "agent_type": row["agent_type"],
        "status": row["status"],
        "project_dir": row["project_dir"],
    }
    told |= rows.kept(row, "prompt_file", "pid", "name")
    told |= {name: row[name] for name in ("turns", "commands", "messages")}
    told |= {"in_tokens": row["input_tokens"], "out_tokens": row["output_tokens"]}
    return told | rows.kept(
        row,
        "cache_hits",
        "created_at",
        "started_at",
        "completed_at",
        "verdict_status",
        "verdict_summary",
        "scope_id",
    )


def _found(db: Any, given: Words, act: str) -> Any:
    if not given.loose:
        said.misused(f"dispatch {act}: usage: ic dispatch {act} <id>")
    row = db.execute("SELECT * FROM dispatches WHERE id = ?", (given.loose[0],)).fetchone()
    if row is None:
        said.negative(f"dispatch {act}", ": not found", id=given.loose[0])
    return row


def _status(place: Database, given: Words) -> int:
    rows.print_json(shown(_found(place.open(), given, "status")))
    return 0


def _list(place: Database, given: Words) -> int:
    query, arguments = "SELECT * FROM dispatches", []
    if given.flag("active"):
        query += " WHERE status IN ('spawned', 'running')"
    elif "scope" in given.values:
        query, arguments = query + " WHERE scope_id = ?", [given.text("scope")]
    found = place.open().execute(query + " ORDER BY created_at DESC", arguments).fetchall()
    if place.json:
        rows.print_json([shown(one) for one in found])
    else:
        for one in found:
            shell.say(f"{one['id']}\t{one['status']}\t{one['agent_type']}\t{one['name'] or ''}")
    return 0


def _kill(place: Database, given: Words) -> int:
    db = place.open()
    db.execute("BEGIN IMMEDIATE")
    row = _found(db, given, "kill")
    if row["status"] not in _LIVE:
        if place.json:
            rows.print_json({"reason": "stale_status"})
        raise shell.Ended(1)
    db.execute(
        "UPDATE dispatches SET status = 'cancelled', completed_at = ? WHERE id = ?", (stamp(), row["id"])
    )
    note(db, row["id"], row["scope_id"] or "", row["status"], "cancelled")
    db.execute("COMMIT")
    shell.say("killed")
    return 0


def _tokens(place: Database, given: Words) -> int:
    columns = {"in": "input_tokens", "out": "output_tokens", "cache": "cache_hits"}
    fields = {columns[name]: given.number(name, 0, "dispatch tokens") for name in columns if given.has(name)}
    db = place.open()
    db.execute("BEGIN IMMEDIATE")
    row = _found(db, given, "tokens")
    if not fields:
        said.usage("dispatch tokens", "at least one of --in, --out, --cache is required")
    settings = ", ".join(f"{name} = ?" for name in fields)
    db.execute(f"UPDATE dispatches SET {settings} WHERE id = ?", (*fields.values(), row["id"]))  # noqa: S608
    if row["scope_id"]:
        budgets.check(db, moves.find(db, row["scope_id"]))
    db.execute("COMMIT")
    if place.json:
        rows.print_json({"status": "updated"})
    else:
        shell.say("updated")
    return 0
