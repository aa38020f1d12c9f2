"""What the parts of the machine share: who we are, what is open, what is to be done, what was counted."""

from collections import Counter, deque
from collections.abc import Iterator

from sidechannel.keys.identity import Identity
from sidechannel.names import RandomBytes
from sidechannel.peer.channel import Channel
from sidechannel.peer.links import Link
from sidechannel.peer.outputs import Drop, Output, SendBytes
from sidechannel.peer.seen import Seen
from sidechannel.peer.settings import PeerSettings


class PeerState:
    """Plain data and the few questions every part asks."""

    def __init__(self, identity: Identity, settings: PeerSettings, random: RandomBytes) -> None:
        self.identity = identity
        self.self_key = identity.public_key
        self.settings = settings
        self.random = random
        self.channels: dict[str, Channel] = {}
        self.links: dict[int, Link] = {}
        self.seen = Seen(settings.limits.seen, settings.limits.seen_for)
        self.drops: Counter[Drop] = Counter()
        self.counts: Counter[str] = Counter()
        self.outputs: deque[Output] = deque()

    def emit(self, output: Output) -> None:
        self.outputs.append(output)

    def drop(self, reason: Drop) -> None:
        self.drops[reason] += 1

    def send(self, link: Link, channel: str, data: bytes) -> None:
        """Hand a payload to the transport."""
        self.counts["sent"] += 1
        self.emit(SendBytes(link.connection, channel, data))

    def open_links(self, channel: str) -> Iterator[Link]:
        """The connections on which the channel is open."""
        return (link for link in self.links.values() if channel in link.channels)
