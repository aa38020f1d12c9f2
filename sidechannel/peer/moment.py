"""The time as the machine is told it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Moment:
    """Milliseconds: `wall` since 1970, for what others read; `steady`, for waiting, never steps back."""

    wall: int
    steady: int
