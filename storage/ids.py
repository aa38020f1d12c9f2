"""Identifiers that sort by creation: UUID version 7 (RFC 9562, section 5.7)."""

import secrets
from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from storage.clock import Clock

NewId = Callable[[], UUID]


def uuid7(now: datetime, random: int) -> UUID:
    """Build a version 7 UUID from an aware time (millisecond precision) and 74 random bits."""
    milliseconds = int(now.timestamp() * 1000)
    high, low = (random >> 62) & 0xFFF, random & (2**62 - 1)
    return UUID(int=milliseconds << 80 | 0x7 << 76 | high << 64 | 0b10 << 62 | low)


def new_ids(clock: Clock) -> NewId:
    """The production source of ids: the given clock and the system's randomness.

    Each id is greater than the one before, also within one millisecond and when the clock steps back.
    """
    last = UUID(int=0)

    def new_id() -> UUID:
        nonlocal last
        fresh = uuid7(clock.now(), secrets.randbits(74))
        last = fresh if fresh > last else UUID(int=last.int + 1)
        return last

    return new_id
