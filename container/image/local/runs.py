"""Sentences about runs, gates and what is known: from a matched pattern to what to do."""

import re

from . import phrases
from .intents import Arguments, Intent, call
from .issues import Match, why

_BUDGET = re.compile(
    r"[\s,]+with\s+(?:an?\s+|the\s+)?(?:token\s+)?budget\s+of\s+(?P<amount>[\d.,]+\s*[km]?)(?:\s+tokens)?\s*$",
    re.IGNORECASE,
)
_AMOUNT = re.compile(r"(\d[\d,]*(?:\.\d+)?)\s*([km]?)")
_CURRENT = frozenset({"", "it", "this", "now", "current", "doing", "going", "run", "sprint"})
_LONGEST_NUMBER = 15


def start(match: Match) -> Intent:
    goal, budget = match["text"].strip(), None
    if found := _BUDGET.search(goal):
        goal, budget = goal[: found.start()], _tokens(found["amount"])
    arguments: Arguments = {"title": goal.strip(" \"'"), "token_budget": budget}
    return call("demarch_start_run", phrases.STARTING, arguments, body="description")


def gate(match: Match) -> Intent:
    said = match["verb"].lower()
    verb = {"override": "approve", "postpone": "defer"}.get(said, said)
    return _on_run(f"demarch_{verb}_gate", phrases.gate(verb), match)


def advance(match: Match) -> Intent:
    return _on_run("demarch_advance_phase", phrases.ADVANCING, match)


def cancel(match: Match) -> Intent:
    return _on_run("demarch_cancel_run", phrases.CANCELLING, match)


def extend(match: Match) -> Intent:
    amount, unit = match["amount"] or "", (match["unit"] or "").lower()
    by_percent = unit in {"%", "percent"}
    number = _tokens(amount + unit if unit in {"k", "m"} else amount)
    return _on_run(
        "demarch_extend_budget", phrases.EXTENDING, match, {"percent" if by_percent else "tokens": number}
    )


def spec(match: Match) -> Intent:
    arguments: Arguments = {"artifact_id": match.groupdict().get("artifact"), "run_id": _run(match)}
    return call("demarch_spec_lookup", phrases.SPEC, arguments)


def reviews(match: Match) -> Intent:
    return call("demarch_review_summary", phrases.REVIEWS, {"run_id": _run(match)})


def events(match: Match) -> Intent:
    return call("demarch_run_events", phrases.EVENTS, {"run_id": _run(match), "since": _span(match)})


def changes(match: Match) -> Intent:
    return call("demarch_what_changed", phrases.CHANGES, {"since": _span(match)})


def readiness(match: Match) -> Intent:
    return call("demarch_readiness", phrases.READINESS, {"run_id": _run(match)})


def decisions(match: Match) -> Intent:
    return call("demarch_decisions", phrases.DECISIONS, {"run_id": _run(match), "since": _span(match)})


def pause(match: Match) -> Intent:
    return _on_run("demarch_pause_run", phrases.PAUSING, match)


def resume(match: Match) -> Intent:
    return _on_run("demarch_resume_run", phrases.RESUMING, match)


def promote(match: Match) -> Intent:
    return _triage("demarch_promote_discovery", phrases.PROMOTING, match)


def dismiss(match: Match) -> Intent:
    return _triage("demarch_dismiss_discovery", phrases.DISMISSING, match)


def status(match: Match) -> Intent:
    return call("demarch_run_status", phrases.STATUS, {"run_id": _run(match)})


def sprint(_: Match) -> Intent:
    return call("demarch_sprint_phase", phrases.SPRINT)


def following(_: Match) -> Intent:
    return call("demarch_next_work", phrases.NEXT)


def research(match: Match) -> Intent:
    return call("demarch_research", phrases.RESEARCHING, {"query": match["text"].strip(" \"'?.!")})


def finding(match: Match) -> Intent:
    title = match["text"].strip()
    return call("demarch_register_finding", phrases.REGISTERING, {"title": title}, body="summary")


def message(match: Match) -> Intent:
    return call("send_message", phrases.SENDING, {"text": match["text"].strip()}, body="text")


def assist(_: Match) -> Intent:
    return Intent("help")


def wait(match: Match) -> Intent:
    return Intent("wait", seconds=min(float(match["seconds"]), 60.0))


def _triage(tool: str, title: str, match: Match) -> Intent:
    return call(tool, title, {"discovery_id": match["discovery"].strip("\"'"), "reason": why(match)})


def _span(match: Match) -> str | None:
    """How far back, as the tools take it: 2h, 1d."""
    span = match["span"]
    return f"{match['count'] or 1}{span[0].lower()}" if span else None


def _on_run(tool: str, title: str, match: Match, more: Arguments | None = None) -> Intent:
    return call(tool, title, {"run_id": _run(match), "reason": why(match), **(more or {})})


def _run(match: Match) -> str | None:
    """The run a sentence names, if it names one."""
    name = (match.groupdict().get("run") or "").strip("\"'")
    return None if name.lower() in _CURRENT else name


def _tokens(amount: str) -> int | None:
    found = _AMOUNT.fullmatch(amount.strip().lower().rstrip(".,"))
    if not found or len(found[1]) > _LONGEST_NUMBER:
        return None
    return int(float(found[1].replace(",", "")) * {"": 1, "k": 1_000, "m": 1_000_000}[found[2]])
