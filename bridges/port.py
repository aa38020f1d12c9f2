"""The port every chat network implements, what it needs from the host, and how it fails.

BridgeError
├── BridgeUnavailable     nothing was delivered; try again later
│   └── RateLimited       ... after `retry_after` seconds, this chat only
├── DeliveryUnknown       the network may or may not have taken it (connection lost after sending)
├── ChatGone              the chat refuses us for good (blocked, left, deleted)
├── MessageGone           the message to edit or delete is no longer there
├── FileRefused           a file is too large for the network or for us, or no longer there
├── LeftOut               a passing part was not sent: the network has more important things to take
├── ContentRefused        the network refuses this content; trying again will not help
└── BridgeMisconfigured   a person must act: the text says what (wrong token, second poller, webhook set)
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from bridges.messages import ChatUpdate, Content, Part


class BridgeError(Exception):
    """A chat network did not do what was asked."""


class BridgeUnavailable(BridgeError):
    """Nothing was delivered; the same call may succeed later."""


class RateLimited(BridgeUnavailable):
    """The network asks this chat to wait."""

    def __init__(self, retry_after: float) -> None:
        super().__init__(f"the network asks to wait {retry_after:g} s")
        self.retry_after = retry_after  #: seconds


class DeliveryUnknown(BridgeError):
    """The connection broke after the request was sent: it may have been delivered."""


class ChatGone(BridgeError):
    """The chat refuses us for good."""


class MessageGone(BridgeError):
    """The message to edit or delete is not there (any more)."""


class ContentRefused(BridgeError):
    """The network refuses this content for good."""


class LeftOut(BridgeError):
    """A passing part (a preview) was not sent; a later one may be."""


class FileRefused(BridgeError):
    """The file cannot be had; the message says why."""


class BridgeMisconfigured(BridgeError):
    """A person must act; the message says what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BridgeState:
    """How a bridge is, in words an operator reads."""

    ok: bool
    reason: str = ""


class Intake(Protocol):
    """Where a bridge puts what it received. The host implements it on the database."""

    async def mark(self, bridge: str) -> str | None:
        """The last mark accepted, or None before the first."""
        ...

    async def accept(self, bridge: str, updates: Sequence[ChatUpdate], mark: str | None) -> None:
        """Commit the updates (each once, by update id) and the mark in one transaction.

        When this returns they will survive a crash, and only then may the network be told.
        """
        ...


class ChatBridge(Protocol):
    """One chat network: it brings in what people write and delivers what we answer."""

    @property
    def name(self) -> str:
        """The prefix of its addresses: "tg", "web"."""
        ...

    def state(self) -> BridgeState: ...

    async def run(self, intake: Intake) -> None:
        """Receive until cancelled. Outages are waited out inside; it returns never."""
        ...

    def parts(self, content: Content) -> Sequence[Part]:
        """Render and split to the network's limits. Pure; at least one part."""
        ...

    async def send(self, address: str, part: Part) -> str:
        """Deliver one part, return its ref. Raises any BridgeError."""
        ...

    async def edit(self, address: str, ref: str, part: Part) -> None:
        """Make the message show the part. "Not modified" is success."""
        ...

    async def draft(self, address: str, number: int, content: Content) -> bool:
        """Show in passing what is being written as `number` (not 0), without making a message of it.

        It goes by itself soon after, or with the next message. False where there is no such thing; what
        comes too fast or at a bad moment is left out, and still counts as shown.
        """
        ...

    async def delete(self, address: str, ref: str) -> None: ...

    async def fetch(self, handle: str, most: int) -> bytes:
        """A file somebody sent, of at most `most` bytes. Raises FileRefused, BridgeUnavailable."""
        ...

    async def answer(self, tap_id: str, text: str, *, alert: bool = False) -> None:
        """Answer a tap, seen by the person who tapped only. Too old to answer is success."""
        ...

    async def typing(self, address: str) -> None:
        """Show that an answer is being written (lasts a few seconds). Best effort."""
        ...
