"""`ic run set`: what can be changed about a run."""

from __future__ import annotations

from tests.servers.kernels import notation, shell
from tests.servers.kernels.ic import config, moves, rows
from tests.servers.kernels.ic import words as said
from tests.servers.kernels.ic.database import Database, stamp
from tests.servers.kernels.ic.words import Words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


def set_(place: Database, words: list[str]) -> int:
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
    level = int(config.level(db)["level"])
    if "auto_advance" in changes and bool(changes["auto_advance"]) != (level >= 2):
        wanted = str(bool(changes["auto_advance"])).lower()
        shell.complain(
            f"note: auto_advance={wanted} overrides the L{level} default ({str(level >= 2).lower()})"
            " — run no longer matches the declared delegation level"
        )
