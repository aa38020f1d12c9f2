"""What the page needs from the host, and the values they exchange.

The page is a view of what the host has stored: the host implements these ports on its database,
the web bridge renders them and carries what people write and tap to the `Intake`, like any network.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from bridges.messages import Button, Document, Markup


class NoSuchRoom(Exception):
    """There is no such room, or this person may not see it: the same answer for both."""


class UploadRefused(Exception):
    """A file was not taken; the words are for the person."""


class Clock(Protocol):
    """What time it is, UTC-aware."""

    def now(self) -> datetime: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """Who looks at the page."""

    person: str  #: "web:owner"
    name: str  #: shown as the author of what they write


@dataclass(frozen=True, slots=True, kw_only=True)
class Cookie:
    """What a one-time token was traded for."""

    value: str
    max_age: int  #: seconds


class Doorkeeper(Protocol):
    """Trades one-time links for cookies and knows whose a cookie is. Keeps hashes only."""

    async def redeem(self, token: str) -> Cookie | None:
        """Trade the token, once. None: unknown, used or too old."""
        ...

    async def who(self, cookie: str) -> Visitor | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """A group as one person sees it."""

    folder: str
    title: str
    address: str | None  #: where messages from the page go ("web:local"); None when it is read-only here
    role: str  #: what this person is in it: "owner", "approver", "member", "viewer"
    last_item: str | None = None  #: id of the newest item, for the unread dot
    decisions: int = 0  #: open decisions
    agent: str = "the agent"  #: what the room calls the one who answers
    notes: tuple[str, ...] = ()  #: what a visitor should know ("Agents here are not isolated.")


class ItemKind(StrEnum):
    """What an item is; decides how it looks."""

    MESSAGE = "message"  #: a person wrote it
    ANSWER = "answer"  #: the agent wrote it
    DECISION = "decision"  #: a card, open or decided
    NOTICE = "notice"  #: a line of the host: phase changed, run started


class Delivery(StrEnum):
    """Whether an item reached the chat it belongs to."""

    QUEUED = "queued"
    SENT = "sent"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemFile:
    """A file that belongs to an item. Name and type are untrusted."""

    id: str  #: for `Files.file`; empty when the page cannot have it (it came through another network)
    name: str
    mime: str = ""
    size: int | None = None
    refused: str = ""  #: why the agent did not get it


class Reading(StrEnum):
    """Whether the agent has read a message, where that is worth saying."""

    NOTHING = ""
    QUEUED = "queued"  #: it is busy, and reads it next
    READ = "read"


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One entry of a room's conversation. All texts and names are untrusted.

    What was posted to several addresses of a group is one item, not several.
    """

    id: str  #: sorts by creation within the room, never changes (an edited or finished item keeps it)
    folder: str
    kind: ItemKind
    author: str
    text: str
    at: datetime
    address: str  #: the chat it stands in: "web:local", "tg:-100123"
    ref: str = ""  #: its message there, named by a tap; for what was written on the page the page's own id
    person: str = ""  #: who wrote it; empty for the agent and the host
    markup: Markup = Markup.PLAIN
    headline: bool = False
    buttons: tuple[tuple[Button, ...], ...] = ()
    picture: str | None = None  #: id for `Rooms.picture`
    files: tuple[ItemFile, ...] = ()
    reading: Reading = Reading.NOTHING
    delivery: Delivery = Delivery.SENT
    reason: str = ""  #: why it failed, in words
    edited: bool = False
    streaming: bool = False  #: still being written; shown as it grows
    activity: str = ""  #: what the agent does meanwhile ("looking up ready issues…"), one quiet line


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """A run under way."""

    id: str
    title: str
    phase: str
    phases_done: int
    phases: int
    budget_percent: int | None = None  #: of its tokens, may exceed 100
    note: str = ""  #: "waits for Ana", "paused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """Somebody with a role in the room."""

    person: str
    name: str
    role: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """What stands beside a conversation."""

    decisions: Sequence[Item] = ()  #: open ones, newest first
    work: Sequence[Work] = ()
    people: Sequence[Member] = ()
    rules: Sequence[str] = ()  #: what is allowed here, in sentences


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemChanged:
    """An item is new or reads differently now."""

    item: Item


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemGone:
    folder: str
    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Typing:
    """The agent of a room starts (or has stopped) writing."""

    folder: str
    on: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomsChanged:
    """`Rooms.rooms` would answer differently now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SideChanged:
    """`Rooms.side` of this room would answer differently now."""

    folder: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthChanged:
    """`Health.banner` would answer differently now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reload:
    """Changes were lost (the reader was too slow, a connection broke): read everything again."""


Change = ItemChanged | ItemGone | Typing | RoomsChanged | SideChanged | HealthChanged | Reload


class Rooms(Protocol):
    """The rooms a person may see, and what happens in them. Raises `NoSuchRoom`."""

    async def rooms(self, person: str) -> Sequence[Room]:
        """In the order to show them, the main group first."""
        ...

    async def room(self, person: str, folder: str) -> Room: ...

    async def history(self, person: str, folder: str, before: str | None, limit: int) -> Sequence[Item]:
        """The newest `limit` items older than `before` (an item's id), oldest first."""
        ...

    async def item(self, person: str, folder: str, item: str) -> Item | None:
        """One item, also one that has lost its buttons meanwhile."""
        ...

    async def side(self, person: str, folder: str) -> Side: ...

    async def picture(self, person: str, picture: str) -> bytes | None:
        """A PNG of an item this person may see."""
        ...

    def changes(self, person: str) -> AbstractAsyncContextManager[AsyncIterator[Change]]:
        """What changes in this person's rooms, complete from the moment the context is entered.

        Bounded: a reader that falls behind gets one `Reload` instead of what it missed.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A file that was handed over on the page, with the type it has by its content."""

    id: str
    name: str
    mime: str
    size: int


class Files(Protocol):
    """Files of the rooms, both ways. Raises `NoSuchRoom`."""

    async def keep(self, person: str, folder: str, document: Document) -> Upload:
        """Keep what a person handed over, until they send it (a day at least). Raises UploadRefused."""
        ...

    async def kept(self, person: str, folder: str, ids: Sequence[str]) -> Sequence[Upload]:
        """What this person handed over in this room, in the order asked for; unknown ones are left out."""
        ...

    async def handed_over(self, handle: str) -> Document | None:
        """An upload, for the host itself."""
        ...

    async def file(self, person: str, file: str) -> Document | None:
        """A file of an item this person may see."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class PartHealth:
    ok: bool
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Readiness:
    """Whether the host can do its work, part by part ("database", "sandbox", "kernel", "bridge:tg")."""

    ready: bool
    parts: Mapping[str, PartHealth]


class Health(Protocol):
    """How the host is."""

    async def ready(self) -> Readiness: ...

    def metrics(self) -> bytes:
        """Prometheus text format."""
        ...

    def banner(self) -> Sequence[str]:
        """One sentence per thing that is degraded, for the bar on top of the page."""
        ...
