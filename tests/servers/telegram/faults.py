"""What a network does to calls: answers late, connections that break before or after the work is done."""

import asyncio
from collections import defaultdict, deque
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that happens to one call."""

    drop_before: bool = False
    drop_after: bool = False
    seconds: float = 0.0  #: the answer is that late
    gate: asyncio.Event | None = None  #: the call is not begun until this is set
    status: int = 0  #: answered with this instead
    description: str = ""
    garbage: str = ""  #: answered with this text and status 200


class Faults:
    """Faults waiting for their method to be called, each used once."""

    def __init__(self) -> None:
        self._waiting: dict[str, deque[Fault]] = defaultdict(deque)

    def add(self, method: str, fault: Fault, times: int = 1) -> None:
        self._waiting[method].extend([fault] * times)

    def take(self, method: str) -> Fault | None:
        waiting = self._waiting[method]
        return waiting.popleft() if waiting else None
