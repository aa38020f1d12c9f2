"""The checks come in the order of the original: what fails several is dropped by the first of them."""

import json
from dataclasses import replace

from sidechannel.blobs.invite import Invite
from sidechannel.blobs.welcome import Welcome
from sidechannel.hashcash import mine
from sidechannel.peer.envelope import read_envelope
from sidechannel.values.canonical import wire_bytes
from tests.sidechannel.forging import forged
from tests.sidechannel.network import PLAIN, START, Network, Node, identity, key

HALL = "hall"
STRICT = replace(
    PLAIN,
    pow_bits=8,
    invite_required=True,
    inviter_keys=frozenset({key("owner"), key("bob")}),
    owner_write_only=True,
    owners={HALL: key("owner")},
    welcome_required=True,
    drop_unverified=True,
)
EVE, MEMBER = 101, 102


def bob() -> tuple[Network, Node]:
    """A peer with connections to eve, who was not invited, and to ann, who was."""
    network = Network()
    node = network.add("bob", STRICT, HALL)
    for number, name in ((EVE, "eve"), (MEMBER, "ann")):
        node.peer.connection_opened(network.now, number, key(name))
        node.peer.channel_opened(network.now, number, HALL)
    invite = Invite.create(identity("owner"), HALL, key("ann"), now=START.wall, nonce="n")
    auth = forged(identity("ann"), {"control": "auth", "invite": invite.as_json()}, 0, channel=HALL)
    network.inject(node, MEMBER, worked(auth), HALL)
    assert node.drops() == {}
    return network, node


def worked(data: bytes) -> bytes:
    envelope = read_envelope(data, HALL, max_bytes=10**6)
    nonce = mine(envelope.puzzle(STRICT.pow_bits), 0, 10**6)
    return wire_bytes({**envelope.raw, "pow": {"nonce": nonce, "difficulty": STRICT.pow_bits}})


def test_each_check_comes_before_the_next() -> None:
    network, node = bob()
    large = forged(identity("eve"), "x" * 300_000, channel=HALL)
    spoofed = forged(identity("eve"), "x", channel=HALL, changed={"from": key("owner")})
    owned = worked(forged(identity("owner"), "x", 7, channel=HALL))
    welcome = Welcome.create(identity("owner"), HALL, "hi", now=1).as_json()
    greeting = worked(forged(identity("owner"), {"control": "welcome", "welcome": welcome}, 8, channel=HALL))

    for number, data, reason in (
        (EVE, json.dumps({**json.loads(large), "channel": "other"}).encode(), "malformed"),
        (EVE, spoofed, "not invited"),
        (MEMBER, spoofed, "invalid proof of work"),
        (MEMBER, worked(large), "too fast"),
        (MEMBER, worked(spoofed), "not the owner"),
        (MEMBER, worked(spoofed), "not the owner"),
        (MEMBER, owned, "awaiting welcome"),
        (MEMBER, owned, "awaiting welcome"),
        (MEMBER, greeting, None),
        (MEMBER, greeting, "duplicate"),
        (MEMBER, owned, None),
        (MEMBER, owned, "duplicate"),
        (EVE, owned, "not invited"),
    ):
        before = node.drops()
        network.inject(node, number, data, HALL)
        new = [each for each, count in node.drops().items() if count != before.get(each, 0)]
        assert new == ([] if reason is None else [reason])
    assert node.heard == ["x"]


def test_a_blocked_connection_is_dropped_before_anything_is_looked_at() -> None:
    network, node = bob()

    for number in range(5):
        network.inject(node, EVE, b"[" * 300_000, HALL)
        assert node.drops() == {
            "malformed": min(number + 1, 3),
            **({"blocked": number - 2} if number > 2 else {}),
        }
    network.inject(node, EVE, b"x", "unknown")

    assert node.drops()["blocked"] == 3
