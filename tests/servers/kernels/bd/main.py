"""From the words of a command to what does it: options as the usual Go parser takes them, others refused."""

from __future__ import annotations

import os

from tests.servers.kernels import shell
from tests.servers.kernels.bd import changing, closing, creating, database, listing, waiting
from tests.servers.kernels.bd.asked import Asked

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, NoReturn

    Act = Callable[[Asked], int]

VERSION = "1.0.5"

_GLOBAL = {
    "json": bool,
    "actor": str,
    "db": str,
    "directory": str,
    "readonly": bool,
    "sandbox": bool,
    "quiet": bool,
}
_GLOBAL |= {"verbose": bool, "global": bool, "profile": bool, "dolt-auto-commit": str, "help": bool}
_SHORT_GLOBAL = {"q": "quiet", "v": "verbose", "C": "directory", "h": "help"}
_FILTERS: Mapping[str, type] = {
    "all": bool,
    "limit": str,
    "sort": str,
    "reverse": bool,
    "status": str,
    "type": str,
    "priority": str,
    "assignee": str,
    "label": str,
    "title-contains": str,
    "desc-contains": str,
    "external-contains": str,
    "updated-after": str,
    "query": str,
    "parent": str,
    "claim": bool,
    "explain": bool,
}
_FIELDS: Mapping[str, type] = {
    "title": str,
    "description": str,
    "body": str,
    "design": str,
    "acceptance": str,
    "notes": str,
    "append-notes": str,
    "set-metadata": str,
    "unset-metadata": str,
    "priority": str,
    "type": str,
    "labels": str,
    "label": str,
    "add-label": str,
    "remove-label": str,
    "set-labels": str,
    "assignee": str,
    "status": str,
    "deps": str,
    "parent": str,
    "id": str,
    "external-ref": str,
    "force": bool,
    "silent": bool,
    "dry-run": bool,
    "claim": bool,
}
_CLOSING: Mapping[str, type] = {"reason": str, "force": bool, "suggest-next": bool, "message": str}
_SHORT = {
    "d": "description",
    "p": "priority",
    "t": "type",
    "l": "labels",
    "a": "assignee",
    "s": "status",
    "n": "limit",
    "r": "reason",
    "m": "message",
    "f": "force",
}


def _version(asked: Asked) -> int:
    if asked.json:
        asked.answer({"build": "dev", "version": VERSION})
    else:
        shell.say(f"bd version {VERSION} (dev)")
    return 0


def _init(asked: Asked) -> int:
    prefix = asked.text("prefix") or os.path.basename(os.getcwd())
    if os.path.exists(os.path.join(database.FOLDER, database.NAME)):
        shell.complain("Error: this workspace is already initialized; use --force to do it again")
        return 1
    database.make(os.getcwd(), prefix)
    return 0


_ACTS: Mapping[str, tuple[Act, Mapping[str, type]]] = {
    "create": (creating.create, _FIELDS),
    "new": (creating.create, _FIELDS),
    "update": (changing.update, _FIELDS),
    "close": (closing.close, _CLOSING),
    "done": (closing.close, _CLOSING),
    "reopen": (closing.reopen, {"reason": str}),
    "show": (listing.show, {"id": str, "long": bool, "short": bool, "current": bool}),
    "list": (listing.listed, _FILTERS),
    "search": (listing.search, _FILTERS),
    "ready": (listing.ready, _FILTERS),
    "blocked": (listing.blocked, {"parent": str}),
    "dep": (waiting.dep, {"type": str}),
    "version": (_version, {}),
    "init": (_init, {"prefix": str, "stealth": bool, "skip-hooks": bool}),
}


def main(words: list[str]) -> int:
    name = _name(words)
    if name is None:
        shell.say("Issues chained together like beads.\n\nUsage:\n  bd [flags]\n  bd [command]")
        return 0
    if name not in _ACTS:
        shell.complain(f'Error: unknown command "{name}" for "bd"\nRun \'bd --help\' for usage.')
        return 1
    act, options = _ACTS[name]
    asked = _parse(name, words, {**_GLOBAL, **options})
    if "directory" in asked.values:
        os.chdir(asked.text("directory"))
    if asked.flag("help"):
        shell.say(f"Usage:\n  bd {name} [flags]")
        return 0
    return act(asked)


def _name(words: list[str]) -> str | None:
    """The first loose word; values of global options do not count."""
    given = iter(words)
    for word in given:
        if not word.startswith("-"):
            return word
        key = word.lstrip("-")
        if "=" not in key and _GLOBAL.get(_SHORT_GLOBAL.get(key, key)) is str:
            next(given, None)
    return None


def _parse(name: str, words: list[str], known: Mapping[str, type]) -> Asked:
    asked = Asked()
    given = iter(words)
    for word in given:
        if word == "--":
            asked.loose += given
            break
        if not word.startswith("-") or word == "-":
            asked.loose.append(word)
            continue
        _option(name, word, given, known, asked)
    asked.loose.remove(name)
    return asked


def _option(name: str, word: str, given: Any, known: Mapping[str, type], asked: Asked) -> None:
    key, value = _key(name, word, known)
    if known[key] is bool:
        if value in {None, "true", "1", "t", "T", "TRUE", "True"}:
            asked.on.add(key)
        elif value not in {"false", "0", "f", "F", "FALSE", "False"}:
            _unknown(
                name, f'invalid argument "{value}" for "--{key}" flag: strconv.ParseBool: invalid syntax'
            )
        return
    value = next(given, None) if value is None else value
    if value is None:
        _unknown(name, f"flag needs an argument: --{key}")
    asked.add(key, value)


def _key(name: str, word: str, known: Mapping[str, type]) -> tuple[str, str | None]:
    """The option's long name, and the value that hangs on it."""
    if word.startswith("--"):
        key, equals, value = word[2:].partition("=")
        if key not in known:
            _unknown(name, f"unknown flag: --{key}")
        return key, value if equals else None
    short, rest = word[1], word[2:]
    key = _SHORT_GLOBAL.get(short) or _SHORT.get(short) or ""
    key = "label" if key == "labels" and key not in known else key
    if key not in known:
        _unknown(name, f"unknown shorthand flag: '{short}' in {word}")
    return key, rest.removeprefix("=") if rest else None


def _unknown(name: str, problem: str) -> NoReturn:
    shell.complain(
        f"Error: {problem}\nUsage:\n  bd {name} [flags]\n\nFlags:\n      --json   Output in JSON format"
    )
    raise shell.Ended(1)
