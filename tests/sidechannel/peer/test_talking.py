"""Peers on an open channel: messages arrive once, verified, over as many steps as their ttl allows."""

from dataclasses import replace

import pytest

from sidechannel.errors import BadJson, Refused
from sidechannel.hashcash import mine
from sidechannel.peer.machine import Peer
from sidechannel.peer.outputs import Mine
from sidechannel.peer.settings import Limits, Pacing, PeerSettings
from tests.sidechannel.network import ENTRY, PLAIN, UNBOUND, Network, Node, identity, key


def test_a_message_arrives_verified_and_its_sender_hears_nothing() -> None:
    network = Network()
    ann, bob = network.line(PLAIN, "ann", "bob")

    identifier = network.say(ann, {"text": "hello", "n": 1.5})

    (heard,) = bob.deliveries
    assert heard.message == {"text": "hello", "n": 1.5}
    assert (heard.id, heard.sender, heard.remote, heard.verified) == (
        identifier,
        key("ann"),
        key("ann"),
        True,
    )
    assert (heard.channel, heard.ttl, heard.relayed_by, heard.sealed) == (ENTRY, 3, None, False)
    assert ann.deliveries == []


def test_a_message_looks_on_the_wire_as_the_original_writes_it() -> None:
    network = Network()
    ann, _ = network.line(replace(PLAIN, pow_bits=6), "ann", "bob")

    network.say(ann, "plain")

    (carried,) = network.wire
    payload = carried.payload
    assert list(payload) == ["type", "id", "channel", "from", "origin", "message", "ts", "ttl", "pow", "sig"]
    assert payload["type"] == "sidechannel"
    assert payload["id"].startswith(f"{key('ann')}:{network.now.wall}:")
    assert payload["pow"]["difficulty"] == 6


def test_a_line_of_four_delivers_once_and_counts_ttl_down() -> None:
    network = Network()
    ann, bob, cat, dan = network.line(PLAIN, "ann", "bob", "cat", "dan")

    network.say(ann, "far")

    assert [node.heard for node in (bob, cat, dan)] == [["far"]] * 3
    assert [node.deliveries[0].ttl for node in (bob, cat, dan)] == [3, 2, 1]
    assert [node.deliveries[0].relayed_by for node in (bob, cat, dan)] == [None, key("bob"), key("cat")]
    assert all(
        node.deliveries[0].verified and node.deliveries[0].sender == key("ann") for node in (bob, cat, dan)
    )


def test_a_message_goes_no_further_than_its_ttl() -> None:
    network = Network()
    nodes = network.line(replace(PLAIN, relay_ttl=1), "ann", "bob", "cat", "dan")

    network.say(nodes[0], "near")

    assert [node.heard for node in nodes] == [[], ["near"], ["near"], []]


def test_a_peer_that_does_not_relay_keeps_it_to_itself() -> None:
    network = Network()
    ann, bob, cat = network.line(replace(PLAIN, relay=False), "ann", "bob", "cat")

    network.say(ann, "here")

    assert (bob.heard, cat.heard) == (["here"], [])


def test_in_a_mesh_everybody_hears_everything_once() -> None:
    network = Network()
    nodes = network.mesh(UNBOUND, "ann", "bob", "cat", "dan")

    for number, node in enumerate(nodes):
        network.say(node, number)

    for number, node in enumerate(nodes):
        assert sorted(node.heard) == [each for each in range(4) if each != number]
        assert node.drops()["duplicate"] > 0


def test_with_proof_of_work_messages_arrive_in_order_and_without_it_not_at_all() -> None:
    network = Network()
    worker, checker = network.line(replace(PLAIN, pow_bits=8), "worker", "checker")
    lazy = network.add("lazy", PLAIN, ENTRY)
    network.connect(lazy, checker)

    for number in range(5):
        network.say(worker, number)
    network.say(lazy, "free")

    assert checker.heard == [0, 1, 2, 3, 4]
    assert checker.drops() == {"invalid proof of work": 1}


def test_work_that_is_done_out_of_order_leaves_in_order_and_given_up_work_is_dropped() -> None:
    network = Network()
    ann, bob = network.line(replace(PLAIN, pow_bits=4), "ann", "bob")
    tickets = []
    for number in range(3):
        ann.peer.commands.send(network.now, ENTRY, number)
        tickets += ann.peer.outputs()

    first, second, third = (each for each in tickets if isinstance(each, Mine))
    ann.peer.mined(network.now, third.ticket, mine(third.puzzle, 0, 10**6))
    network.pump()
    assert bob.heard == []
    ann.peer.mined(network.now, second.ticket, None)
    ann.peer.mined(network.now, first.ticket, mine(first.puzzle, 0, 10**6))
    ann.peer.mined(network.now, first.ticket, 0)
    network.pump()

    assert bob.heard == [0, 2]
    assert ann.drops() == {"not sent": 1}
    assert ann.peer.stats()["working"] == 0


@pytest.mark.parametrize(
    ("settings", "entry", "other"),
    [
        (PeerSettings(pow_entry_only=True, welcome_required=False), 1, 0),
        (PeerSettings(pow_channels=frozenset({"other"}), welcome_required=False), 0, 1),
        (PeerSettings(welcome_required=False), 1, 1),
        (PeerSettings(pow_bits=0, welcome_required=False), 0, 0),
    ],
)
def test_work_is_asked_where_the_settings_say(settings: PeerSettings, entry: int, other: int) -> None:
    network = Network()
    ann = network.add("ann", settings, ENTRY, "other")

    for channel, wanted in ((ENTRY, entry), ("other", other)):
        ann.peer.commands.send(network.now, channel, "x")
        assert len(ann.peer.outputs()) == wanted


def test_a_channel_that_was_left_is_silent_and_the_entry_channel_cannot_be_left() -> None:
    network = Network()
    ann, bob = network.line(PLAIN, "ann", "bob", channel="room")
    ann.peer.commands.join(network.now, ENTRY)
    assert bob.peer.commands.leave(" room ")
    network.pump()

    network.say(ann, "anybody?", "room")

    assert bob.heard == []
    assert not bob.peer.commands.leave("room")
    assert not ann.peer.commands.leave(ENTRY)
    assert ann.peer.channels == ["room", ENTRY]


def test_a_peer_that_was_cut_off_goes_on_when_it_is_back() -> None:
    network = Network()
    ann = network.add("ann", PLAIN, ENTRY)
    bob = network.add("bob", PLAIN, ENTRY)
    connection, _ = network.connect(ann, bob)
    network.say(ann, 1)
    network.disconnect(ann, connection)
    network.say(ann, 2)
    network.advance(30_000)
    network.connect(ann, bob)

    network.say(ann, 3)

    assert bob.heard == [1, 3]


def test_sending_is_refused_with_a_reason() -> None:
    network = Network()
    ann, _ = network.line(PLAIN, "ann", "bob")
    send = ann.peer.commands.send

    for reason, channel, message in (
        ("not joined", "elsewhere", "x"),
        ("too large", ENTRY, "x" * 1_000_000),
        ("too large", ENTRY, "x" * 256_000),
    ):
        with pytest.raises(Refused) as refused:
            send(network.now, channel, message)
        assert refused.value.reason == reason
    with pytest.raises(BadJson):
        send(network.now, ENTRY, {1, 2})
    assert network.wire == []


def test_as_many_channels_are_joined_as_the_limit_says() -> None:
    network = Network()
    ann = network.add("ann")

    for number in range(1024):
        ann.peer.commands.join(network.now, f"room {number}")
    with pytest.raises(Refused) as refused:
        ann.peer.commands.join(network.now, "one more")

    assert refused.value.reason == "too many channels"
    ann.peer.commands.join(network.now, "room 5")
    assert len(ann.peer.channels) == 1024


def test_a_payload_that_relaying_makes_too_large_stays_where_it_is() -> None:
    network = Network()
    tight = replace(UNBOUND, limits=Limits(rate=0, max_bytes=1_000))
    ann, bob, cat = network.line(tight, "ann", "bob", "cat")

    network.say(ann, "x" * 465)

    assert len(network.wire[0].data) + len('"relayedBy":""') + 64 > 1_000
    assert len(bob.heard) == 1
    assert cat.heard == []


def test_a_greeting_that_finds_no_room_is_counted() -> None:
    network = Network()
    busy = replace(PLAIN, pow_bits=30, limits=Limits(waiting_for_work=1))
    ann = network.add("ann", PLAIN, "hall")
    owner = Peer(identity("owner"), busy, bytes)
    owner.commands.join(network.now, "hall")
    owner.commands.send(network.now, "hall", "first")
    owner.issuing.welcome(network.now, "hall", "hi")
    owner.connection_opened(network.now, 1, key("ann"))
    owner.channel_opened(network.now, 1, "hall")

    assert owner.stats()["drops"] == {"not sent": 1}
    assert owner.stats()["working"] == 1
    assert ann.deliveries == []


def test_a_message_for_one_connection_is_not_sent_on_another() -> None:
    network = Network()
    welcoming = replace(PLAIN, owners={"hall": key("owner")})
    owner = network.add("owner", welcoming, "hall")
    owner.peer.issuing.welcome(network.now, "hall", "hi")
    ann, bob = network.add("ann", welcoming, "hall"), network.add("bob", welcoming, "hall")

    network.connect(owner, ann)
    assert len(network.wire) == 1
    network.connect(owner, bob)

    assert [each.target for each in network.wire] == ["ann", "bob"]
    assert len(ann.deliveries) == len(bob.deliveries) == 1


def say_much(network: Network, node: Node) -> None:
    for letter in "abcdefghijklmnopqrst":
        network.say(node, letter * 100_000)


def test_queued_bytes_are_bounded() -> None:
    network = Network()
    small = replace(PLAIN, pacing=Pacing(queued_bytes=500_000))
    ann, bob = network.line(small, "ann", "bob")

    with pytest.raises(Refused, match="wait"):
        say_much(network, ann)

    queued = ann.peer.stats()["queuedBytes"]
    assert isinstance(queued, int)
    assert 400_000 < queued <= 500_000
    network.drain()
    assert len(bob.heard) == len(network.wire) > 4
    assert ann.drops() == bob.drops() == {}


def test_one_slow_connection_loses_what_the_others_still_get() -> None:
    network = Network()
    ann = network.add("ann", replace(PLAIN, pacing=Pacing(queued=3)), ENTRY)
    bob, cat = network.add("bob", PLAIN, ENTRY), network.add("cat", PLAIN, ENTRY)
    network.connect(ann, bob)
    for number in range(5):
        network.say(ann, str(number) * 90_000)
    network.connect(ann, cat)

    network.say(ann, "last")
    network.drain()

    assert len(bob.heard) == 5
    assert cat.heard == ["last"]
    assert ann.drops() == {"queue full": 1}
