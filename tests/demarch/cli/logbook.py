"""An `ic` that knows `events tail` only, over a log that a test writes, with the quirks of each version."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.clock import START
from tests.demarch.cli.binaries import Binaries

_SCRIPT = """#!{python} -IS
import json, os, sys, time
here = os.path.dirname(os.path.abspath(__file__))
words = sys.argv[1:]
with open(os.path.join(here, "calls"), "a") as calls:
    calls.write(json.dumps(["ic", *words]) + "\\n")
with open(os.path.join(here, "manner.json")) as file:
    manner = json.load(file)
given = dict(word[2:].split("=", 1) for word in words if word.startswith("--") and "=" in word)
marks = {{name[6:]: int(value) for name, value in given.items() if name.startswith("since-")}}
marks = {{source: mark for source, mark in marks.items() if source not in manner["unmarked"]}}
follow = "--follow" in words
if follow and manner["deaf"]:
    sys.exit(2)
while True:
    with open(os.path.join(here, "log.jsonl")) as file:
        rows = [json.loads(line) for line in file]
    share = -(-int(given["limit"]) // manner["shares"])
    found = []
    for source in dict.fromkeys(row["source"] for row in rows):
        own = [row for row in rows if row["source"] == source and row["id"] > marks.get(source, 0)]
        found += sorted(own, key=lambda row: (row["timestamp"], row["id"]))[:share]
    for row in sorted(found, key=lambda row: (row["timestamp"], row["source"], row["id"])):
        sys.stdout.write(json.dumps(row) + "\\n")
        if row["source"] not in manner["unmarked"]:
            marks[row["source"]] = max(marks.get(row["source"], 0), row["id"])
    sys.stdout.flush()
    if not follow:
        break
    time.sleep(0.02)
"""


class Logbook:
    """The log and how its `ic` behaves."""

    def __init__(self, binaries: Binaries) -> None:
        self._binaries = binaries
        self._log = binaries.folder / "log.jsonl"
        self._log.touch()
        self._next: dict[str, int] = {}
        self.manner()
        binaries.script("ic", _SCRIPT.format(python=sys.executable))

    def manner(
        self, *, shares: int = 6, unmarked: Sequence[str] = ("interspect",), deaf: bool = False
    ) -> None:
        """Into how many shares it splits a limit, which sources it keeps no marks for, whether it follows."""
        about = {"shares": shares, "unmarked": list(unmarked), "deaf": deaf}
        _replace(self._binaries.folder / "manner.json", json.dumps(about))

    def happen(self, type_: str = "block", *, source: str = "phase", after: float = 0, **about: Any) -> int:
        """Something happens `after` seconds after the start of all tests; its id."""
        number: int = about.pop("id", self._next.get(source, 0) + 1)
        self._next[source] = number
        row = {"id": number, "run_id": "abcd1234", "source": source, "type": type_, "from_state": "review"}
        row |= {"to_state": "polish", "timestamp": stamp(after)} | about
        with self._log.open("a") as file:
            file.write(json.dumps(row) + "\n")
        return number

    def restore(self, *, rows: int) -> None:
        """The log is as it was when it had that many rows."""
        kept = [json.loads(line) for line in self._log.read_text().splitlines()][:rows]
        self._next = {}
        for row in kept:
            self._next[row["source"]] = max(self._next.get(row["source"], 0), row["id"])
        _replace(self._log, "".join(json.dumps(row) + "\n" for row in kept))

    def looks(self) -> int:
        return sum("--follow" not in call for call in self._binaries.calls())

    def follows(self) -> int:
        return sum("--follow" in call for call in self._binaries.calls())


def stamp(after: float) -> str:
    return START.fromtimestamp(START.timestamp() + after, START.tzinfo).strftime("%Y-%m-%dT%H:%M:%SZ")


def _replace(path: Path, text: str) -> None:
    # Whoever reads at this moment sees the old or the new one.
    beside = path.with_suffix(".new")
    beside.write_text(text)
    beside.replace(path)
