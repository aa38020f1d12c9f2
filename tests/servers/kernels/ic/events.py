"""`ic events`: the merged log as lines of JSON, cursors, and writing into it."""

from __future__ import annotations

import time

from tests.servers.kernels import notation, shell
from tests.servers.kernels.ic import recording
from tests.servers.kernels.ic import words as said
from tests.servers.kernels.ic.database import Database, stamp
from tests.servers.kernels.ic.words import Words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

#: source -> columns as the line names them; discoveries are no part of a single run
_PHASE = (
    "SELECT id, run_id, 'phase' AS source, event_type, from_phase, to_phase,"
    " coalesce(reason, ''), envelope_json, created_at"
)
_SELECTS = {
    "phase": _PHASE + " FROM phase_events",
    "dispatch": "SELECT id, coalesce(run_id, ''), 'dispatch', event_type, from_status, to_status,"
    " coalesce(reason, ''), envelope_json, created_at FROM dispatch_events",
    "interspect": "SELECT id, coalesce(run_id, ''), 'interspect', event_type, agent_name, '',"
    " coalesce(override_reason, ''), NULL, created_at FROM interspect_events",
    "discovery": "SELECT id, discovery_id, 'discovery', event_type, from_status, to_status,"
    " coalesce(payload, '{}'), NULL, created_at FROM discovery_events",
    "coordination": "SELECT id, coalesce(run_id, ''), 'coordination', event_type, owner, pattern,"
    " coalesce(reason, ''), NULL, created_at FROM coordination_events",
    "review": "SELECT id, coalesce(run_id, ''), 'review', 'disagreement_resolved', finding_id, resolution,"
    " coalesce(agents_json, '{}'), NULL, created_at FROM review_events",
}
#: sources with a flag for their mark; interspect has none, its rows come again and again
_MARKED = ("phase", "dispatch", "discovery", "review", "coordination")
_ZERO = {"phase": 0, "dispatch": 0, "interspect": 0, "discovery": 0, "review": 0, "coordination": 0}


def events(place: Database, words: list[str]) -> int:
    acts = {"tail": _tail, "cursor": _cursor, "record": recording.record, "list-review": _reviews}
    if not words:
        said.usage("events", "missing subcommand", expected="tail, cursor, emit, record, list-review")
    if words[0] not in acts:
        said.usage("events", "unknown subcommand", subcommand=words[0])
    return acts[words[0]](place, Words(words[1:]))


def _tail(place: Database, given: Words) -> int:
    marks = {source: given.number(f"since-{source}", 0, "events tail") for source in _MARKED}
    interval = said.seconds(given.text("poll-interval", "500ms"))
    if interval is None:
        said.usage("events tail", "invalid --poll-interval", value=given.text("poll-interval"))
    limit = given.number("limit", 100, "events tail")
    named = next((word for word in given.loose if word != "-f"), "")
    everything = given.flag("all")
    if not named and not everything:
        said.usage("events tail", "provide <run_id> or --all")
    db = place.open()
    consumer = given.text("consumer")
    cursor = consumer and ":".join(part for part in (consumer, named) if part)
    # A mark of any source keeps the cursor from being looked at.
    marks |= _loaded(db, cursor) if cursor and not any(marks.values()) else {"interspect": 0}
    follow = given.flag("follow") or "-f" in given.loose
    while True:
        _print(db, "" if everything else named, marks, limit if limit > 0 else 1000, cursor)
        if not follow:
            return 0
        time.sleep(interval)


def _print(db: Any, run_id: str, marks: dict[str, int], limit: int, cursor: str) -> None:
    found = _listed(db, run_id, marks, limit)
    for row in found:
        shell.say(shell.json_text(_line(row)))
        # What has no mark is printed again each time round.
        if row[2] != "interspect":
            marks[row[2]] = max(marks[row[2]], row[0])
    if cursor and found:
        # Kept before anybody has read the lines: whoever dies over them has lost them.
        _save(db, cursor, marks)
    shell.flush()


def _listed(db: Any, run_id: str, marks: dict[str, int], limit: int) -> list[Any]:
    """The oldest of every source, each with its share of the limit."""
    sources = [source for source in _SELECTS if not run_id or source != "discovery"]
    share = -(-limit // len(sources))
    parts: list[str] = []
    arguments: list[object] = []
    for source in sources:
        where = "id > ?" + (" AND run_id = ?" if run_id else "")
        parts.append(
            f"SELECT * FROM ({_SELECTS[source]} WHERE {where} ORDER BY created_at, id LIMIT ?)"  # noqa: S608
        )
        arguments += [marks[source], run_id, share] if run_id else [marks[source], share]
    # Seconds are all the log knows: within one, sources come by name and not as things happened.
    query = " UNION ALL ".join(parts) + " ORDER BY created_at, source, id LIMIT ?"
    return list(db.execute(query, (*arguments, limit)))


def _line(row: Any) -> dict[str, Any]:
    from datetime import UTC, datetime

    number, run_id, source, kind, before, after, reason, envelope, created = tuple(row)
    line = {
        "id": number,
        "run_id": run_id,
        "source": source,
        "type": kind,
        "from_state": before,
        "to_state": after,
    }
    if reason:
        line["reason"] = reason
    if envelope:
        line["envelope"] = notation.Raw(envelope)
    return line | {"timestamp": datetime.fromtimestamp(created, UTC).isoformat().replace("+00:00", "Z")}


def _loaded(db: Any, cursor: str) -> dict[str, int]:
    row = db.execute(
        "SELECT payload FROM state WHERE key = 'cursor' AND scope_id = ? AND (expires_at IS NULL OR"
        " expires_at > ?)",
        (cursor, stamp()),
    ).fetchone()
    return _ZERO | notation.read(row["payload"]) if row else dict(_ZERO)


def _save(db: Any, cursor: str, marks: dict[str, int]) -> None:
    row = db.execute(
        "SELECT expires_at FROM state WHERE key = 'cursor' AND scope_id = ?", (cursor,)
    ).fetchone()
    durable = row is not None and row["expires_at"] is None
    expires = None if durable else stamp() + 24 * 3600
    db.execute(
        "INSERT OR REPLACE INTO state (key, scope_id, payload, updated_at, expires_at) VALUES"
        " ('cursor', ?, ?, ?, ?)",
        (cursor, notation.written({source: marks[source] for source in _ZERO}), stamp(), expires),
    )


def _cursor(place: Database, given: Words) -> int:
    acts = {"list", "reset", "register"}
    if not given.loose or given.loose[0] not in acts:
        said.usage("events cursor", "missing subcommand", expected="list, reset, register")
    act, *names = given.loose
    db = place.open()
    if act == "list":
        for row in db.execute("SELECT scope_id, payload FROM state WHERE key = 'cursor' ORDER BY scope_id"):
            shell.say(f"{row['scope_id']}\t{row['payload']}")
        return 0
    if not names:
        said.misused(f"events cursor {act}: usage: ic events cursor {act} <consumer-name>")
    if act == "reset":
        done = db.execute("DELETE FROM state WHERE key = 'cursor' AND scope_id = ?", (names[0],))
        shell.say("reset" if done.rowcount else "not found")
        return 0
    durable = given.flag("durable")
    db.execute(
        "INSERT OR REPLACE INTO state (key, scope_id, payload, updated_at, expires_at) VALUES"
        " ('cursor', ?, ?, ?, ?)",
        (names[0], notation.written(_ZERO), stamp(), None if durable else stamp() + 24 * 3600),
    )
    shell.say(f"registered {names[0]} ({'durable' if durable else 'ttl: 24h'})")
    return 0


def _reviews(place: Database, given: Words) -> int:
    since, limit = (
        given.number("since", 0, "events list-review"),
        given.number("limit", 1000, "events list-review"),
    )
    found = place.open().execute(
        "SELECT * FROM review_events WHERE id > ? ORDER BY id LIMIT ?", (since, limit)
    )
    for row in found:
        told = {name: row[name] for name in row.keys() if row[name] is not None and name != "created_at"}  # noqa: SIM118
        shell.say(shell.json_text(told))
    return 0
