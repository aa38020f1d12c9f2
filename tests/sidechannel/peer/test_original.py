"""What a peer of the original sent goes through our pipeline."""

from dataclasses import replace

import pytest

from sidechannel.errors import BadKey, Refused
from sidechannel.keys.identity import Identity
from sidechannel.peer.machine import Peer
from sidechannel.peer.moment import Moment
from sidechannel.peer.outputs import Delivery, Drop, Mine, SendBytes
from sidechannel.peer.policy import invite_required, owner_of, owner_writes_only, work_bits
from sidechannel.peer.settings import PeerSettings
from sidechannel.values.canonical import wire_bytes
from tests.sidechannel.captured import SECRET, VECTORS
from tests.sidechannel.forging import forged
from tests.sidechannel.network import ENTRY, PLAIN, identity, key

THERE = VECTORS["messages"][0]["from"]
INVITE = VECTORS["invite"]["json"]
NOW = Moment(INVITE["payload"]["issuedAt"], 0)


def peer_on(channel: str, me: Identity, settings: PeerSettings, remote: str) -> Peer:
    peer = Peer(me, settings, bytes)
    peer.commands.join(NOW, channel)
    peer.connection_opened(NOW, 1, remote)
    peer.channel_opened(NOW, 1, channel)
    peer.outputs()
    return peer


def test_captured_messages_are_delivered_under_the_policy_they_were_sent_under() -> None:
    peer = peer_on(ENTRY, identity("bob"), PeerSettings(), THERE)

    for raw in VECTORS["messages"]:
        peer.payload_received(NOW, 1, ENTRY, wire_bytes(raw))

    (heard,) = peer.outputs()
    assert isinstance(heard, Delivery)
    assert (heard.message, heard.verified, heard.sender) == ("powmsg", True, THERE)
    assert peer.stats()["drops"] == {Drop.NO_WORK: 1}


def test_the_captured_invite_admits_its_invitee_to_its_channel() -> None:
    owner = Identity.from_secret(SECRET)
    settings = replace(PLAIN, invite_required=True, inviter_keys=frozenset({owner.public_key}))
    invitee = INVITE["payload"]["inviteePubKey"]
    peer = peer_on("priv1", owner, settings, invitee)

    peer.commands.send(NOW, "priv1", "before")
    assert peer.outputs() == []
    auth = forged(identity("x"), {"control": "auth", "invite": INVITE}, channel="priv1")
    peer.payload_received(NOW, 1, "priv1", auth)
    peer.commands.send(NOW, "priv1", "after")

    (sent,) = peer.outputs()
    assert isinstance(sent, SendBytes)
    assert b'"after"' in sent.data
    assert peer.stats()["drops"] == {}


def test_the_captured_invite_brings_its_welcome_to_whoever_is_asked_to_open_its_channel() -> None:
    settings = PeerSettings(pow_bits=0, default_owner=THERE)
    peer = peer_on(ENTRY, identity("bob"), settings, THERE)
    request = {"control": "open_channel", "channel": "priv1", "welcome": INVITE["welcome"]}

    peer.payload_received(NOW, 1, ENTRY, forged(identity("x"), request))

    assert len(peer.outputs()) == 1
    assert peer.stats()["drops"] == {}


def test_what_comes_back_to_its_sender_is_no_news_to_it() -> None:
    peer = peer_on(ENTRY, identity("bob"), PLAIN, THERE)

    peer.payload_received(NOW, 1, ENTRY, forged(identity("bob"), "my own words"))
    peer.payload_received(NOW, 1, ENTRY, forged(identity("eve"), "spoof", changed={"from": key("bob")}))

    assert peer.outputs() == []
    assert peer.stats()["drops"] == {Drop.DUPLICATE: 2}


def test_work_for_an_unknown_or_unsolved_ticket_is_not_believed() -> None:
    peer = peer_on(ENTRY, identity("bob"), PeerSettings(pow_bits=16), THERE)
    peer.commands.send(NOW, ENTRY, "x")
    (mine,) = peer.outputs()
    assert isinstance(mine, Mine)

    peer.mined(NOW, 99, 0)
    peer.mined(NOW, mine.ticket, 0)

    assert peer.outputs() == []
    assert peer.stats()["drops"] == {Drop.NOT_SENT: 1}


@pytest.mark.parametrize("bad", [{"inviter_keys": frozenset({"x"})}, {"owners": {"a": key("a").upper()}}])
def test_settings_with_mistyped_keys_are_refused(bad: dict[str, object]) -> None:
    with pytest.raises(BadKey):
        PeerSettings(**bad)  # type: ignore[arg-type]
    with pytest.raises(BadKey):
        PeerSettings(default_owner="")
    with pytest.raises(Refused):
        PeerSettings(pow_bits=65)


def test_the_entry_channel_is_open_to_everybody_whatever_the_settings_say() -> None:
    strict = PeerSettings(
        invite_required=True,
        owner_write_only=True,
        owner_write_channels=frozenset({ENTRY}),
        default_owner=key("owner"),
    )

    assert not invite_required(strict, ENTRY)
    assert not owner_writes_only(strict, ENTRY)
    assert owner_of(strict, ENTRY) is None
    assert invite_required(strict, "any other")
    assert work_bits(strict, ENTRY) == 12


def test_invites_are_asked_for_by_name_or_prefix_where_some_are_given() -> None:
    some = PeerSettings(
        invite_required=True, invite_channels=frozenset({"one"}), invite_prefixes=("priv-", "p2p:")
    )

    asked = [name for name in ("one", "two", "priv-x", "private", "p2p:a") if invite_required(some, name)]

    assert asked == ["one", "priv-x", "p2p:a"]
    assert not invite_required(replace(some, invite_required=False), "one")
