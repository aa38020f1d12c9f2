"""Sentences about other agents: who holds which files, what they wrote, what to tell them."""

import re

from . import phrases
from .intents import Arguments, Intent, call
from .issues import Match

_APART = re.compile(r"\s*,\s*(?:and\s+)?|\s+and\s+|\s+")
_QUOTES = "\"'\u201c\u201d`"
_MINUTES = {"m": 1, "h": 60}


def reserve(match: Match) -> Intent:
    arguments: Arguments = {"paths": _paths(match), "reason": (match["reason"] or "").strip(" .!")}
    if match["count"]:
        arguments["minutes"] = int(match["count"]) * _MINUTES[match["span"][0].lower()]
    return call("coordination_reserve", phrases.RESERVING, arguments)


def release(match: Match) -> Intent:
    if match["all"]:
        return call("coordination_release", phrases.RELEASING, {"everything": True})
    return call("coordination_release", phrases.RELEASING, {"paths": _paths(match)})


def check(match: Match) -> Intent:
    paths = _paths(match) if match.groupdict().get("paths") else None
    return call("coordination_check", phrases.CHECKING, {"paths": paths})


def inbox(_: Match) -> Intent:
    return call("coordination_inbox", phrases.READING)


def write(match: Match) -> Intent:
    arguments: Arguments = {"to": [match["agent"].strip(_QUOTES)], "body": match["text"].strip()}
    return call("coordination_send", phrases.WRITING, arguments, body="body")


def introduce(match: Match) -> Intent:
    return call("coordination_register", phrases.INTRODUCING, {"objective": match["text"].strip()})


def _paths(match: Match) -> list[str]:
    found = (path.strip(_QUOTES) for path in _APART.split(match["paths"].strip()))
    return [path.rstrip(".!?") or path for path in found if path]
