"""`ic discovery`: what was found, how relevant it is, and what became of it."""

from __future__ import annotations

from tests.servers.kernels import shell
from tests.servers.kernels.ic import rows
from tests.servers.kernels.ic import words as said
from tests.servers.kernels.ic.database import Database, new_id, stamp
from tests.servers.kernels.ic.words import Words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_LEAST = 0.5  #: below it nothing is promoted without force
_LISTED = (
    "id",
    "source",
    "source_id",
    "title",
    "summary",
    "url",
    "relevance_score",
    "confidence_tier",
    "status",
)


def discovery(place: Database, words: list[str]) -> int:
    acts = {
        "submit": _submit,
        "status": _status,
        "list": _list,
        "score": _score,
        "promote": _promote,
        "dismiss": _dismiss,
        "feedback": _feedback,
        "search": _search,
    }
    if not words:
        said.misused(
            "discovery: missing subcommand (submit, status, list, score, promote, dismiss, feedback, search)"
        )
    if words[0] not in acts:
        said.misused(f"discovery: unknown subcommand: {words[0]}")
    return acts[words[0]](place, Words(words[1:]))


def tier(score: float) -> str:
    return "high" if score >= 0.8 else "medium" if score >= 0.5 else "low" if score >= 0.3 else "discard"


def _refused(act: str, why: str) -> None:
    shell.complain(f"ic: discovery {act}: {why}")
    raise shell.Ended(1)


def note(db: Any, discovery_id: str, kind: str, before: str, after: str, about: dict[str, Any]) -> None:
    db.execute(
        "INSERT INTO discovery_events (discovery_id, event_type, from_status, to_status, payload, created_at)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        (discovery_id, kind, before, after, shell.json_text(dict(sorted(about.items()))), stamp()),
    )


def _float(text: str, act: str) -> float:
    try:
        return float(text)
    except ValueError:
        said.misused(f"discovery {act}: invalid score: {text}")


def _file(argument: str, act: str, name: str) -> str:
    if not argument.startswith("@"):
        return argument
    try:
        with open(argument[1:], encoding="utf-8", errors="surrogateescape") as file:
            return file.read()
    except OSError as error:
        shell.complain(f"ic: discovery {act}: {name}: {error}")
        raise shell.Ended(2) from error


def _submit(place: Database, given: Words) -> int:
    source, source_id, title = (given.text(name) for name in ("source", "source-id", "title"))
    if not source or not source_id or not title:
        said.misused("discovery submit: --source, --source-id, and --title are required")
    score = _float(given.text("score"), "submit") if given.text("score") else 0.0
    metadata = _file(given.text("metadata"), "submit", "metadata") if given.text("metadata") else "{}"
    db = place.open()
    db.execute("BEGIN IMMEDIATE")
    new = new_id(12)
    done = db.execute(
        "INSERT OR IGNORE INTO discoveries (id, source, source_id, title, summary, url,"
        " raw_metadata, relevance_score,"
        " confidence_tier, status, discovered_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'new', ?)",
        (
            new,
            source,
            source_id,
            title,
            given.text("summary"),
            given.text("url"),
            metadata,
            score,
            tier(score),
            stamp(),
        ),
    )
    if not done.rowcount:
        _refused(
            "submit",
            f"duplicate discovery: source/source_id already exists: source={source} source_id={source_id}",
        )
    about = {"id": new, "source": source, "title": title, "score": score, "tier": tier(score)}
    note(db, new, "discovery.submitted", "", "new", about)
    db.execute("COMMIT")
    shell.say(new)
    return 0


def _found(db: Any, given: Words, act: str, usage: str) -> Any:
    if not given.loose:
        said.misused(f"discovery {act}: usage: ic discovery {act} {usage}")
    # The real one takes the last loose word where others take the first.
    wanted = given.loose[0] if act in {"status", "dismiss"} else given.loose[-1]
    row = db.execute("SELECT * FROM discoveries WHERE id = ?", (wanted,)).fetchone()
    if row is None:
        _refused(act, f"discovery not found: {wanted}")
    return row


def _told(row: Any, names: tuple[str, ...]) -> dict[str, Any]:
    told = rows.kept(row, *names)
    return {name: value for name, value in told.items() if value != "" or name not in {"summary", "url"}}


def _status(place: Database, given: Words) -> int:
    row = _found(place.open(), given, "status", "<id>")
    if not place.json:
        shell.say("\t".join(str(row[name]) for name in ("id", "source", "title", "status")))
        return 0
    told = _told(row, ("id", "source", "source_id", "title", "summary", "url", "raw_metadata", *_LISTED[6:]))
    rows.print_json(told | rows.kept(row, "run_id", "bead_id", "discovered_at", "promoted_at", "reviewed_at"))
    return 0


def _list(place: Database, given: Words) -> int:
    limit = given.number("limit", 100, "discovery list")
    wanted = {"source": "source", "status": "status", "tier": "confidence_tier"}
    asked = {column: given.text(name) for name, column in wanted.items() if given.text(name)}
    where = "".join(f" AND {column} = ?" for column in asked)
    found = (
        place.open()
        .execute(
            f"SELECT * FROM discoveries WHERE 1{where} ORDER BY relevance_score DESC, id LIMIT ?",  # noqa: S608
            (*asked.values(), limit if limit > 0 else 100),
        )
        .fetchall()
    )
    if not place.json:
        for row in found:
            shell.say("\t".join(str(row[name]) for name in ("id", "source", "title", "status")))
        return 0
    # Nothing found is printed as null, and the list leaves out what became of a discovery.
    rows.print_json([_told(row, (*_LISTED, "discovered_at")) for row in found] or None)
    return 0


def _score(place: Database, given: Words) -> int:
    if not given.loose or not given.text("score"):
        said.misused("discovery score: usage: ic discovery score <id> --score=<0.0-1.0>")
    score = _float(given.text("score"), "score")
    db = place.open()
    db.execute("BEGIN IMMEDIATE")
    row = _found(db, given, "score", "<id>")
    if row["status"] in {"dismissed", "promoted"}:
        _refused("score", f'invalid lifecycle transition: cannot score discovery in "{row["status"]}" status')
    db.execute(
        "UPDATE discoveries SET relevance_score = ?, confidence_tier = ?, status = 'scored' WHERE id = ?",
        (score, tier(score), row["id"]),
    )
    about = {"id": row["id"], "old_score": row["relevance_score"], "new_score": score, "tier": tier(score)}
    note(db, row["id"], "discovery.scored", row["status"], "scored", about)
    db.execute("COMMIT")
    shell.say(f"scored {row['id']}: {score:.2f} ({tier(score)})")
    return 0


def _promote(place: Database, given: Words) -> int:
    issue = given.text("bead-id")
    if not given.loose or not issue:
        said.misused("discovery promote: usage: ic discovery promote <id> --bead-id=<bid> [--force]")
    db = place.open()
    db.execute("BEGIN IMMEDIATE")
    row = _found(db, given, "promote", "<id>")
    score = float(row["relevance_score"])
    if row["status"] == "dismissed":
        _refused("promote", "invalid lifecycle transition: cannot promote dismissed discovery")
    if row["status"] != "promoted":
        if "force" not in given.on and score < _LEAST:
            _refused(
                "promote",
                "gate blocked: confidence below promotion threshold:"
                f" confidence {score:.2f} below promotion threshold {_LEAST:.2f}",
            )
        db.execute(
            "UPDATE discoveries SET status = 'promoted', bead_id = ?, promoted_at = ? WHERE id = ?",
            (issue, stamp(), row["id"]),
        )
        about = {"id": row["id"], "bead_id": issue, "score": score, "force": "force" in given.on}
        note(db, row["id"], "discovery.promoted", row["status"], "promoted", about)
    db.execute("COMMIT")
    # Promoted before, to whatever issue: said again all the same.
    shell.say(f"promoted {row['id']} → {issue}")
    return 0


def _dismiss(place: Database, given: Words) -> int:
    db = place.open()
    db.execute("BEGIN IMMEDIATE")
    row = _found(db, given, "dismiss", "<id>")
    if row["status"] != "dismissed":
        db.execute(
            "UPDATE discoveries SET status = 'dismissed', reviewed_at = ? WHERE id = ?", (stamp(), row["id"])
        )
        note(db, row["id"], "discovery.dismissed", row["status"], "dismissed", {"id": row["id"]})
    db.execute("COMMIT")
    shell.say(f"dismissed {row['id']}")
    return 0


def _feedback(place: Database, given: Words) -> int:
    signal = given.text("signal")
    if not given.loose or not signal:
        said.misused(
            "discovery feedback: usage: ic discovery feedback <id> --signal=<type> [--data=@file]"
            " [--actor=<name>]"
        )
    db = place.open()
    db.execute("BEGIN IMMEDIATE")
    row = _found(db, given, "feedback", "<id>")
    key = given.text("idempotency-key") or None
    seen = (
        key
        and db.execute(
            "SELECT 1 FROM feedback_signals WHERE discovery_id = ? AND idempotency_key = ?", (row["id"], key)
        ).fetchone()
    )
    if not seen:
        db.execute(
            "INSERT INTO feedback_signals (discovery_id, signal_type, signal_data, actor,"
            " idempotency_key, created_at)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            (row["id"], signal, given.text("data") or "{}", given.text("actor") or "system", key, stamp()),
        )
        note(db, row["id"], "feedback.recorded", "", "", {"discovery_id": row["id"], "signal_type": signal})
    db.execute("COMMIT")
    shell.say(f"feedback recorded: {row['id']} {signal}")
    return 0


def _search(place: Database, given: Words) -> int:
    """By embedding only; words are no search."""
    if not given.text("embedding"):
        said.misused("discovery search: --embedding is required")
    _file(given.text("embedding"), "search", "embedding")
    place.open()
    rows.print_json(None)
    return 0
