"""Delivery into terminals, as the messages need it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from intermute.events.event import NewEvent
from intermute.messages.letter import Letter
from storage.database import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """What came of it for each of those in `to`: `denied` by their policy, or "injected", or "deferred"."""

    denied: frozenset[str]
    delivery: Mapping[str, str]


class LivePost(Protocol):
    """Types messages into the terminals of those in `letter.to`."""

    @property
    def enabled(self) -> bool:
        """Off: every message is for the inbox alone."""

    async def attempt(self, letter: Letter, *, window: str) -> Attempt:
        """Ask the live policies of those in `to`, then type. `window` may name the one of several.

        For the transport `live` nothing is stored afterwards: what is to be told of it is told here, and who
        cannot be reached is refused. Raises LimitReached (`rate_limit`), Unavailable (`recipient_busy`,
        `delivery_failed`). For `both` whoever cannot be reached now is "deferred".
        """

    async def keep(self, conn: Connection, letter: Letter, attempt: Attempt) -> Sequence[NewEvent]:
        """For `both`: keep what waits for a terminal, in the message's transaction. What is to be told."""
