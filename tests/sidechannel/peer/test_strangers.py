"""What strangers send: forged, broken, too much. It is counted, and nothing else happens."""

import json
from dataclasses import replace
from typing import Any

import pytest

from sidechannel.peer.settings import Limits
from tests.sidechannel.forging import forged
from tests.sidechannel.network import ENTRY, PLAIN, UNBOUND, Network, Node, identity, key

EVE = identity("eve")


def victim(settings: Any = PLAIN) -> tuple[Network, Node, int]:
    """A peer with a connection to eve, whose end the test writes itself."""
    network = Network()
    bob = network.add("bob", settings, ENTRY)
    bob.peer.connection_opened(network.now, 1001, key("eve"))
    bob.peer.channel_opened(network.now, 1001, ENTRY)
    return network, bob, 1001


def test_a_forged_sender_is_delivered_as_unverified_or_dropped_by_a_setting() -> None:
    for settings, verified in ((PLAIN, [False]), (replace(PLAIN, drop_unverified=True), [])):
        network, bob, eve = victim(settings)
        network.inject(bob, eve, forged(EVE, "I am ann", changed={"from": key("ann"), "origin": key("ann")}))
        assert [each.verified for each in bob.deliveries] == verified
    assert bob.drops() == {"unverified": 1}


def test_a_forgery_does_not_hide_the_true_message_of_the_same_id() -> None:
    network, bob, eve = victim()
    true = forged(identity("ann"), "true")

    network.inject(bob, eve, wire(true, message="false"))
    network.inject(bob, eve, wire(true, message="false again"))
    network.inject(bob, eve, forged(EVE, "stolen id", changed={"id": json.loads(true)["id"]}))
    network.inject(bob, eve, true)
    network.inject(bob, eve, true)

    assert [(each.message, each.verified) for each in bob.deliveries] == [
        ("false", False),
        ("true", True),
    ]
    assert bob.drops() == {"duplicate": 3}


def wire(data: bytes, **changed: object) -> bytes:
    return json.dumps({**json.loads(data), **changed}).encode()


@pytest.mark.parametrize(
    "changed",
    [
        {"type": "chat"},
        {"type": None},
        {"channel": "other"},
        {"channel": 5},
        {"from": None},
        {"from": 5},
        {"origin": ["x"]},
        {"ts": "now"},
        {"ts": True},
        {"id": 5},
        {"id": {"a": 1}},
    ],
)
def test_another_shape_is_malformed(changed: dict[str, object]) -> None:
    network, bob, eve = victim()

    network.inject(bob, eve, forged(EVE, "x", changed=changed))

    assert (bob.deliveries, bob.drops()) == ([], {"malformed": 1})


@pytest.mark.parametrize(
    "data",
    [b"", b"null", b"[]", b"{", b"\xff\xfe", b"[" * 5000, b'{"type":"sidechannel","ts":1e400}', b"1" * 5000],
)
def test_what_is_no_payload_is_malformed(data: bytes) -> None:
    network, bob, eve = victim()

    network.inject(bob, eve, data)

    assert (bob.deliveries, bob.drops()) == ([], {"malformed": 1})


def test_a_missing_id_falls_back_to_who_when_and_where() -> None:
    network, bob, eve = victim()

    for _ in range(2):
        network.inject(bob, eve, forged(EVE, "x", changed={"id": None}))

    assert len(bob.deliveries) == 1
    assert bob.drops() == {"duplicate": 1}


@pytest.mark.parametrize("ttl", [None, "9", 2.5, True, -1, 0, 10**15, 10**400])
def test_a_strange_ttl_does_no_harm(ttl: object) -> None:
    network, bob, eve = victim()
    cat = network.add("cat", PLAIN, ENTRY)
    network.connect(bob, cat)

    network.inject(bob, eve, forged(EVE, "x", changed={"ttl": ttl}))

    assert len(bob.deliveries) == 1
    assert [carried.payload["ttl"] for carried in network.wire] == ([15] if ttl == 10**15 else [])


def test_a_clock_that_is_a_day_off_does_not_matter() -> None:
    network, bob, eve = victim()

    for number, ts in enumerate((network.now.wall - 86_400_000, network.now.wall + 86_400_000, 0, -5, 1e20)):
        network.inject(bob, eve, forged(EVE, "x", number, changed={"ts": ts}))

    assert len(bob.deliveries) == 5


def test_two_megabytes_are_dropped_unparsed_and_block_whoever_repeats_it() -> None:
    network, bob, eve = victim()

    for _ in range(4):
        network.inject(bob, eve, b"[" * 2_000_000)

    assert bob.drops() == {"too large": 3, "blocked": 1}


def test_the_fourth_of_eight_big_messages_blocks_as_measured_on_the_original() -> None:
    network, bob, eve = victim()

    for number in range(8):
        network.inject(bob, eve, forged(EVE, "x" * 100_000, number))

    assert len(bob.deliveries) == 2
    assert bob.drops() == {"too fast": 3, "blocked": 3}
    network.advance(29_999)
    network.inject(bob, eve, forged(EVE, "still blocked", 8))
    network.advance(1)
    network.inject(bob, eve, forged(EVE, "again", 9))
    assert bob.heard[2:] == ["again"]


def test_a_burst_of_small_messages_loses_about_half_as_measured_on_the_original() -> None:
    network, bob, eve = victim()

    for number in range(1000):
        data = forged(EVE, "", number, changed={"pad": ""})
        network.inject(bob, eve, data[:-2] + b"x" * (520 - len(data)) + data[-2:])

    assert len(bob.deliveries) == 256_000 // 520
    assert bob.drops()["too fast"] == 3
    assert bob.drops()["blocked"] == 1000 - 256_000 // 520 - 3


def test_strikes_that_are_far_apart_do_not_block() -> None:
    network, bob, eve = victim()

    for number in range(6):
        network.inject(bob, eve, forged(EVE, "x" * 300_000, number))
        network.advance(5_001)
    network.inject(bob, eve, forged(EVE, "small", 7))

    assert bob.heard == ["small"]
    assert bob.drops() == {"too fast": 6}


def test_a_flood_without_work_blocks_too() -> None:
    network, bob, eve = victim(replace(PLAIN, pow_bits=12))

    for number in range(12):
        network.inject(bob, eve, forged(EVE, "x" * 50_000, number))

    assert bob.drops() == {"invalid proof of work": 8, "blocked": 4}


def test_a_blocked_flooder_does_not_take_the_others_share() -> None:
    network, bob, eve = victim()
    ann = network.add("ann", PLAIN, ENTRY)
    network.connect(ann, bob)
    for number in range(10):
        network.inject(bob, eve, forged(EVE, "x" * 100_000, number))
    before = len(bob.heard)

    network.say(ann, "through")

    assert bob.heard[before:] == ["through"]


def test_channels_and_connections_nobody_knows_are_counted() -> None:
    network, bob, eve = victim()

    network.inject(bob, eve, forged(EVE, "x", channel="other"), "other")
    network.inject(bob, 99, forged(EVE, "x"))
    bob.peer.channel_opened(network.now, 99, ENTRY)
    bob.peer.channel_closed(99, ENTRY)
    bob.peer.connection_closed(99)

    assert bob.drops() == {"channel not open": 2}


def test_ten_thousand_names_leave_nothing_behind() -> None:
    network, bob, eve = victim(replace(UNBOUND, auto_join=True))

    for number in range(10_000):
        bob.peer.channel_opened(network.now, eve, f"room {number}")
        request = {"control": "open_channel", "channel": f"room {number}"}
        bob.peer.payload_received(network.now, eve, ENTRY, forged(EVE, request, number))
        bob.peer.outputs()

    assert len(bob.peer.channels) == 1 + 64
    assert bob.peer.stats()["seen"] == 5000
    assert bob.drops()["open denied"] == 10_000 - 64


def test_more_connections_than_allowed_are_closed() -> None:
    network = Network()
    bob = network.add("bob", replace(PLAIN, limits=Limits(connections=2)), ENTRY)

    for number in range(4):
        bob.peer.connection_opened(network.now, number, key(f"peer {number}"))
    bob.peer.connection_opened(network.now, 9, "no key")
    network.pump()

    assert len(bob.closed) == 3
    assert bob.peer.stats()["connections"] == 2


def test_what_was_seen_is_forgotten_after_two_minutes() -> None:
    network, bob, eve = victim()
    data = forged(EVE, "x")

    for wait in (0, 119_999, 1, 0):
        network.advance(wait)
        network.inject(bob, eve, data)

    assert len(bob.deliveries) == 2
    assert bob.drops() == {"duplicate": 2}


def test_long_ids_are_remembered_by_their_hash() -> None:
    network, bob, eve = victim()
    data = forged(EVE, "x", changed={"id": "i" * 100_000})

    network.inject(bob, eve, data)
    network.inject(bob, eve, data)

    assert len(bob.deliveries) == 1
    assert max(len(each) for each in bob.peer._state.seen._at) == 64
