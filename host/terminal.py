"""What the operator reads at the start: what is under way and for how long, then where everything is."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TextIO

SLOW = 1.0  #: seconds after which a step that took long says so


class Terminal:
    """Writes lines; on a terminal that can it shows what is being worked on in one line of its own."""

    def __init__(self, stream: TextIO, *, now: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream
        self._now = now
        self._live = stream.isatty()
        self._begun = now()

    @property
    def elapsed(self) -> float:
        """Seconds since the start."""
        return self._now() - self._begun

    def say(self, line: str = "") -> None:
        self._clear()
        self._stream.write(line + "\n")
        self._stream.flush()

    @contextmanager
    def working(self, what: str) -> Iterator[Callable[[str], None]]:
        """Show that this is under way; call the given function with how far it is."""
        begun = self._now()
        self._show(f"{what}…")
        yield lambda how_far: self._show(f"{what}… {how_far}")
        took = self._now() - begun
        if took >= SLOW:
            self.say(f"{what}: done in {took:.1f} s")
        else:
            self._clear()

    def table(self, rows: Sequence[tuple[str, str]]) -> None:
        width = max(len(name) for name, _ in rows)
        for name, words in rows:
            self.say(f"  {name:<{width}}  {words}")

    def _show(self, line: str) -> None:
        if self._live:
            self._stream.write(f"\r\033[K{line[:200]}")
            self._stream.flush()

    def _clear(self) -> None:
        if self._live:
            self._stream.write("\r\033[K")
