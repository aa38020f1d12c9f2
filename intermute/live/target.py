"""The place of a terminal in tmux: `session`, `session:window`, each with `.pane` behind it if need be."""

import re

_TARGET = re.compile(r"[A-Za-z0-9_.-]+(:[A-Za-z0-9_.-]+)?(\.[0-9]+)?")
_PARTS = re.compile(r"(?P<session>[^:]+?)(:(?P<window>[^:]+?))?(?P<pane>\.[0-9]+)?")

LONGEST = 200


def valid(target: str) -> bool:
    return len(target) <= LONGEST and _TARGET.fullmatch(target) is not None


def window(target: str) -> str:
    """Its window as tmux takes it literally: by itself tmux also finds names that only begin alike."""
    parts = _parts(target)
    return f"={parts['session']}:" + (f"={parts['window']}" if parts["window"] else "")


def pane(target: str) -> str:
    """The index of its pane; empty: the active one."""
    return (_parts(target)["pane"] or "").removeprefix(".")


def _parts(target: str) -> re.Match[str]:
    parts = _PARTS.fullmatch(target)
    if parts is None:
        raise ValueError(f"no target: {target!r}")
    return parts
