"""Peers paired in memory: a transport without a network, with a clock that a test turns."""

import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

from sidechannel.hashcash import mine
from sidechannel.keys.identity import Identity
from sidechannel.peer.machine import Peer
from sidechannel.peer.moment import Moment
from sidechannel.peer.outputs import (
    ChannelRequested,
    CloseChannel,
    CloseConnection,
    Delivery,
    InviteRevoked,
    JoinTopic,
    LeaveTopic,
    Mine,
    Output,
    SendBytes,
)
from sidechannel.peer.settings import Limits, Pacing, PeerSettings

START = Moment(wall=1_795_256_619_525, steady=5_000)
ENTRY = "0000intercom"

# Nothing but the protocol: what a test is about it sets itself.
PLAIN = PeerSettings(pow_bits=0, welcome_required=False)
UNBOUND = replace(PLAIN, limits=Limits(rate=0), pacing=Pacing(rate=0))


def identity(name: str) -> Identity:
    return Identity.from_seed(name.encode().ljust(32, b"."))


def key(name: str) -> str:
    return identity(name).public_key


@dataclass(slots=True)
class Node:
    """A peer and what its application heard."""

    name: str
    peer: Peer
    links: dict[int, tuple["Node", int]] = field(default_factory=dict)
    joined: set[str] = field(default_factory=set)
    open: set[tuple[int, str]] = field(default_factory=set)
    deliveries: list[Delivery] = field(default_factory=list)
    requests: list[ChannelRequested] = field(default_factory=list)
    revoked: list[InviteRevoked] = field(default_factory=list)
    closed: list[CloseChannel | CloseConnection] = field(default_factory=list)

    @property
    def heard(self) -> list[Any]:
        """The messages that were delivered, without the greetings."""
        return [each.message for each in self.deliveries if not _is_greeting(each)]

    def drops(self) -> dict[str, int]:
        drops = self.peer.stats()["drops"]
        assert isinstance(drops, dict)
        return drops


@dataclass(slots=True, frozen=True)
class Carried:
    """One payload on the wire."""

    source: str
    target: str
    channel: str
    data: bytes

    @property
    def payload(self) -> dict[str, Any]:
        value: dict[str, Any] = json.loads(self.data)
        return value


class Network:
    """Carries what the peers put out until nothing moves any more."""

    def __init__(self) -> None:
        self.now = START
        self.nodes: dict[str, Node] = {}
        self.wire: list[Carried] = []
        self.random = random.Random(7)  # noqa: S311 - the same in every run
        self._connections = 0
        self._actions: dict[type, Callable[[Node, Any], None]] = {
            SendBytes: self._send,
            JoinTopic: self._join,
            LeaveTopic: self._leave,
            Mine: self._mine,
            Delivery: lambda node, output: node.deliveries.append(output),
            ChannelRequested: lambda node, output: node.requests.append(output),
            InviteRevoked: lambda node, output: node.revoked.append(output),
            CloseChannel: lambda node, output: node.closed.append(output),
            CloseConnection: lambda node, output: node.closed.append(output),
        }

    def add(self, name: str, settings: PeerSettings = PLAIN, *channels: str) -> Node:
        node = Node(name, Peer(identity(name), settings, self.random.randbytes))
        self.nodes[name] = node
        for channel in channels:
            node.peer.commands.join(self.now, channel)
        self.pump()
        return node

    def connect(self, a: Node, b: Node) -> tuple[int, int]:
        first, second = self._connections + 1, self._connections + 2
        self._connections += 2
        a.links[first], b.links[second] = (b, second), (a, first)
        a.peer.connection_opened(self.now, first, key(b.name))
        b.peer.connection_opened(self.now, second, key(a.name))
        for channel in sorted(a.joined & b.joined):
            self._open(a, first, channel)
        self.pump()
        return first, second

    def disconnect(self, a: Node, connection: int) -> None:
        b, other = a.links.pop(connection)
        del b.links[other]
        for node, number in ((a, connection), (b, other)):
            node.open = {each for each in node.open if each[0] != number}
            node.peer.connection_closed(number)
        self.pump()

    def line(self, settings: PeerSettings, *names: str, channel: str = ENTRY) -> list[Node]:
        nodes = [self.add(name, settings, channel) for name in names]
        for a, b in pairwise(nodes):
            self.connect(a, b)
        return nodes

    def mesh(self, settings: PeerSettings, *names: str, channel: str = ENTRY) -> list[Node]:
        nodes = [self.add(name, settings, channel) for name in names]
        for number, a in enumerate(nodes):
            for b in nodes[number + 1 :]:
                self.connect(a, b)
        return nodes

    def say(self, node: Node, message: object, channel: str = ENTRY, **more: Any) -> str:
        identifier = node.peer.commands.send(self.now, channel, message, **more)
        self.pump()
        return identifier

    def inject(self, node: Node, connection: int, data: bytes, channel: str = ENTRY) -> None:
        """Let bytes come in that no peer of ours would send."""
        node.peer.payload_received(self.now, connection, channel, data)
        self.pump()

    def advance(self, milliseconds: int) -> None:
        self.now = Moment(self.now.wall + milliseconds, self.now.steady + milliseconds)
        for node in self.nodes.values():
            node.peer.tick(self.now)
        self.pump()

    def drain(self) -> None:
        """Let time pass until nothing waits to be sent."""
        for _ in range(10_000):
            times = [at for node in self.nodes.values() if (at := node.peer.wake_at(self.now)) is not None]
            if not times:
                return
            self.advance(max(1, min(times) - self.now.steady))
        raise AssertionError("It never gets quiet.")

    def pump(self) -> None:
        for _ in range(10_000):
            moved = False
            for node in list(self.nodes.values()):
                for output in node.peer.outputs():
                    moved = True
                    self._carry(node, output)
            if not moved:
                return
        raise AssertionError("Messages go round for ever.")

    def _carry(self, node: Node, output: Output) -> None:
        self._actions[type(output)](node, output)

    def _send(self, node: Node, output: SendBytes) -> None:
        if output.connection not in node.links:
            return
        other, number = node.links[output.connection]
        self.wire.append(Carried(node.name, other.name, output.channel, output.data))
        other.peer.payload_received(self.now, number, output.channel, output.data)

    def _mine(self, node: Node, output: Mine) -> None:
        node.peer.mined(self.now, output.ticket, mine(output.puzzle, 0, 10**7))

    def _join(self, node: Node, output: JoinTopic) -> None:
        node.joined.add(output.channel)
        for number, (other, _) in list(node.links.items()):
            if output.channel in other.joined:
                self._open(node, number, output.channel)

    def _leave(self, node: Node, output: LeaveTopic) -> None:
        node.joined.discard(output.channel)
        for number, (other, second) in node.links.items():
            node.open.discard((number, output.channel))
            other.open.discard((second, output.channel))
            other.peer.channel_closed(second, output.channel)

    def _open(self, node: Node, number: int, channel: str) -> None:
        other, second = node.links[number]
        for each, connection in ((node, number), (other, second)):
            each.open.add((connection, channel))
            each.peer.channel_opened(self.now, connection, channel)


def _is_greeting(delivery: Delivery) -> bool:
    return isinstance(delivery.message, dict) and delivery.message.get("control") == "welcome"
