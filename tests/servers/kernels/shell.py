"""What a fake executable has at hand: its words, what it prints, the time it is, and how it ends.

Output is held back until the command has done its work, so that a planted fault can swallow or replace it.
"""

from __future__ import annotations

import os
import sys
import time

from tests.servers.kernels import faults, notation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

CLOCK = "clock"  #: a file beside the executables; what it says is the time
CALLS = "calls.jsonl"

_out: list[str] = []
_err: list[str] = []
_home = ""


class Ended(Exception):
    """The command ends here with this exit code; everything was said."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


def say(text: str) -> None:
    _out.append(text + "\n")


def complain(text: str) -> None:
    _err.append(text + "\n")


def flush() -> None:
    for stream, texts in ((1, _out), (2, _err)):
        data = "".join(texts).encode("utf-8", "surrogateescape")
        texts.clear()
        while data:
            data = data[os.write(stream, data) :]


def swallow() -> None:
    _out.clear()
    _err.clear()


def now() -> float:
    """Unix seconds; a test may have set them."""
    try:
        with open(os.path.join(_home, CLOCK), encoding="ascii") as clock:
            return float(clock.read())
    except FileNotFoundError:
        return time.time()


def stdin() -> str:
    return sys.stdin.buffer.read().decode("utf-8", "surrogateescape")


def json_text(value: Any, indent: int | None = None) -> str:
    return notation.written(value, indent)


def enter(program: str, home: str, load: Callable[[], Callable[[list[str]], int]]) -> None:
    """Run one command from beginning to end; never returns."""
    global _home  # noqa: PLW0603 - one process, one command
    _home = home
    words = sys.argv[1:]
    note = faults.Note(os.path.join(home, CALLS), program, words)
    fault = faults.take(home, program, words)
    code = 2
    try:
        faults.before(fault)
        code = load()(words)
    except Ended as ended:
        code = ended.code
    except BrokenPipeError:
        code = 2
    if fault is not None:
        code = faults.after(fault, code, swallow)
    try:
        flush()
    except BrokenPipeError:
        code = 2
    note.ended(code)
    os._exit(code)
