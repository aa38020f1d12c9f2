"""Scripted `ic` and `bd`: each prints what a test laid down for the words it was called with."""

import asyncio
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

_SCRIPT = """#!{python} -IS
import json, os, sys
here = os.path.dirname(os.path.abspath(__file__))
words = sys.argv[1:]
with open(os.path.join(here, "calls"), "a") as calls:
    calls.write(json.dumps([{program!r}, *words]) + "\\n")
with open(os.path.join(here, "answers.json")) as file:
    answers = json.load(file)
plain = " ".join([{program!r}, *(word for word in words if not word.startswith("-"))])
fits = [name for name in answers if plain == name or plain.startswith(name + " ")]
if not fits:
    sys.stderr.write("no answer for " + plain)
    sys.exit(2)
answer = answers[max(fits, key=len)]
sys.stderr.write(answer["err"])
sys.stdout.write(answer["out"])
sys.stdout.flush()
sys.exit(answer["code"])
"""


class Binaries:
    """A folder with both executables in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._answers: dict[str, dict[str, Any]] = {}
        folder.mkdir()
        for program in ("ic", "bd"):
            self.script(program, _SCRIPT.format(python=sys.executable, program=program))
        self._write()

    @property
    def environment(self) -> dict[str, str]:
        return {"PATH": f"{self.folder}{os.pathsep}{os.defpath}", "HOME": str(self.folder)}

    def answer(self, words: str, out: Any = "", *, code: int = 0, err: str = "") -> None:
        """What is printed for a call whose words begin like that, options left aside."""
        text = out if isinstance(out, str) else json.dumps(out) + "\n"
        self._answers[words] = {"out": text, "code": code, "err": err}
        self._write()

    def script(self, program: str, text: str) -> None:
        path = self.folder / program
        path.write_text(text)
        path.chmod(0o755)

    def remove(self, program: str) -> None:
        (self.folder / program).unlink()

    def calls(self) -> Sequence[Sequence[str]]:
        path = self.folder / "calls"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def _write(self) -> None:
        (self.folder / "answers.json").write_text(json.dumps(self._answers))


class Life:
    """A pipe that processes hold open while they live; its script writes a line into it when it has begun."""

    def __init__(self, path: Path) -> None:
        os.mkfifo(path)
        self._pipe = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        # Nobody else may be there yet; without a writer the pipe would be at its end at once.
        self._held = os.open(path, os.O_WRONLY)
        self._reader = asyncio.StreamReader()

    async def begun(self) -> None:
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(self._reader), os.fdopen(self._pipe, "rb", 0)
        )
        async with asyncio.timeout(10):
            await self._reader.readline()
        os.close(self._held)

    async def over(self) -> None:
        """Everybody who held it is gone."""
        try:
            async with asyncio.timeout(5):
                await self._reader.read()
        finally:
            self._transport.close()


def run(run_id: str = "abcd1234", **about: Any) -> dict[str, Any]:
    """A run as `ic run status` prints it."""
    plain = {
        "id": run_id,
        "project_dir": "/srv/shop",
        "goal": "refactor auth",
        "status": "active",
        "phase": "executing",
        "complexity": 3,
        "force_full": False,
        "auto_advance": True,
        "created_at": 1767600000,
        "updated_at": 1767603600,
    }
    return plain | about
