"""Counts the tokens of an answer while it passes by."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

from container.broker.port import Usage
from container.broker.sse import Events

Report = Mapping[str, Any]  #: what a provider says about usage, in its own words
ENVELOPE = 100  #: bytes around the text of one event
BYTES_PER_TOKEN = 3
MOST = 10**9  #: a provider that says more is not believed


class Counter(Protocol):
    """What one answer used, as far as it is known."""

    def take(self, message: Mapping[str, Any]) -> None:
        """Look at one event, or at an answer that came in one piece."""
        ...

    @property
    def usage(self) -> Usage | None:
        """None: the provider has not said anything yet."""
        ...

    @property
    def final(self) -> bool:
        """True when nothing more is to come."""
        ...

    @property
    def fault(self) -> str:
        """The error the provider told in the midst of its answer; "" for none."""
        ...


class Watch:
    """Looks at the pieces of an answer on their way: parses what may tell usage, weighs the rest."""

    def __init__(self, counter: Counter, *, streamed: bool, longest: int) -> None:
        self._counter = counter
        self._streamed = streamed
        self._longest = longest
        self._sse = Events(longest)
        self._whole = bytearray()
        self._size = 0
        self._events = 0

    def see(self, chunk: bytes) -> None:
        self._size += len(chunk)
        if self._streamed:
            for data in self._sse.feed(chunk):
                self._events += 1
                self._look(data)
        elif self._size <= self._longest:
            self._whole += chunk

    def ended(self) -> None:
        """The answer is whole."""
        if not self._streamed and self._size <= self._longest:
            self._look(bytes(self._whole))

    @property
    def final(self) -> bool:
        return self._counter.final

    @property
    def fault(self) -> str:
        return self._counter.fault

    def usage(self, input_guess: int) -> Usage:
        """What was used; where the provider did not come to say it, a guess from what was seen."""
        known = self._counter.usage
        if known is not None and self._counter.final:
            return known
        seen = max(self._events, (self._size - ENVELOPE * self._events) // BYTES_PER_TOKEN)
        if known is None:
            return Usage(input=input_guess, output=seen)
        return replace(known, output=max(known.output, seen))

    def _look(self, data: bytes) -> None:
        if b'"usage' not in data and b'"error"' not in data and b'"failed"' not in data:
            return
        try:
            message = json.loads(data)
        except (ValueError, RecursionError):
            return
        if isinstance(message, dict):
            self._counter.take(message)


@dataclass(slots=True)
class Reported:
    """A counter that keeps the latest word of the provider, read by a function per API."""

    read: Callable[[Mapping[str, Any]], tuple[Report, bool] | None]
    convert: Callable[[Report], Usage]
    fault: str = ""
    final: bool = False
    report: dict[str, Any] | None = None

    def take(self, message: Mapping[str, Any]) -> None:
        self.fault = told_fault(message) or self.fault
        found = self.read(message)
        if found is not None:
            report, final = found
            self.report = {**(self.report or {}), **{k: v for k, v in report.items() if v is not None}}
            self.final = self.final or final

    @property
    def usage(self) -> Usage | None:
        return None if self.report is None else self.convert(self.report)


def number(report: Report, *path: str) -> int:
    """The count at `path`, 0 when there is none or it is none."""
    value: object = report
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    return min(value, MOST) if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0


def below(message: Mapping[str, Any], *path: str) -> Report | None:
    """The object at `path`."""
    value: object = message
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value if isinstance(value, Mapping) else None


def told_fault(message: Mapping[str, Any]) -> str:
    """What a message of any of the three APIs says when it tells an error; "" when it does not."""
    error = below(message, "error") or below(message, "response", "error")
    if error is None and message.get("type") == "error":
        error = message
    if error is not None:
        return str(error.get("message") or error.get("type") or "an error")[:300]
    return ""
