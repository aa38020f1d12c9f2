"""`ic state`: JSON kept under a key and a scope, with limits, and nothing that looks like a secret."""

from __future__ import annotations

import json
import re

from tests.servers.kernels import shell
from tests.servers.kernels.ic import words as said
from tests.servers.kernels.ic.database import Database, stamp
from tests.servers.kernels.ic.words import Words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_KEY = re.compile(r"[a-z][a-z0-9_-]*(\.[a-z0-9_.:-]+)*")
_SECRETS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"^(sk|pk|rk|ak)[-_][a-zA-Z0-9]{20,}",
        r"^(ghp|gho|ghu|ghs|ghr)_[A-Za-z0-9_]{30,}",
        r"^xox[bpras]-[A-Za-z0-9-]{20,}",
        r"^eyJ[A-Za-z0-9_-]{20,}\.[A-Za-z0-9_-]{20,}\.",
        r"^AKIA[0-9A-Z]{16}",
        r"^-----BEGIN (RSA |EC |DSA |OPENSSH )?PRIVATE KEY",
        r"(password|passwd|secret|token|api_key|apikey|api-key|access_key|private_key)\s*[:=]\s*\S{8,}",
    )
)
_LARGEST = 1 << 20
_DEEPEST = 20
_LONGEST_TEXT = 100 * 1024
_LONGEST_LIST = 10_000


def state(place: Database, words: list[str]) -> int:
    if not words:
        said.usage("state", "missing subcommand", expected="set, get, delete, list, prune")
    acts = {"set": _set, "get": _get, "delete": _delete, "list": _list}
    if words[0] not in acts:
        said.usage("state", "unknown subcommand", subcommand=words[0])
    return acts[words[0]](place, Words(words[1:]))


def _two(given: Words, act: str) -> tuple[str, str]:
    if len(given.loose) < 2:
        said.misused(f"state {act}: usage: ic state {act} <key> <scope_id>")
    return given.loose[0], given.loose[1]


def _set(place: Database, given: Words) -> int:
    key, scope = _two(given, "set")
    ttl = said.seconds(given.text("ttl")) if given.text("ttl") else 0.0
    if ttl is None:
        said.usage("state set", "invalid TTL", value=given.text("ttl"))
    text = shell.stdin().strip()
    problem = "" if _KEY.fullmatch(key) and len(key) <= 200 else f'invalid key "{key}"'
    problem = problem or _problem(text)
    if not problem and given.text("ttl") and ttl < 1:
        problem = f"state set: TTL must be at least 1 second (got {given.text('ttl')})"
    if problem:
        said.broken("state set", problem)
    place.open().execute(
        "INSERT OR REPLACE INTO state (key, scope_id, payload, updated_at, expires_at) VALUES (?,"
        " ?, ?, ?, ?)",
        (key, scope, text, stamp(), stamp() + int(ttl) if ttl else None),
    )
    return 0


def _problem(text: str) -> str:
    """Why this is not kept; nothing when it is."""
    size = len(text.encode("utf-8", "surrogateescape"))
    if size > _LARGEST:
        return f"payload too large: {size} bytes (max {_LARGEST})"
    try:
        value = json.loads(text)
    except ValueError:
        return "invalid JSON payload"
    except RecursionError:
        return f"JSON nesting too deep: >{_DEEPEST} levels"
    return _secret(value) or _too_much(value, 0)


def _secret(value: Any) -> str:
    if isinstance(value, str) and any(pattern.search(value) for pattern in _SECRETS):
        preview = value[:20] + "..." if len(value) > 20 else value
        return (
            f"payload contains a likely secret value ({json.dumps(preview)});"
            " store variable names for provenance, not secret values"
        )
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return next((problem for one in inner if (problem := _secret(one))), "")


def _too_much(value: Any, depth: int) -> str:
    if isinstance(value, str) and len(value.encode("utf-8", "surrogateescape")) > _LONGEST_TEXT:
        return f"JSON string value too long: {len(value)} bytes (max {_LONGEST_TEXT})"
    if not isinstance(value, (dict, list)):
        return ""
    if depth >= _DEEPEST:
        return f"JSON nesting too deep: >{_DEEPEST} levels"
    if isinstance(value, list) and len(value) > _LONGEST_LIST:
        return f"JSON array too long: >{_LONGEST_LIST} elements"
    inner = value.values() if isinstance(value, dict) else value
    return next((problem for one in inner if (problem := _too_much(one, depth + 1))), "")


def _get(place: Database, given: Words) -> int:
    key, scope = _two(given, "get")
    payload = kept(place.open(), key, scope)
    if payload is None:
        return 1
    shell.say(payload)
    return 0


def kept(db: Any, key: str, scope: str) -> str | None:
    row = db.execute(
        "SELECT payload FROM state WHERE key = ? AND scope_id = ? AND (expires_at IS NULL OR expires_at > ?)",
        (key, scope, stamp()),
    ).fetchone()
    return None if row is None else str(row["payload"])


def _delete(place: Database, given: Words) -> int:
    key, scope = _two(given, "delete")
    done = place.open().execute("DELETE FROM state WHERE key = ? AND scope_id = ?", (key, scope))
    shell.say("deleted" if done.rowcount else "not found")
    return 0


def _list(place: Database, given: Words) -> int:
    if not given.loose:
        said.misused("state list: usage: ic state list <key>")
    query = "SELECT scope_id FROM state WHERE key = ? AND (expires_at IS NULL OR expires_at > ?) ORDER BY 1"
    for row in place.open().execute(query, (given.loose[0], stamp())):
        shell.say(row["scope_id"])
    return 0
