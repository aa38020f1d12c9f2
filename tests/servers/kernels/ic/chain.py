"""The phases a run goes through: the default ones or its own."""

from __future__ import annotations

from tests.servers.kernels import notation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

DEFAULT = (
    "brainstorm",
    "brainstorm-reviewed",
    "strategized",
    "planned",
    "executing",
    "review",
    "polish",
    "reflect",
    "done",
)
OVER = frozenset({"completed", "cancelled", "failed"})


def of(run: Any) -> Sequence[str]:
    return notation.read(run["phases"]) if run["phases"] else DEFAULT


def is_last(chain: Sequence[str], phase: str) -> bool:
    return bool(chain) and chain[-1] == phase


def after(chain: Sequence[str], phase: str) -> str | None:
    """The next phase, or None: the last one, or none of this chain."""
    return chain[chain.index(phase) + 1] if phase in chain[:-1] else None


def index(chain: Sequence[str], phase: str) -> int:
    return chain.index(phase) if phase in chain else -1


def between(chain: Sequence[str], low: str, high: str) -> list[str] | None:
    """The phases behind `low` up to and with `high`; None when `low` does not lie before `high`."""
    first, last = index(chain, low), index(chain, high)
    return list(chain[first + 1 : last + 1]) if 0 <= first < last else None


def parse(text: str) -> list[str] | str:
    """A chain of one's own as it is written, or why it is none."""
    try:
        chain = notation.read(text)
    except ValueError as error:
        return f"parse phase chain: {error}"
    if not isinstance(chain, list) or not all(isinstance(phase, str) for phase in chain):
        return "parse phase chain: json: cannot unmarshal into a list of names"
    if len(chain) < 2:
        return f"phase chain must have at least 2 phases, got {len(chain)}"
    signs = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"
    for position, phase in enumerate(chain):
        if not phase or any(sign not in signs for sign in phase):
            return f"phase {position} has invalid name {notation.written(phase)}"
        if phase in chain[:position]:
            return f"duplicate phase {notation.written(phase)}"
    return chain
