"""What the host counts and times while it works; who shows it is not our business."""

from typing import Protocol


class Meter(Protocol):
    """Takes counts and durations; quick and never failing."""

    def count(self, name: str, **labels: str) -> None: ...

    def add(self, name: str, amount: float, **labels: str) -> None: ...

    def observe(self, name: str, seconds: float) -> None: ...


class SilentMeter:
    """Keeps nothing."""

    def count(self, name: str, **labels: str) -> None:
        pass

    def add(self, name: str, amount: float, **labels: str) -> None:
        pass

    def observe(self, name: str, seconds: float) -> None:
        pass
