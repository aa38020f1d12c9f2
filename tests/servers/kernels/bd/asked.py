"""What a command was asked, and how it answers: with or without the envelope, on stdout or on stderr."""

from __future__ import annotations

import os

from tests.servers.kernels import shell

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

#: says that answers come in an envelope
ENVELOPE = "BD_JSON_ENVELOPE"


class Asked:
    def __init__(self) -> None:
        self.values: dict[str, list[str]] = {}
        self.on: set[str] = set()
        self.loose: list[str] = []

    def add(self, key: str, value: str) -> None:
        self.values.setdefault(key, []).append(value)

    def has(self, name: str) -> bool:
        return name in self.values

    def text(self, name: str, default: str = "") -> str:
        return self.values.get(name, [default])[-1]

    def csv(self, *names: str) -> list[str]:
        """Values that may be given several times and several at once."""
        return [
            part.strip() for name in names for value in self.values.get(name, ()) for part in _fields(value)
        ]

    def flag(self, name: str) -> bool:
        return name in self.on

    @property
    def json(self) -> bool:
        return "json" in self.on

    @property
    def actor(self) -> str:
        return self.text("actor") or os.environ.get("BD_ACTOR") or os.environ.get("BEADS_ACTOR") or "tester"

    @property
    def enveloped(self) -> bool:
        return os.environ.get(ENVELOPE, "").lower() in {"1", "true", "yes"}

    def answer(self, value: Any) -> None:
        shell.say(self._text(value))

    def refuse(self, problem: str, *, aside: bool = False, hint: str = "") -> NoReturn:
        """Exit 1. Some commands say why on stdout, some on stderr (`aside`)."""
        told = {"error": problem} | ({"hint": hint} if hint else {})
        text = self._text(told) if self.json else f"Error: {problem}"
        (shell.complain if aside or not self.json else shell.say)(text)
        raise shell.Ended(1)

    def _text(self, value: Any) -> str:
        if self.enveloped:
            return shell.json_text({"data": value, "schema_version": 1}, indent=2)
        if isinstance(value, dict):
            # An object gets the version among its own fields and loses their order.
            return shell.json_text(dict(sorted({**value, "schema_version": 1}.items())), indent=2)
        return shell.json_text(value, indent=2)


def _fields(value: str) -> list[str]:
    """A record of CSV, with quotes where a field has a comma or a quote in it."""
    if '"' not in value:
        return value.split(",")
    import csv

    return next(csv.reader([value]))
