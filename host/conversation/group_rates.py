"""How many files, and how much of them, go into or out of one group within an hour."""

from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta

FILES = 100
BYTES = 200_000_000
PERIOD = timedelta(hours=1)


class GroupRates:
    """Windows by group, in memory: a restart forgives, and nothing worse."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._moved: dict[str, deque[tuple[datetime, int]]] = {}

    def exhausted(self, folder: str) -> bool:
        window = self._window(folder)
        return len(window) >= FILES or sum(size for _, size in window) >= BYTES

    def count(self, folder: str, size: int) -> None:
        self._window(folder).append((self._now(), size))

    def _window(self, folder: str) -> deque[tuple[datetime, int]]:
        window = self._moved.setdefault(folder, deque())
        while window and window[0][0] <= self._now() - PERIOD:
            window.popleft()
        return window
