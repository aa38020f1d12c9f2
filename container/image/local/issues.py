"""Sentences about issues: from a matched pattern to what to do."""

import re

from . import phrases
from .intents import Arguments, Intent, call

Match = re.Match[str]

_PRIORITY = re.compile(r"\b(?:p|prio(?:rity)?\s*:?\s*p?)([0-4])\b", re.IGNORECASE)
_TRAILING = re.compile(r"[\s,;]*[(\[,]\s*(?:p|prio(?:rity)?\s*:?\s*p?)([0-4])\s*[)\]]?\s*$", re.IGNORECASE)
_TYPE = re.compile(r"\b(bug|task|feature|epic|chore)\b")
_FIELD = re.compile(
    r"\b(?P<name>status|state|priority|prio|title|notes?|description)\b\s*(?:to\s+be|to|as|is|=|:)?\s*",
    re.IGNORECASE,
)
_FREE = {"title": "title", "note": "notes", "notes": "notes", "description": "description"}
_STATUSES = {
    "progress": "in_progress",
    "in_progress": "in_progress",
    "started": "in_progress",
    "done": "closed",
    "finished": "closed",
}
_QUOTED = re.compile(r"""(["'])(?P<title>(?:(?!\1).)+)\1""")


def why(match: Match) -> str:
    """The reason a sentence gives, if it gives one."""
    return (match.groupdict().get("reason") or "").strip()


def create(match: Match) -> Intent:
    options = " ".join(match.group("before", "type", "after")).lower()
    title = match["text"].strip()
    priority = _PRIORITY.search(options)
    if priority is None and (priority := _TRAILING.search(title)):
        title = title[: priority.start()]
    if quoted := _QUOTED.fullmatch(title):  # “create a bug "Fix login"”
        title = quoted["title"]
    kind = _TYPE.search(options)
    arguments: Arguments = {"title": title, "issue_type": kind[1] if kind else None}
    if priority:
        arguments["priority"] = int(priority[1])
    return call("demarch_create_issue", phrases.CREATING, arguments, body="description")


def close(match: Match) -> Intent:
    arguments: Arguments = {"id": match["id"], "reason": why(match)}
    return call("demarch_close_issue", phrases.closing(match["id"]), arguments)


def update(match: Match) -> Intent:
    """`status in progress, priority 1, notes: ...`: in any order; a free text takes all that follows it."""
    rest = match["rest"]
    changes: Arguments = {}
    position = 0
    while field := _FIELD.search(rest, position):
        if free := _FREE.get(field["name"].lower()):
            changes[free] = rest[field.end() :].strip()
            break
        following = _FIELD.search(rest, field.end())
        value = rest[field.end() : following.start() if following else len(rest)]
        changes |= _value(field["name"], value)
        position = field.end()
    return _change(match["id"], changes or _status(rest) | _priority(rest))


def assign(match: Match) -> Intent:
    if free := _FREE.get(match["name"].lower()):
        return _change(match["id"], {free: match["text"].strip()})
    return _change(match["id"], _value(match["name"], match["text"]))


def note(match: Match) -> Intent:
    return _change(match["id"], {"notes": match["text"].strip()})


def rename(match: Match) -> Intent:
    return _change(match["id"], {"title": match["text"].strip()})


def reopen(match: Match) -> Intent:
    return _change(match["id"], {"status": "open"})


def search(match: Match) -> Intent:
    status = re.sub(r"[\s-]+", "_", (match["status"] or "").lower())
    query = (match["text"] or "").strip(" \"'")
    return call("demarch_search_beads", phrases.SEARCHING, {"query": query, "status": status})


def show(match: Match) -> Intent:
    return call("demarch_search_beads", phrases.showing(match["id"]), {"id": match["id"]})


def _change(issue: str, changes: Arguments) -> Intent:
    body = next((name for name in ("notes", "description") if name in changes), "")
    return call("demarch_update_issue", phrases.updating(issue), {"id": issue, **changes}, body=body)


def _value(name: str, words: str) -> Arguments:
    return _status(words) if name.lower() in {"status", "state"} else _priority(words)


def _status(words: str) -> Arguments:
    """A status in plain words; one we don't know is handed on, so that the answer can say which there are."""
    stripped = re.sub(r"[\s,;.]+(?:and)?\s*$", "", words.strip().lower())
    stripped = re.sub(r"^(?:to|as)\s+", "", stripped)
    if not stripped or _PRIORITY.fullmatch(stripped):
        return {}
    word = re.sub(r"[\s-]+", "_", stripped)
    return {"status": _STATUSES.get(word.removeprefix("in_"), word)}


def _priority(words: str) -> Arguments:
    if number := re.search(r"\bp?([0-4])\b", words.lower()):
        return {"priority": int(number[1])}
    named = re.search(r"\b(critical|high|medium|normal|low|backlog)\b", words.lower())
    return {"priority": named[1]} if named else {}
