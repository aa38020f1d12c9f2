"""`ic run agent` and `ic run artifact`: what belongs to a run."""

from __future__ import annotations

from tests.servers.kernels import shell
from tests.servers.kernels.ic import moves, rows
from tests.servers.kernels.ic import words as said
from tests.servers.kernels.ic.database import Database, new_id, stamp
from tests.servers.kernels.ic.words import Words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def agent(place: Database, words: list[str]) -> int:
    return _one_of(place, words, "run agent", {"add": _add_agent, "list": _agents, "update": _update_agent})


def artifact(place: Database, words: list[str]) -> int:
    return _one_of(place, words, "run artifact", {"add": _add_artifact, "list": _artifacts})


def _one_of(place: Database, words: list[str], command: str, acts: dict[str, Any]) -> int:
    if not words:
        said.usage(command, "missing subcommand", expected=", ".join(acts))
    if words[0] not in acts:
        said.usage(command, "unknown subcommand", subcommand=words[0])
    return int(acts[words[0]](place, Words(words[1:])))


def _of_run(given: Words, command: str, rest: str) -> str:
    if not given.loose:
        said.misused(f"{command}: usage: ic {command} <run_id> {rest}".rstrip())
    return given.loose[0]


def _said_id(place: Database, new: str) -> int:
    if place.json:
        rows.print_json({"id": new})
    else:
        shell.say(new)
    return 0


def _add_agent(place: Database, given: Words) -> int:
    run_id = _of_run(given, "run agent add", "--type=<type> [--name=<name>] [--dispatch-id=<id>]")
    db = place.open()
    if moves.find(db, run_id) is None:
        said.negative("run agent add", ": run not found", id=run_id)
    new, now = new_id(), stamp()
    db.execute(
        "INSERT INTO run_agents VALUES (?, ?, ?, ?, 'active', ?, ?, ?)",
        (
            new,
            run_id,
            given.text("type") or "claude",
            given.values.get("name"),
            given.values.get("dispatch-id"),
            now,
            now,
        ),
    )
    return _said_id(place, new)


def _agents(place: Database, given: Words) -> int:
    run_id = _of_run(given, "run agent list", "")
    found = (
        place.open()
        .execute("SELECT * FROM run_agents WHERE run_id = ? ORDER BY created_at", (run_id,))
        .fetchall()
    )
    names = ("agent_type", "created_at", "dispatch_id", "id", "name", "run_id", "status", "updated_at")
    if place.json:
        rows.print_json([rows.kept(one, *names) for one in found])
    else:
        for one in found:
            shell.say(f"{one['id']}\t{one['agent_type']}\t{one['status']}\t{one['name'] or ''}")
    return 0


def _update_agent(place: Database, given: Words) -> int:
    if not given.loose:
        said.misused("run agent update: usage: ic run agent update <agent_id> --status=<status>")
    status = given.text("status")
    if not status:
        said.usage("run agent update", "--status is required")
    if status not in {"active", "completed", "failed"}:
        said.usage("run agent update", "invalid status (must be active, completed, or failed)", status=status)
    done = place.open().execute(
        "UPDATE run_agents SET status = ?, updated_at = ? WHERE id = ?", (status, stamp(), given.loose[0])
    )
    if not done.rowcount:
        said.negative("run agent update", ": not found", id=given.loose[0])
    shell.say("updated")
    return 0


def _add_artifact(place: Database, given: Words) -> int:
    run_id = _of_run(
        given, "run artifact add", "--phase=<phase> --path=<path> [--type=<type>] [--dispatch=<id>]"
    )
    for name in ("phase", "path"):
        if not given.text(name):
            said.usage("run artifact add", f"--{name} is required")
    db = place.open()
    if moves.find(db, run_id) is None:
        said.negative("run artifact add", ": run not found", id=run_id)
    new = new_id()
    db.execute(
        "INSERT INTO run_artifacts (id, run_id, phase, path, type, content_hash, dispatch_id, created_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            new,
            run_id,
            given.text("phase"),
            given.text("path"),
            given.text("type") or "file",
            _hash(given.text("path")),
            given.values.get("dispatch"),
            stamp(),
        ),
    )
    return _said_id(place, new)


def _hash(path: str) -> str | None:
    """Of the file, where there is one; the path itself is taken as it comes."""
    import hashlib

    try:
        with open(path, "rb") as file:
            return "sha256:" + hashlib.sha256(file.read()).hexdigest()
    except (OSError, ValueError):
        return None


def _artifacts(place: Database, given: Words) -> int:
    run_id = _of_run(given, "run artifact list", "[--phase=<phase>]")
    query, arguments = "SELECT * FROM run_artifacts WHERE run_id = ?", [run_id]
    if "phase" in given.values:
        query, arguments = query + " AND phase = ?", [run_id, given.text("phase")]
    found = place.open().execute(query + " ORDER BY created_at, rowid", arguments).fetchall()
    names = ("content_hash", "created_at", "dispatch_id", "id", "path", "phase", "run_id", "status", "type")
    if place.json:
        rows.print_json([rows.kept(one, *names) for one in found])
    else:
        for one in found:
            shell.say(f"{one['id']}\t{one['phase']}\t{one['type']}\t{one['path']}")
    return 0
