"""Faults that a test plants, and the log of what was called.

`plant` writes a line into a file beside the executables; the next command that fits takes it out again.
"""

from __future__ import annotations

import os
import sys
import time

from tests.servers.kernels import notation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Fault = dict[str, Any]

PLANTED = "faults.jsonl"
FLOOD = 50 * 1024 * 1024

#: before anything was done
HANG = "hang"  #: sleeps until killed
DIE = "die"  #: killed before it did anything
SLOW = "slow"  #: waits `seconds`, then does its work
REFUSE = "refuse"  #: exit `code` with `err` on stderr and `out` on stdout, nothing done
GARBAGE = "garbage"  #: prints what is no text and no JSON, exit 0, nothing done
FLOOD_OUT = "flood"  #: prints 50 MB
CHILD = "child"  #: leaves a child behind that holds the pipes and sleeps; does its work
#: after the deed
HANG_AFTER = "hang-after"
DIE_AFTER = "die-after"
GARBAGE_AFTER = "garbage-after"
SILENT = "silent"  #: did its work, prints nothing, exit 0
NOISY = "noisy"  #: does its work, and complains on stderr while exiting 0
CHATTY = "chatty"  #: a line of plain text before what it prints

KINDS = frozenset(
    {
        HANG,
        DIE,
        SLOW,
        REFUSE,
        GARBAGE,
        FLOOD_OUT,
        CHILD,
        HANG_AFTER,
        DIE_AFTER,
        GARBAGE_AFTER,
        SILENT,
        NOISY,
        CHATTY,
    }
)
_RUBBISH = b'\x00\xff\xfe{"id": 12, [[[ \x1b[31m\xf0\x28\x8c\x28 <html>\n'


def plant(home: str, fits: str, kind: str, *, times: int = 1, **about: Any) -> None:
    """The next `times` commands whose words hold `fits` (such as "ic run create") go wrong that way."""
    if kind not in KINDS:
        raise ValueError(f"no fault is called {kind}")
    with _opened(home) as file:
        file.seek(0, os.SEEK_END)
        file.write(notation.written({"fits": fits.split(), "kind": kind, "times": times, **about}) + "\n")


def clear(home: str) -> None:
    with _opened(home) as file:
        file.truncate(0)


def take(home: str, program: str, words: list[str]) -> Fault | None:
    if not os.path.exists(os.path.join(home, PLANTED)):
        return None
    with _opened(home) as file:
        import json

        planted = [json.loads(line) for line in file]
        said = [program, *words]
        found = next((one for one in planted if _fits(one["fits"], said)), None)
        if found is None:
            return None
        found["times"] -= 1
        file.seek(0)
        file.truncate(0)
        file.writelines(notation.written(one) + "\n" for one in planted if one["times"] > 0)
        return dict(found)


def _fits(wanted: list[str], said: list[str]) -> bool:
    """The words in this order, others may stand between them."""
    rest = iter(said)
    return all(any(word == given for given in rest) for word in wanted)


def before(fault: Fault | None) -> None:
    """What happens instead of the deed, or ahead of it."""
    act = _BEFORE.get(fault["kind"]) if fault else None
    if act is not None and fault is not None:
        act(fault)


def _die(fault: Fault) -> None:
    os.kill(os.getpid(), 9)


def _wait(fault: Fault) -> None:
    time.sleep(fault.get("seconds", 1))


def _refuse(fault: Fault) -> None:
    os.write(1, str(fault.get("out", "")).encode())
    os.write(2, str(fault.get("err", "")).encode())
    os._exit(int(fault.get("code", 2)))


def _rave(fault: Fault) -> None:
    os.write(1, _RUBBISH * 3)
    os._exit(0)


def _leave_child(fault: Fault) -> None:
    if os.fork() == 0:
        os.execvp("sleep", ["sleep", "60"])  # noqa: S606, S607 - a child that holds the pipes


def _sleep(fault: Fault) -> None:
    while True:
        time.sleep(60)


def _flood(fault: Fault) -> None:
    block = b'{"id":1,"title":"' + b"x" * 65_000 + b'"}\n'
    for _ in range(FLOOD // len(block) + 1):
        sys.stdout.buffer.write(block)
    sys.stdout.buffer.flush()
    os._exit(0)


_BEFORE = {
    HANG: _sleep,
    DIE: _die,
    SLOW: _wait,
    REFUSE: _refuse,
    GARBAGE: _rave,
    FLOOD_OUT: _flood,
    CHILD: _leave_child,
}


def after(fault: Fault, code: int, swallow: Callable[[], None]) -> int:
    """What happens once the deed is done, before anything was printed."""
    kind = fault["kind"]
    if kind == HANG_AFTER:
        _sleep(fault)
    elif kind == DIE_AFTER:
        _die(fault)
    elif kind == GARBAGE_AFTER:
        swallow()
        os.write(1, _RUBBISH * 3)
        return 0
    elif kind == SILENT:
        swallow()
        return 0
    elif kind == NOISY:
        os.write(2, b'{"level":"WARN","msg":"something is deprecated"}\nwarning: this is not a failure\n')
    elif kind == CHATTY:
        os.write(1, b"A new version is available!\n")
    return code


class _opened:  # noqa: N801 - reads as the verb it is
    """The file of planted faults, held against everybody else."""

    def __init__(self, home: str) -> None:
        self._file = open(os.path.join(home, PLANTED), "a+", encoding="utf-8")  # noqa: SIM115

    def __enter__(self) -> Any:
        import fcntl

        fcntl.flock(self._file, fcntl.LOCK_EX)
        self._file.seek(0)
        return self._file

    def __exit__(self, *about: object) -> None:
        self._file.close()


class Note:
    """One line when a command begins and one when it ends: what was called, and what ran at the same time."""

    def __init__(self, path: str, program: str, words: list[str]) -> None:
        self._path = path
        self._pid = os.getpid()
        self._write({"pid": self._pid, "program": program, "words": words, "folder": _here()})

    def ended(self, code: int) -> None:
        self._write({"pid": self._pid, "code": code})

    def _write(self, line: dict[str, Any]) -> None:
        data = (notation.written(line) + "\n").encode("utf-8", "backslashreplace")
        log = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        os.write(log, data)
        os.close(log)


def _here() -> str:
    try:
        return os.getcwd()
    except FileNotFoundError:
        return ""
