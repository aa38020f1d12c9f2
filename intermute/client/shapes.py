"""What the service tells: agents, messages, threads, reservations, events. Unknown members are passed by."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field


def _none_is_empty(value: Any) -> Any:
    return () if value is None else value


#: Go writes an empty list as null.
Names = Annotated[tuple[str, ...], BeforeValidator(_none_is_empty)]


class Shape(BaseModel):
    """Values are frozen; a member named as a word of Python has a line behind its name here."""

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)


class Agent(Shape):
    """`token` is given once, at the registration; it proves who is behind an id."""

    agent_id: str
    name: str = ""
    project: str = ""
    session_id: str = ""
    capabilities: Names = ()
    metadata: dict[str, str] | None = None
    status: str = ""
    token: str = ""
    last_seen: datetime | None = None
    created_at: datetime | None = None


class Sent(Shape):
    """`denied` are recipients who take no messages from this sender; all others have it.

    What was typed into terminals only has no id: nothing was kept.
    """

    message_id: str = ""
    cursor: int = 0
    denied: Names = ()
    delivery: str | dict[str, str] = ""
    delivered: int = 0  #: of a broadcast


class Message(Shape):
    """A message as its recipient reads it."""

    id: str
    project: str = ""
    from_: str = Field(default="", alias="from")
    to: Names = ()
    cc: Names = ()
    bcc: Names = ()
    thread_id: str = ""
    subject: str = ""
    topic: str = ""
    body: str = ""
    importance: str = ""
    ack_required: bool = False
    created_at: datetime | None = None
    cursor: int = 0


class Page(Shape):
    """Messages in the order they were sent; `cursor` asks for those after the last."""

    messages: tuple[Message, ...]
    cursor: int


class Counts(Shape):
    """What is in an inbox."""

    total: int
    unread: int


class StaleAck(Shape):
    """A message that was to be acknowledged and was not."""

    id: str
    project: str = ""
    from_: str = Field(default="", alias="from")
    to: Names = ()
    thread_id: str = ""
    subject: str = ""
    body: str = ""
    kind: str = "to"
    created_at: datetime | None = None
    read_at: datetime | None = None
    age_seconds: int = 0


class Thread(Shape):
    """The end of a conversation."""

    thread_id: str
    last_cursor: int
    message_count: int
    last_from: str = ""
    last_body: str = ""
    last_at: datetime | None = None


class Threads(Shape):
    """Newest first; `cursor` asks for older ones."""

    threads: tuple[Thread, ...]
    cursor: int


class Reservation(Shape):
    """`token` is the fencing token: it only grows, so whoever shows a smaller one holds nothing any more."""

    id: str
    agent_id: str
    project: str = ""
    path_pattern: str
    exclusive: bool = False
    reason: str = ""
    created_at: datetime | None = None
    expires_at: datetime | None = None
    released_at: datetime | None = None
    is_active: bool = False
    token: int = 0


class Holding(Shape):
    """A reservation that is in the way of another."""

    reservation_id: str
    agent_id: str
    held_by: str = ""
    pattern: str
    reason: str = ""
    expires_at: datetime | None = None
    expires_in_seconds: int = 0


class Place(Shape):
    """A place in line for paths that are held; 1 is served next."""

    id: str
    waiting: Literal[True]
    place: int
    agent_id: str
    patterns: Names = ()
    exclusive: bool = False
    reason: str = ""
    created_at: datetime | None = None
    expires_at: datetime | None = None


class Fence(Shape):
    """`reason` says why a token is not valid: unknown, ended or elsewhere."""

    valid: bool
    reason: str = ""
    token: int
    latest_token: int = 0


class Event(Shape):
    """Something that happened. `cursor` is its place in the one log; 0 where the service has none."""

    model_config = ConfigDict(extra="allow")

    type: str
    project: str = ""
    cursor: int = 0
    agent: str = ""
    message_id: str = ""
    entity_id: str = ""
    data: Any = None
    created_at: datetime | None = None
