"""The chain of the audit log: one canonical form per entry and its HMAC over the one before."""

import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from storage.text import storable

WORDS = 2000  #: characters of one string in a detail
ITEMS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The newest entry: where the next one is chained to."""

    seq: int
    mac: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    seq: int
    at: datetime
    actor: str
    action: str
    detail: Mapping[str, Any]


def seal(key: bytes, previous: bytes, entry: Entry) -> bytes:
    """The entry's MAC: it holds only with this key, after this predecessor, with every field as it is."""
    fields = {
        "seq": entry.seq,
        "at": entry.at.astimezone(UTC).isoformat(timespec="microseconds"),
        "actor": entry.actor,
        "action": entry.action,
        "detail": entry.detail,
    }
    canonical = json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hmac.digest(key, previous + canonical.encode("ascii"), "sha256")


def plain(value: Any) -> Any:
    """A detail as it will read back from the database: no floats, nothing unbounded, only JSON."""
    match value:
        case None | bool() | int():
            return value
        case str():
            return storable(value if len(value) <= WORDS else value[: WORDS - 1] + "…")
        case Mapping():
            return {storable(str(name))[:200]: plain(item) for name, item in list(value.items())[:ITEMS]}
        case list() | tuple() | set() | frozenset():
            return [plain(item) for item in list(value)[:ITEMS]]
        case datetime():
            return value.isoformat()
        case _:
            return plain(str(value))
