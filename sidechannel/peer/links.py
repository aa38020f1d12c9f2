"""A connection to another peer, and what we know of it."""

from dataclasses import dataclass, field
from typing import Self

from sidechannel.blobs.invite import Invite
from sidechannel.peer.limiter import Limiter
from sidechannel.peer.moment import Moment
from sidechannel.peer.pacer import Pacer
from sidechannel.peer.settings import PeerSettings


@dataclass(slots=True, kw_only=True)
class Link:
    """`remote` is proven by the transport. Channels are those open on it; the rest is per open channel."""

    connection: int
    remote: str
    limiter: Limiter
    pacer: Pacer
    channels: set[str] = field(default_factory=set)
    invites: dict[str, Invite] = field(default_factory=dict)
    greeted: set[str] = field(default_factory=set)

    @classmethod
    def opened(cls, connection: int, remote: str, settings: PeerSettings, now: Moment) -> Self:
        return cls(
            connection=connection,
            remote=remote,
            limiter=Limiter(settings.limits, now.steady),
            pacer=Pacer(settings.pacing, now.steady),
        )

    def close(self, channel: str) -> None:
        """Forget a channel; whoever opens it again introduces itself again."""
        self.channels.discard(channel)
        self.invites.pop(channel, None)
        self.greeted.discard(channel)
