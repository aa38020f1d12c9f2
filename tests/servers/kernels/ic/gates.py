"""`ic gate`: look at a gate, force a run through it, list the rules."""

from __future__ import annotations

from tests.servers.kernels import notation, shell
from tests.servers.kernels.ic import chain, checks, moves, rows
from tests.servers.kernels.ic import words as said
from tests.servers.kernels.ic.database import Database
from tests.servers.kernels.ic.words import Words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn


def gate(place: Database, words: list[str]) -> int:
    if not words:
        said.usage("gate", "missing subcommand", expected="check, override, rules, signals")
    if words[0] not in {"check", "override", "rules"}:
        said.usage("gate", "unknown subcommand", subcommand=words[0])
    return {"check": _check, "override": _override, "rules": _rules}[words[0]](place, Words(words[1:]))


def _check(place: Database, given: Words) -> int:
    priority = given.number("priority", 3, "gate check")
    if not given.loose:
        said.misused("gate check: usage: ic gate check <run_id> [--priority=N]")
    db = place.open()
    run = moves.found(db, given.loose[0], "gate check")
    steps = chain.of(run)
    if run["status"] in chain.OVER:
        said.negative("gate check", " failed", error="run is in a terminal status")
    if chain.is_last(steps, run["phase"]):
        said.negative("gate check", " failed", error="run is already in terminal phase")
    to = chain.after(steps, run["phase"]) or ""
    # Unlike a move, a look does not walk past skipped phases.
    judged = checks.evaluate(db, run, to, priority, dry=True)
    if place.json:
        told = {"run_id": run["id"], "from_phase": run["phase"], "to_phase": to, "result": judged.result}
        told |= {"tier": judged.tier, "source": judged.source}
        if judged.evidence is not None:
            told["evidence"] = judged.evidence
        rows.print_json(dict(sorted(told.items())))
    else:
        shell.say(f"{run['phase']} → {to}: {judged.result} (tier: {judged.tier}, source: {judged.source})")
    return 0 if judged.result in {"pass", "none"} else 1


def _override(place: Database, given: Words) -> int:
    if not given.loose:
        said.misused(
            "gate override: usage: ic gate override <run_id> --reason=<reason> [--justified|--expedient]"
        )
    reason = given.text("reason")
    if not reason:
        said.usage("gate override", "--reason is required")
    if given.flag("justified") and given.flag("expedient"):
        said.usage("gate override", "--justified and --expedient are mutually exclusive")
    category = "justified" if given.flag("justified") else "expedient" if given.flag("expedient") else ""
    if not category:
        category = "uncategorized"
        shell.complain("gate override: DEPRECATION: specify --justified or --expedient for signal quality")
    return _force(place, given.loose[0], reason, category)


def _force(place: Database, run_id: str, reason: str, category: str) -> int:
    db = place.open()
    db.execute("BEGIN IMMEDIATE")
    run = moves.found(db, run_id, "gate override")
    steps = chain.of(run)
    if run["status"] in chain.OVER:
        said.negative("gate override", ": run is in terminal status", status=run["status"])
    if chain.is_last(steps, run["phase"]):
        said.negative("gate override", ": run is already at terminal phase")
    to = chain.after(steps, run["phase"]) or ""
    if checks.wants_evidence(run) and chain.is_last(steps, to):
        _stopped(db, run, to)
    moves.enter(db, run, to)
    # The real one writes a Go string here; for text without control characters that is the same as JSON.
    kept = f'{{"override_category":"{category}","reason":{_quoted(reason)}}}'
    rows.add_event(db, run["id"], "override", run["phase"], to, gate=("fail", "hard"), reason=kept)
    db.execute("COMMIT")
    if place.json:
        rows.print_json({"category": category, "from_phase": run["phase"], "reason": reason, "to_phase": to})
    else:
        shell.say(f"{run['phase']} → {to} (override: {reason}, category: {category})")
    return 0


def _stopped(db: Any, run: Any, to: str) -> NoReturn:
    """Nobody may override this one; the attempt is in the log as a block."""
    detail = "runtime evidence terminal gate cannot be overridden"
    evidence = {"conditions": [{"check": "runtime_evidence", "result": "fail", "detail": detail}]}
    rows.add_event(
        db, run["id"], "block", run["phase"], to, gate=("fail", "hard"), reason=shell.json_text(evidence)
    )
    db.execute("COMMIT")
    said.negative("gate override", " blocked", reason=detail)


def _quoted(text: str) -> str:
    """As Go's %q: what cannot be printed becomes an escape that JSON does not know."""
    short = {"\a": "\\a", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v"}
    signs = {'"': '\\"', "\\": "\\\\"} | short
    return '"' + "".join(signs.get(sign) or _printed(sign) for sign in text) + '"'


def _printed(sign: str) -> str:
    if sign.isprintable():
        return sign
    code = ord(sign)
    return f"\\x{code:02x}" if code < 0x80 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _rules(place: Database, given: Words) -> int:
    wanted, run_id = given.text("phase"), given.text("run")
    table = {f"{before}→{after}": list(rules) for (before, after), rules in checks.RULES.items()}
    source = "default"
    if run_id:
        run = moves.find(place.open(), run_id)
        if run is None:
            said.negative("gate rules", " failed", error="run not found")
        if run["gate_rules"]:
            table, source = notation.read(run["gate_rules"]), "run"
    told = [
        {"checks": rules, "from": key.partition("→")[0], "source": source, "to": key.partition("→")[2]}
        for key, rules in table.items()
        if not wanted or key.partition("→")[0] == wanted
    ]
    rows.print_json(told or None)
    return 0
