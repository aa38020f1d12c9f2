"""Which program has a terminal at this moment."""

from collections.abc import Sequence
from pathlib import Path, PurePosixPath

#: programs that run another one: the name of that stands in their arguments
INTERPRETERS = frozenset({"node", "nodejs", "bun", "deno", "python", "python3"})

_FOREGROUND = 5  #: the field of /proc/PID/stat behind the program's name that holds the foreground group


def names(pane_pid: int, command: str) -> Sequence[str]:
    """What the foreground program of the terminal that process `pane_pid` leads is called.

    `command` is what tmux calls it. An interpreter's script counts too, where the system tells. Reads files.
    """
    if command not in INTERPRETERS:
        return (command,)
    try:
        stat = Path(f"/proc/{pane_pid}/stat").read_text(errors="replace")
        group = int(stat.rpartition(")")[2].split()[_FOREGROUND])
        words = Path(f"/proc/{group}/cmdline").read_bytes().decode(errors="replace").split("\0")
    except (OSError, ValueError, IndexError):
        return (command,)
    return (command, *_script(words))


def _script(words: Sequence[str]) -> Sequence[str]:
    """The first argument that is no option; after one we cannot read (`-e CODE`) there is none."""
    for word in words[1:]:
        if word.startswith("--"):
            continue
        return () if word.startswith("-") or not word else (PurePosixPath(word).name.removesuffix(".js"),)
    return ()
