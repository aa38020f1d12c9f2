"""`ic config` and `ic autonomy`: the kernel's few settings, and the level of trust that follows from one."""

from __future__ import annotations

from tests.servers.kernels import notation, shell
from tests.servers.kernels.ic import rows
from tests.servers.kernels.ic import words as said
from tests.servers.kernels.ic.database import Database, stamp
from tests.servers.kernels.ic.words import Words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

LEVEL = "autonomy.delegation_level"
_KNOWN = ("autonomy.delegation_level", "global_max_dispatches", "max_spawn_depth")
_NAMES = (
    "human approves every action",
    "human approves at phase gates",
    "human reviews evidence post-hoc",
    "human sets policy, agent executes",
    "agent proposes policy changes",
    "agent proposes mechanism changes",
)
_OPS = (
    {"op": "bd-push-dolt", "floor": 3, "reason": "pushes issue history to a shared remote"},
    {"op": "bead-close", "floor": None, "reason": "reversible"},
    {"op": "git-push-main", "floor": 3, "reason": "publishes to the main branch"},
    {"op": "ic-publish-patch", "floor": None, "reason": "reversible"},
)


def level(db: Any) -> dict[str, Any]:
    """The declared level of trust, 2 when nobody declared one."""
    row = db.execute(
        "SELECT payload FROM state WHERE key = ? AND scope_id = 'global'", (f"kernel.{LEVEL}",)
    ).fetchone()
    declared = _level(row["payload"]) if row else None
    number = 2 if declared is None else declared
    source = LEVEL if declared is not None else "default (unset)"
    if row and declared is None:
        source = f'default (stored value "{row["payload"]}" invalid)'
    return {
        "level": number,
        "name": _NAMES[number],
        "derives_auto_advance": number >= 2,
        "declared": declared is not None,
        "source": source,
    }


def _level(text: str) -> int | None:
    text = text.strip().strip('"')
    text = text.removeprefix("L").removeprefix("l")
    return int(text) if len(text) == 1 and text in "012345" else None


def autonomy(place: Database, words: list[str]) -> int:
    if not words:
        said.usage("autonomy", "missing subcommand", expected="status")
    if words[0] != "status":
        said.usage("autonomy", "unknown subcommand", subcommand=words[0])
    found = level(place.open())
    if place.json:
        ops = [{name: value for name, value in op.items() if value is not None} for op in _OPS]
        rows.print_json(found | {"ops": ops})
        return 0
    shell.say(f"delegation: L{found['level']}  ({found['name']})")
    shell.say(f"derives:    auto_advance={str(found['derives_auto_advance']).lower()} on new runs")
    shell.say(f"source:     {found['source']}")
    return 0


def config(place: Database, words: list[str]) -> int:
    if not words:
        said.usage("config", "missing subcommand", expected="set, get, list")
    if words[0] not in {"set", "get", "list"}:
        said.usage("config", "unknown subcommand", subcommand=words[0])
    return {"set": _set, "get": _get, "list": _list}[words[0]](place, Words(words[1:]).loose)


def _set(place: Database, given: list[str]) -> int:
    if len(given) < 2:
        said.misused("config set: usage: ic config set <key> <value>")
    key, value = given[:2]
    if key == LEVEL:
        number = _level(value)
        if number is None:
            said.usage(
                "config set", "invalid delegation level", error=f'must be an integer 0-5, got "{value}"'
            )
        value = str(number)
    elif key in _KNOWN and not value.isdigit():
        said.usage("config set", "value must be a nonnegative integer", value=value)
    place.open().execute(
        "INSERT OR REPLACE INTO state (key, scope_id, payload, updated_at) VALUES (?, 'global', ?, ?)",
        (f"kernel.{key}", value, stamp()),
    )
    if place.json:
        rows.print_json({"key": key, "value": value})
    else:
        shell.say(f"{key} = {value}")
    return 0


def _get(place: Database, given: list[str]) -> int:
    if not given:
        said.misused("config get: usage: ic config get <key>")
    row = (
        place.open()
        .execute("SELECT payload FROM state WHERE key = ? AND scope_id = 'global'", (f"kernel.{given[0]}",))
        .fetchone()
    )
    if place.json:
        rows.print_json({"key": given[0], "value": notation.Raw(row["payload"]) if row else None})
    else:
        shell.say(f"{given[0]} = {row['payload']}" if row else f"{given[0]}: not set")
    return 0 if row else 1


def _list(place: Database, given: list[str]) -> int:
    db = place.open()
    found = {
        row["key"].removeprefix("kernel."): notation.Raw(row["payload"])
        for row in db.execute(
            "SELECT key, payload FROM state WHERE key LIKE 'kernel.%' AND scope_id = 'global'"
        )
    }
    rows.print_json({key: found[key] for key in _KNOWN if key in found})
    return 0
