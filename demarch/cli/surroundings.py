"""What a command sees of the world around it: where binaries are looked for and which variables it gets.

The program's own environment holds tokens and passwords; a command of the kernel may start hooks and agents,
so it gets what programs generally need and nothing else.
"""

import os
from collections.abc import Mapping
from pathlib import Path

_NAMES = frozenset(
    {"HOME", "PATH", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "TZ", "TMPDIR", "TERM", "SSH_AUTH_SOCK"}
    # where agents that the kernel starts keep their own credentials
    | {"CODEX_HOME", "CLAUDE_CONFIG_DIR"}
)
_PREFIXES = (
    "LC_",
    "XDG_",
    "IC_",
    "INTERCORE_",
    "CLAVAIN_",
    "BD_",
    "BEADS_",
    "DOLT_",
    "GIT_AUTHOR_",
    "GIT_COMMITTER_",
)
#: where people install such tools; a service manager's PATH knows none of these
_BESIDES = (".local/bin", ".cargo/bin", "go/bin")


def surroundings(given: Mapping[str, str], home: Path | None = None) -> Mapping[str, str]:
    """The environment of every command, from the one at hand (may be empty)."""
    kept = {name: value for name, value in given.items() if name in _NAMES or name.startswith(_PREFIXES)}
    home = home or Path(given.get("HOME") or Path.home())
    path = _path(given.get("PATH") or os.defpath, home)
    # Nobody sits there to be asked for a password.
    return kept | {"HOME": str(home), "PATH": path, "GIT_TERMINAL_PROMPT": "0"}


def _path(given: str, home: Path) -> str:
    # A relative entry would be looked up in whatever folder happens to be current.
    entries = [entry for entry in given.split(os.pathsep) if entry.startswith("/")]
    entries += [str(home / folder) for folder in _BESIDES] + ["/usr/local/bin"]
    return os.pathsep.join(dict.fromkeys(entries))
