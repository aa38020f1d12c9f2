"""What the machine wants done, and what it tells the application."""

from dataclasses import dataclass
from enum import StrEnum

from sidechannel.blobs.invite import Invite
from sidechannel.blobs.revocation import Revocation
from sidechannel.blobs.welcome import Welcome
from sidechannel.hashcash import Puzzle
from sidechannel.values.parsing import Json


class Drop(StrEnum):
    """Why something was not taken; `stats` counts them."""

    BLOCKED = "blocked"
    NOT_OPEN = "channel not open"
    TOO_LARGE = "too large"
    MALFORMED = "malformed"
    NOT_ADMITTED_HERE = "not invited here"
    NOT_INVITED = "not invited"
    NO_WORK = "invalid proof of work"
    TOO_FAST = "too fast"
    NOT_OWNER = "not the owner"
    UNVERIFIED = "unverified"
    DUPLICATE = "duplicate"
    BAD_WELCOME = "bad welcome"
    AWAITING_WELCOME = "awaiting welcome"
    OPEN_DENIED = "open denied"
    BAD_REVOCATION = "bad revocation"
    SEALED_TO_OTHERS = "sealed to others"
    SEALED_BROKEN = "sealed broken"
    QUEUE_FULL = "queue full"
    NOT_SENT = "not sent"
    TOO_MANY = "too many connections"


@dataclass(frozen=True, slots=True)
class JoinTopic:
    """Meet peers under the topic and open the channel on every connection."""

    channel: str
    topic: bytes


@dataclass(frozen=True, slots=True)
class LeaveTopic:
    """Close the channel on every connection and leave the topic."""

    channel: str
    topic: bytes


@dataclass(frozen=True, slots=True)
class SendBytes:
    """Send one payload (JSON text) on an open channel of a connection."""

    connection: int
    channel: str
    data: bytes


@dataclass(frozen=True, slots=True)
class CloseChannel:
    """The other side opened a channel that is not joined here."""

    connection: int
    channel: str


@dataclass(frozen=True, slots=True)
class CloseConnection:
    """There is no room for the connection."""

    connection: int


@dataclass(frozen=True, slots=True)
class Mine:
    """Solve the puzzle and answer with `mined(ticket, nonce)`; the message waits for it."""

    ticket: int
    puzzle: Puzzle


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A message for the application. `sender` is proven only where `verified`."""

    connection: int
    remote: str
    channel: str
    id: str
    sender: str
    origin: str
    message: Json
    ts: int | float
    ttl: int
    sig: str | None
    relayed_by: str | None
    verified: bool
    sealed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelRequested:
    """Somebody asks us to open a channel; `joined` where the settings let us do it at once."""

    channel: str
    via: str
    sender: str
    verified: bool
    invite: Invite | None
    welcome: Welcome | None
    joined: bool


@dataclass(frozen=True, slots=True)
class InviteRevoked:
    """An inviter took an invite back."""

    revocation: Revocation


Output = (
    JoinTopic
    | LeaveTopic
    | SendBytes
    | CloseChannel
    | CloseConnection
    | Mine
    | Delivery
    | ChannelRequested
    | InviteRevoked
)
