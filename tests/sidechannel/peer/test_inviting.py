"""Invite-only channels: nothing reaches who is not invited, and who was invited can be uninvited."""

from dataclasses import replace
from typing import Any

import pytest

from sidechannel.blobs.invite import Invite
from sidechannel.blobs.revocation import Revocation
from sidechannel.errors import BadBlob, Refused
from tests.sidechannel.forging import forged
from tests.sidechannel.network import ENTRY, PLAIN, Network, Node, identity, key

ROOM = "private"
CLOSED = replace(
    PLAIN, invite_required=True, invite_channels=frozenset({ROOM}), inviter_keys=frozenset({key("owner")})
)
# A peer that knows the channel's name and keeps to no rules.
RUDE = PLAIN


def invited(network: Network, owner: Node, name: str, settings: Any = CLOSED, ttl: int | None = None) -> Node:
    node = network.add(name, settings)
    invite = owner.peer.issuing.invite(network.now, ROOM, key(name), ttl=ttl)
    node.peer.commands.join(network.now, ROOM, invite.as_json())
    network.pump()
    return node


def room(*names: str, settings: Any = CLOSED) -> tuple[Network, list[Node]]:
    """An owner and the invited, everybody connected with everybody."""
    network = Network()
    nodes = [network.add("owner", settings, ROOM)]
    for name in names:
        node = invited(network, nodes[0], name, settings)
        for other in nodes:
            network.connect(node, other)
        nodes.append(node)
    return network, nodes


def reached(network: Network, name: str, control: tuple[str, ...] = ()) -> list[Any]:
    """What was carried to a peer on the private channel, except the controls that are named."""
    messages = [
        each.payload["message"] for each in network.wire if each.target == name and each.channel == ROOM
    ]
    return [each for each in messages if not (isinstance(each, dict) and each.get("control") in control)]


def test_the_invited_talk_with_the_inviter_and_with_each_other() -> None:
    network, (owner, ann, bob) = room("ann", "bob")

    for node, word in ((owner, "o"), (ann, "a"), (bob, "b")):
        network.say(node, word, ROOM)

    assert sorted(owner.heard) == ["a", "b"]
    assert sorted(ann.heard) == ["b", "o"]
    assert sorted(bob.heard) == ["a", "o"]


def test_nothing_reaches_the_uninvited_and_nothing_of_theirs_is_heard() -> None:
    network, (owner, ann) = room("ann")
    eve = network.add("eve", RUDE, ROOM)
    network.connect(eve, owner)
    network.connect(eve, ann)

    network.say(owner, "secret", ROOM)
    network.say(ann, "too", ROOM)
    network.say(eve, "let me in", ROOM)

    assert reached(network, "eve", ("auth",)) == []
    assert eve.heard == []
    assert "let me in" not in owner.heard + ann.heard
    assert owner.drops()["not invited"] == ann.drops()["not invited"] == 1
    assert all("welcome" not in each["invite"] for each in reached(network, "eve"))


def test_an_invite_is_shown_without_the_welcome_to_whoever_is_not_an_inviter() -> None:
    network = Network()
    owner = network.add("owner", CLOSED, ROOM)
    owner.peer.issuing.welcome(network.now, ROOM, "For members")
    ann = invited(network, owner, "ann")
    eve = network.add("eve", RUDE, ROOM)
    network.connect(ann, eve)
    network.connect(ann, owner)

    (shown,) = reached(network, "eve")
    assert set(shown["invite"]) == {"payload", "sig"}
    assert "welcome" in reached(network, "owner")[0]["invite"]


def test_an_invite_is_of_no_use_to_somebody_else() -> None:
    network, (owner, ann) = room("ann")
    stolen = ann.peer._state.channels[ROOM].invite
    assert stolen is not None
    eve = network.add("eve", RUDE, ROOM)
    _, number = network.connect(eve, owner)

    auth = forged(identity("eve"), {"control": "auth", "invite": stolen.as_json()}, channel=ROOM)
    network.inject(owner, number, auth, ROOM)
    carried = forged(identity("eve"), "x", 2, channel=ROOM, changed={"invite": stolen.as_json()})
    network.inject(owner, number, carried, ROOM)

    assert owner.drops() == {"not invited": 2}
    with pytest.raises(BadBlob):
        network.add("mallory", CLOSED).peer.commands.join(network.now, ROOM, stolen.as_json())


def test_an_invite_by_anybody_is_refused() -> None:
    network, (owner, _) = room("ann")
    eve = network.add("eve", RUDE, ROOM)
    _, number = network.connect(eve, owner)
    own = Invite.create(identity("eve"), ROOM, key("eve"), now=network.now.wall, nonce="n").as_json()

    network.inject(
        owner, number, forged(identity("eve"), {"control": "auth", "invite": own}, channel=ROOM), ROOM
    )

    assert owner.drops() == {"not invited": 1}


def test_an_invite_in_a_payload_admits_as_well() -> None:
    network, (owner, _) = room("ann")
    invite = owner.peer.issuing.invite(network.now, ROOM, key("bob"))
    bob = network.add("bob", RUDE, ROOM)
    _, number = network.connect(bob, owner)

    network.inject(
        owner, number, forged(identity("bob"), "hi", channel=ROOM, changed={"invite": invite.as_json()}), ROOM
    )
    network.say(owner, "now you hear me", ROOM)

    assert owner.heard == ["hi"]
    assert bob.heard == ["now you hear me"]


def test_nobody_joins_without_an_invite() -> None:
    network = Network()
    ann = network.add("ann", CLOSED)

    with pytest.raises(Refused) as refused:
        ann.peer.commands.join(network.now, ROOM)

    assert refused.value.reason == "invite"
    assert ann.peer.channels == []


def test_an_invite_ends_with_its_time_on_both_sides() -> None:
    network = Network()
    owner = network.add("owner", CLOSED, ROOM)
    ann = invited(network, owner, "ann", ttl=60)
    network.connect(owner, ann)
    network.say(owner, "before", ROOM)
    network.advance(60_000)

    network.say(owner, "after", ROOM)
    with pytest.raises(Refused):
        network.say(ann, "after", ROOM)

    assert ann.heard == ["before"]
    assert [each.target for each in network.wire if each.payload["message"] == "after"] == []


def test_what_waits_is_not_sent_when_the_invite_ends_meanwhile() -> None:
    network = Network()
    owner = network.add("owner", CLOSED, ROOM)
    ann = invited(network, owner, "ann", ttl=2)
    network.connect(owner, ann)
    for number in range(8):
        network.say(owner, str(number) * 50_000, ROOM)
    sent = len(network.wire)

    network.advance(2_000)
    network.drain()

    assert len(network.wire) == sent
    assert owner.drops()["not sent"] == 8 - len(ann.heard)


@pytest.mark.parametrize("inviters", [frozenset(), frozenset({key("owner")})])
def test_joining_by_invite_closes_the_channel_for_a_peer_that_has_no_rules_about_it(
    inviters: frozenset[str],
) -> None:
    network = Network()
    owner = network.add("owner", CLOSED, ROOM)
    ann = invited(network, owner, "ann", replace(PLAIN, inviter_keys=inviters))
    eve = network.add("eve", RUDE, ROOM)
    network.connect(ann, owner)
    network.connect(ann, eve)

    network.say(ann, "for the owner", ROOM)

    assert owner.heard == ["for the owner"]
    assert reached(network, "eve", ("auth",)) == []


def test_messages_are_relayed_to_the_admitted_only() -> None:
    network = Network()
    owner = network.add("owner", CLOSED, ROOM)
    ann, bob = invited(network, owner, "ann"), invited(network, owner, "bob")
    eve = network.add("eve", RUDE, ROOM)
    for other in (owner, bob, eve):
        network.connect(ann, other)

    network.say(owner, "through ann", ROOM)

    assert bob.heard == ["through ann"]
    assert bob.deliveries[0].relayed_by == key("ann")
    assert ann.drops() == {}
    assert reached(network, "eve", ("auth",)) == []


@pytest.mark.parametrize("by_nonce", [True, False])
def test_a_revoked_peer_hears_nothing_more_from_anybody(by_nonce: bool) -> None:
    network, (owner, ann, bob) = room("ann", "bob")
    invite = bob.peer._state.channels[ROOM].invite
    assert invite is not None

    owner.peer.issuing.revoke(network.now, ROOM, key("bob"), nonce=invite.nonce if by_nonce else None)
    network.pump()
    network.say(owner, "without bob", ROOM)
    network.say(ann, "me too", ROOM)

    assert [each.revocation.invitee for each in ann.revoked] == [key("bob")]
    assert bob.heard == []
    assert [each for each in reached(network, "bob") if isinstance(each, str)] == []
    network.say(bob, "hello?", ROOM)
    assert "hello?" not in owner.heard + ann.heard


def test_a_revoked_peer_does_not_come_back_with_the_same_invite_but_with_a_new_one() -> None:
    network, (owner, bob) = room("bob")
    old = bob.peer._state.channels[ROOM].invite
    assert old is not None
    owner.peer.issuing.revoke(network.now, ROOM, key("bob"))
    network.pump()
    (number,) = bob.links
    network.disconnect(bob, number)
    network.connect(bob, owner)
    network.say(owner, "still without", ROOM)
    assert bob.heard == []

    network.advance(1)
    new = owner.peer.issuing.invite(network.now, ROOM, key("bob"))
    bob.peer.commands.join(network.now, ROOM, new.as_json())
    network.pump()
    network.say(owner, "welcome back", ROOM)

    assert bob.heard == ["welcome back"]


def test_who_was_away_learns_of_revocations_when_it_is_back_also_from_others() -> None:
    network, (owner, ann, bob) = room("ann", "bob")
    cat = invited(network, owner, "cat")
    owner.peer.issuing.revoke(network.now, ROOM, key("bob"))
    network.pump()
    network.connect(cat, ann)
    network.connect(cat, bob)

    network.say(cat, "not for bob", ROOM)

    assert len(cat.revoked) == 1
    assert "not for bob" in ann.heard
    assert "not for bob" not in bob.heard


def test_only_an_inviter_revokes() -> None:
    network, (owner, ann, bob) = room("ann", "bob")

    with pytest.raises(Refused):
        ann.peer.issuing.revoke(network.now, ROOM, key("bob"))
    own = Revocation.create(identity("ann"), ROOM, key("bob"), now=network.now.wall).as_json()
    number = next(each for each, (other, _) in bob.links.items() if other is ann)
    network.inject(
        bob, number, forged(identity("ann"), {"control": "revoke", "revocations": [own]}, channel=ROOM), ROOM
    )
    junk = {"control": "revoke", "revocations": [None, 5, {}, "x", own]}
    network.inject(bob, number, forged(identity("ann"), junk, 2, channel=ROOM), ROOM)

    assert bob.drops() == {"bad revocation": 6}
    network.say(owner, "bob is still here", ROOM)
    assert bob.heard == ["bob is still here"]


def test_only_an_inviter_invites_and_only_keys() -> None:
    network, (owner, ann) = room("ann")

    for node, invitee, ttl, reason in (
        (ann, key("bob"), None, "inviter"),
        (owner, "bob", None, "key"),
        (owner, key("bob"), 0, "ttl"),
        (owner, key("bob"), -5, "ttl"),
    ):
        with pytest.raises(Refused) as refused:
            node.peer.issuing.invite(network.now, ROOM, invitee, ttl=ttl)
        assert refused.value.reason == reason


SEALED = replace(CLOSED, sealed_channels=frozenset({ROOM}))


def test_sealed_messages_are_read_by_the_members_and_not_by_the_wire() -> None:
    network, (owner, ann, bob) = room("ann", "bob", settings=SEALED)

    network.say(ann, {"text": "under us"}, ROOM)

    assert owner.heard == bob.heard == [{"text": "under us"}]
    assert all(each.sealed and each.verified for each in owner.deliveries + bob.deliveries)
    assert not any(b"under us" in each.data for each in network.wire)


def test_members_who_are_further_away_read_sealed_messages_too() -> None:
    network = Network()
    owner = network.add("owner", SEALED, ROOM)
    ann, bob, cat = (invited(network, owner, name, SEALED) for name in ("ann", "bob", "cat"))
    for a, b in ((ann, bob), (bob, cat)):
        network.connect(a, b)

    network.say(cat, "to the far end", ROOM)
    network.say(ann, "and back", ROOM)

    assert ann.heard == ["to the far end"]
    assert cat.heard == ["and back"]


def test_a_relay_that_is_not_addressed_passes_on_what_it_cannot_read() -> None:
    network = Network()
    owner = network.add("owner", CLOSED, ROOM)
    ann, bob = invited(network, owner, "ann"), invited(network, owner, "bob")
    network.connect(owner, ann)
    network.connect(ann, bob)

    network.say(owner, "for bob", ROOM, readers=[key("bob")])

    assert bob.heard == ["for bob"]
    assert ann.heard == []
    assert ann.drops() == {"sealed to others": 1}


def test_revoked_members_are_no_readers() -> None:
    network, (owner, ann, _) = room("ann", "bob", settings=SEALED)
    owner.peer.issuing.revoke(network.now, ROOM, key("bob"))
    network.pump()

    network.say(owner, "secret", ROOM)

    sealed = next(each for each in reached(network, "ann") if each.get("control") == "sealed")
    assert set(sealed["keys"]) == {key("ann")}
    assert ann.heard == ["secret"]


def test_sealing_needs_a_closed_channel_and_readers() -> None:
    network = Network()
    ann = network.add("ann", SEALED, "open")
    owner = network.add("owner", SEALED, ROOM)

    for node, channel, readers, reason in (
        (ann, "open", [key("bob")], "open channel"),
        (owner, ROOM, None, "readers"),
        (owner, ROOM, [], "readers"),
        (owner, ROOM, ["00" * 32], "readers"),
        (owner, ROOM, ["bob"], "key"),
    ):
        with pytest.raises(Refused) as refused:
            network.say(node, "x", channel, readers=readers)
        assert refused.value.reason == reason


def test_broken_sealed_messages_are_counted() -> None:
    network, (owner, ann) = room("ann")
    (number,) = owner.links

    network.inject(owner, number, forged(identity("ann"), {"control": "sealed"}, channel=ROOM), ROOM)

    assert owner.drops() == {"sealed broken": 1}
    assert ann.heard == []


def test_an_invite_that_is_known_to_be_revoked_is_not_taken() -> None:
    network, (owner, ann) = room("ann")
    invite = owner.peer.issuing.invite(network.now, ROOM, key("ann"))
    owner.peer.issuing.revoke(network.now, ROOM, key("bob"))
    channel = ann.peer._state.channels[ROOM]
    ended = Revocation.create(identity("owner"), ROOM, key("ann"), now=network.now.wall, nonce=invite.nonce)
    channel.revoke(ended, 10)

    with pytest.raises(Refused, match="revoked"):
        ann.peer.commands.join(network.now, ROOM, invite.as_json())


def test_junk_among_members_is_passed_over() -> None:
    network, (owner, ann) = room("ann")
    (number,) = owner.links
    bob = owner.peer.issuing.invite(network.now, ROOM, key("bob"))
    own = Invite.create(identity("ann"), ROOM, key("eve"), now=network.now.wall, nonce="n")
    told = {"control": "members", "invites": [None, "x", {}, own.as_json(), bob.as_json()]}

    network.inject(owner, number, forged(identity("ann"), told, channel=ROOM), ROOM)

    assert set(owner.peer._state.channels[ROOM].members) == {key("ann"), key("bob")}
    assert owner.drops() == ann.drops() == {}


def test_members_of_an_open_channel_are_nobodys_business() -> None:
    network = Network()
    ann, bob = network.line(PLAIN, "ann", "bob")
    invite = Invite.create(identity("bob"), ENTRY, key("eve"), now=network.now.wall, nonce="n")
    (number,) = bob.links

    told = {"control": "members", "invites": [invite.as_json()]}
    network.inject(bob, number, forged(identity("ann"), told))

    assert bob.peer._state.channels[ENTRY].members == {}
    assert ann.deliveries == bob.deliveries == []
