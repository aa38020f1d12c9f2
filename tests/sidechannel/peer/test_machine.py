"""Peers that do anything in any order, among them one that keeps to no rules, never break these promises."""

import json
from dataclasses import replace
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from sidechannel.errors import SidechannelError
from sidechannel.peer.settings import Limits
from tests.sidechannel.forging import forged
from tests.sidechannel.network import ENTRY, PLAIN, Network, Node, identity, key

ROOM = "private"
NAMES = ("owner", "ann", "bob", "eve")
RULES = replace(
    PLAIN,
    invite_required=True,
    invite_channels=frozenset({ROOM}),
    inviter_keys=frozenset({key("owner")}),
    limits=Limits(seen=50, members=3, revocations=3, connections=6, channels=4),
)
names = st.sampled_from(NAMES)
changes = st.dictionaries(
    st.sampled_from(
        ["id", "from", "origin", "ts", "ttl", "sig", "message", "channel", "invite", "welcome", "pow"]
    ),
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=5)
    | st.sampled_from([key(name) for name in NAMES])
    | st.fixed_dictionaries(
        {"control": st.sampled_from(["auth", "welcome", "revoke", "members", "sealed", "open_channel"])}
    ),
    max_size=3,
)


class Peers(RuleBasedStateMachine):
    """Three peers by the rules, and eve, who knows the channel's name and was never invited."""

    @initialize()
    def begin(self) -> None:
        self.network = Network()
        self.said: set[tuple[str, str]] = set()
        self.number = 0
        for name in NAMES:
            self.network.add(name, PLAIN if name == "eve" else RULES, ENTRY)
        self.node("owner").peer.commands.join(self.network.now, ROOM)
        self.node("eve").peer.commands.join(self.network.now, ROOM)
        self.network.pump()

    def node(self, name: str) -> Node:
        return self.network.nodes[name]

    @rule(a=names, b=names)
    def connect(self, a: str, b: str) -> None:
        linked = {other.name for other, _ in self.node(a).links.values()}
        if a != b and b not in linked:
            self.network.connect(self.node(a), self.node(b))

    @rule(name=names)
    def cut(self, name: str) -> None:
        for connection in list(self.node(name).links)[:1]:
            self.network.disconnect(self.node(name), connection)

    @rule(name=names, channel=st.sampled_from([ENTRY, ROOM]), big=st.booleans())
    def say(self, name: str, channel: str, big: bool) -> None:
        self.number += 1
        text = f"{name} {self.number} on {channel}" + "x" * (90_000 if big else 0)
        try:
            self.network.say(self.node(name), text, channel)
        except SidechannelError:
            return
        self.said.add((key(name), text))

    @rule(name=st.sampled_from(["ann", "bob"]), ttl=st.sampled_from([None, 5, 60]))
    def invite(self, name: str, ttl: int | None) -> None:
        blob = self.node("owner").peer.issuing.invite(self.network.now, ROOM, key(name), ttl=ttl)
        try:
            self.node(name).peer.commands.join(self.network.now, ROOM, blob.as_json())
        except SidechannelError:
            assert self.node(name).revoked
        self.network.pump()

    @rule(name=st.sampled_from(["ann", "bob"]))
    def revoke(self, name: str) -> None:
        self.node("owner").peer.issuing.revoke(self.network.now, ROOM, key(name))
        self.network.pump()

    @rule(name=st.sampled_from(["ann", "bob", "eve"]))
    def leave(self, name: str) -> None:
        self.node(name).peer.commands.leave(ROOM)
        self.network.pump()

    @rule(milliseconds=st.sampled_from([1, 500, 5_000, 70_000]))
    def wait(self, milliseconds: int) -> None:
        self.network.advance(milliseconds)

    @precondition(lambda self: self.node("eve").links)
    @rule(change=changes, channel=st.sampled_from([ENTRY, ROOM]))
    def forge(self, change: dict[str, Any], channel: str) -> None:
        self.number += 1
        data = forged(identity("eve"), "forged", self.number, channel=channel, changed=change)
        self.throw(data, channel)
        if self.network.wire:
            self.throw(json.dumps({**json.loads(self.network.wire[-1].data), **change}).encode(), channel)

    @precondition(lambda self: self.node("eve").links)
    @rule(data=st.binary(max_size=80) | st.sampled_from([b"[" * 300, b" " * 1_000_001]))
    def rubbish(self, data: bytes) -> None:
        self.throw(data, ENTRY)

    def throw(self, data: bytes, channel: str) -> None:
        """Let eve's connections bring bytes that eve's peer did not write."""
        for other, number in list(self.node("eve").links.values()):
            self.network.inject(other, number, data, channel)

    @invariant()
    def nobody_hears_anything_twice(self) -> None:
        for node in self.network.nodes.values():
            heard = [each.id for each in node.deliveries if each.verified and each.sender != key("eve")]
            assert len(heard) == len(set(heard)) or self.network.now.steady > 100_000

    @invariant()
    def what_is_verified_was_said(self) -> None:
        for node in self.network.nodes.values():
            for each in node.deliveries:
                if each.verified and each.sender != key("eve"):
                    assert (each.sender, each.message) in self.said

    @invariant()
    def nothing_of_the_closed_channel_reaches_eve(self) -> None:
        for each in self.network.wire:
            if each.target == "eve" and each.channel == ROOM:
                assert each.payload["message"]["control"] == "auth"

    @invariant()
    def nothing_grows_without_end(self) -> None:
        for node in self.network.nodes.values():
            state = node.peer._state
            assert len(state.seen) <= state.settings.limits.seen
            assert len(state.links) == len(node.links) <= 6
            for channel in state.channels.values():
                assert len(channel.members) <= state.settings.limits.members
                assert len(channel.revocations) <= state.settings.limits.revocations

    def teardown(self) -> None:
        """Whatever happened: connected and unblocked again, everybody hears everybody."""
        if not hasattr(self, "network"):
            return
        self.network.drain()
        self.network.advance(40_000)
        for a in NAMES:
            for b in NAMES:
                self.connect(a, b)
        for name in NAMES:
            self.network.say(self.node(name), f"last of {name}")
        self.network.drain()
        for node in self.network.nodes.values():
            lasts = {each for each in node.heard if isinstance(each, str) and each.startswith("last of")}
            assert lasts == {f"last of {name}" for name in NAMES if name != node.name}


TestPeers = Peers.TestCase
TestPeers.settings = settings(max_examples=40, stateful_step_count=40, deadline=None)
