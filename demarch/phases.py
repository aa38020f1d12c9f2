"""The chain of phases a run goes through: the default one, checks for custom ones, and what comes next."""

import re
from collections.abc import Collection, Sequence

from demarch.errors import InvalidCall

DEFAULT_PHASES = (
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
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")


def chain_of(phases: Sequence[str]) -> tuple[str, ...]:
    """A custom chain: at least two phases, all different, plain names; the last one ends the run."""
    if len(phases) < 2:
        raise InvalidCall("A chain of phases needs at least two of them.")
    if len(set(phases)) != len(phases):
        raise InvalidCall("A chain of phases must not name the same phase twice.")
    if not all(_NAME.fullmatch(phase) for phase in phases):
        raise InvalidCall("Phases are named with letters, digits, “-” and “_”.")
    return tuple(phases)


def next_phase(chain: Sequence[str], phase: str, skipped: Collection[str] = ()) -> str | None:
    """The next phase that is not skipped, or None at the end. The last phase cannot be skipped."""
    ahead = chain[chain.index(phase) + 1 :]
    return next((step for step in ahead if step not in skipped or step == chain[-1]), None)
