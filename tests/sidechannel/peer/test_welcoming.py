"""Welcomes, channels where only the owner writes, and channels that others ask us to open."""

from dataclasses import replace

import pytest

from sidechannel.blobs.invite import Invite
from sidechannel.blobs.welcome import Welcome
from sidechannel.errors import BadBlob, Refused
from sidechannel.peer.settings import PeerSettings
from tests.sidechannel.forging import forged
from tests.sidechannel.network import ENTRY, PLAIN, Network, Node, identity, key

HALL = "hall"
OWNED = replace(PLAIN, welcome_required=True, owners={HALL: key("owner")})
READ_ONLY = replace(OWNED, owner_write_channels=frozenset({HALL}))


def hall(settings: PeerSettings = OWNED) -> tuple[Network, Node, Node]:
    network = Network()
    owner, ann = network.add("owner", settings, HALL), network.add("ann", settings, HALL)
    return network, owner, ann


def test_a_welcome_opens_the_channel_and_is_told() -> None:
    network, owner, ann = hall()
    welcome = owner.peer.issuing.welcome(network.now, HALL, "Come in")
    network.connect(owner, ann)

    network.say(owner, "first", HALL)

    (greeting,) = [each for each in ann.deliveries if each.message != "first"]
    assert greeting.message == {"control": "welcome", "welcome": welcome.as_json()}
    assert ann.heard == ["first"]


def test_without_a_welcome_messages_wait_unmarked_so_that_they_may_come_again() -> None:
    network, owner, ann = hall()
    number, other = network.connect(owner, ann)
    network.say(owner, "too early", HALL)
    early = network.wire[-1].data
    assert ann.drops() == {"awaiting welcome": 1}

    owner.peer.issuing.welcome(network.now, HALL, "Come in")
    network.pump()
    network.inject(ann, other, early, HALL)

    assert ann.heard == ["too early"]
    assert number != other


def test_the_owner_hears_others_without_a_welcome_of_its_own() -> None:
    network, owner, ann = hall()
    network.connect(owner, ann)

    network.say(ann, "question", HALL)

    assert owner.heard == ["question"]


def test_a_welcome_of_somebody_else_is_dropped() -> None:
    network, owner, ann = hall()
    _, number = network.connect(owner, ann)
    false = Welcome.create(identity("eve"), HALL, "Come in", now=1).as_json()

    for count, message in enumerate(
        (
            {"control": "welcome", "welcome": false},
            {"control": "welcome"},
            {"control": "welcome", "welcome": "x"},
        )
    ):
        network.inject(ann, number, forged(identity("eve"), message, count, channel=HALL), HALL)

    assert ann.drops() == {"bad welcome": 3}
    assert ann.deliveries == []


@pytest.mark.parametrize("place", ["message", "payload", "payload invite", "message invite"])
def test_a_welcome_is_found_wherever_it_is_carried(place: str) -> None:
    network, owner, ann = hall()
    _, number = network.connect(owner, ann)
    blob = Welcome.create(identity("owner"), HALL, "Come in", now=1).as_json()
    message: dict[str, object] = {"text": "hi"}
    changed: dict[str, object] = {}
    holder = message if "message" in place else changed
    holder.update({"invite": {"welcome": blob}} if "invite" in place else {"welcome": blob})

    network.inject(ann, number, forged(identity("owner"), message, channel=HALL, changed=changed), HALL)

    assert ann.heard == [message]


def test_a_welcome_is_not_relayed_and_nothing_rides_on_it() -> None:
    network = Network()
    owner, ann, bob = network.line(READ_ONLY, "owner", "ann", "bob", channel=HALL)
    blob = Welcome.create(identity("owner"), HALL, "Come in", now=1).as_json()
    number = next(each for each, (other, _) in ann.links.items() if other is bob)

    rider = {"control": "welcome", "welcome": blob, "text": "buy this"}
    network.inject(ann, number, forged(identity("bob"), rider, channel=HALL), HALL)

    assert [each.message for each in ann.deliveries] == [{"control": "welcome", "welcome": blob}]
    assert network.wire == []
    assert owner.deliveries == []


def test_an_older_welcome_does_not_replace_a_newer_one() -> None:
    network, owner, ann = hall()
    old = Welcome.create(identity("owner"), HALL, "Old", now=1).as_json()
    owner.peer.issuing.welcome(network.now, HALL, "New")
    _, number = network.connect(owner, ann)

    network.inject(
        ann, number, forged(identity("owner"), {"control": "welcome", "welcome": old}, channel=HALL), HALL
    )

    welcome = ann.peer._state.channels[HALL].welcome
    assert welcome is not None
    assert welcome.text == "New"


def test_leaving_forgets_the_welcome() -> None:
    network, owner, ann = hall()
    owner.peer.issuing.welcome(network.now, HALL, "Come in")
    network.connect(owner, ann)
    ann.peer.commands.leave(HALL)
    network.pump()
    ann.peer.commands.join(network.now, HALL)

    assert ann.peer._state.channels[HALL].welcome is None


def test_a_welcome_that_the_operator_hands_in_says_who_the_owner_is_where_nobody_else_does() -> None:
    network = Network()
    unowned = replace(PLAIN, welcome_required=True)
    blob = Welcome.create(identity("owner"), HALL, "Come in", now=1).as_json()
    other = Welcome.create(identity("eve"), HALL, "No, here", now=2).as_json()
    ann = network.add("ann", unowned)

    ann.peer.commands.join(network.now, HALL, welcome=blob)
    with pytest.raises(BadBlob):
        ann.peer.commands.join(network.now, HALL, welcome=other)
    with pytest.raises(BadBlob):
        network.add("bob", OWNED).peer.commands.join(network.now, HALL, welcome=other)
    assert ann.peer.channels == [HALL]
    assert network.nodes["bob"].peer.channels == []


def test_only_the_owner_writes_a_welcome() -> None:
    network, _, ann = hall()

    with pytest.raises(Refused) as refused:
        ann.peer.issuing.welcome(network.now, HALL, "Mine")

    assert refused.value.reason == "owner"


def test_only_the_owner_is_heard_where_only_the_owner_writes() -> None:
    network, owner, ann = hall(READ_ONLY)
    bob = network.add("bob", OWNED, HALL)
    owner.peer.issuing.welcome(network.now, HALL, "Come in")
    network.connect(owner, ann)
    network.connect(owner, bob)
    _, number = network.connect(bob, ann)

    network.say(owner, "news", HALL)
    network.say(bob, "me too", HALL)
    spoof = forged(
        identity("bob"), "spoof", channel=HALL, changed={"from": key("owner"), "origin": key("owner")}
    )
    network.inject(ann, number, spoof, HALL)

    assert ann.heard == ["news"]
    assert ann.drops()["not the owner"] == 2
    with pytest.raises(Refused) as refused:
        network.say(ann, "may I?", HALL)
    assert refused.value.reason == "owner"


def test_without_a_known_owner_nobody_writes_where_only_the_owner_does() -> None:
    network = Network()
    ann, bob = network.line(replace(PLAIN, owner_write_only=True), "ann", "bob", channel=HALL)

    with pytest.raises(Refused):
        network.say(ann, "x", HALL)
    (number,) = bob.links
    network.inject(bob, number, forged(identity("ann"), "x", channel=HALL), HALL)

    assert bob.drops() == {"not the owner": 1}


OPENING = replace(OWNED, auto_join=True)


def asked(settings: PeerSettings, **blobs: object) -> tuple[Network, Node, Node]:
    """The owner asks ann over the entry channel to open the hall."""
    network = Network()
    owner, ann = network.line(settings, "owner", "ann")
    owner.peer.commands.open(network.now, HALL, **blobs)  # type: ignore[arg-type]
    network.pump()
    return network, owner, ann


WELCOME = Welcome.create(identity("owner"), HALL, "Come in", now=1).as_json()


def test_a_channel_is_opened_by_request_and_its_welcome_is_kept() -> None:
    network, owner, ann = asked(OPENING, welcome=WELCOME)
    owner.peer.commands.join(network.now, HALL)
    network.pump()

    network.say(owner, "in the hall", HALL)

    assert [(each.channel, each.via, each.joined, each.verified) for each in ann.requests] == [
        (HALL, ENTRY, True, True)
    ]
    assert ann.heard == ["in the hall"]


def test_without_auto_join_the_request_is_only_told() -> None:
    _, _, ann = asked(OWNED, welcome=WELCOME)

    (request,) = ann.requests
    assert (request.joined, request.sender) == (False, key("owner"))
    assert request.welcome is not None
    assert ann.peer.channels == [ENTRY]


def test_a_request_is_relayed_and_its_missing_blobs_are_not_hashed() -> None:
    network = Network()
    free = replace(PLAIN, pow_bits=4)
    ann, _, cat = network.line(free, "ann", "bob", "cat")

    ann.peer.commands.open(network.now, "side room")
    network.pump()

    assert [each.channel for each in cat.requests] == ["side room"]
    assert network.wire[0].payload["message"] == {"control": "open_channel", "channel": "side room"}


def test_a_request_is_denied_without_what_it_needs() -> None:
    for settings, message in (
        (replace(OPENING, allow_remote_open=False), {"channel": HALL, "welcome": WELCOME}),
        (OPENING, {"channel": HALL}),
        (OPENING, {"channel": HALL, "welcome": {**WELCOME, "sig": "00" * 64}}),
        (OPENING, {"channel": ""}),
        (OPENING, {"channel": {"a": 1}, "welcome": WELCOME}),
        (OPENING, {"channel": "x" * 300, "welcome": WELCOME}),
        (
            replace(OPENING, invite_required=True, inviter_keys=frozenset({key("owner")})),
            {"channel": HALL, "welcome": WELCOME},
        ),
    ):
        network = Network()
        owner, ann = network.line(settings, "owner", "ann")
        _, number = next(iter(owner.links.values()))
        request = forged(identity("owner"), {"control": "open_channel", **message})
        network.inject(ann, number, request)
        assert (ann.requests, ann.peer.channels, ann.drops()) == ([], [ENTRY], {"open denied": 1})


def test_an_invite_only_channel_is_opened_with_an_invite() -> None:
    settings = replace(
        OPENING,
        invite_required=True,
        invite_channels=frozenset({HALL}),
        inviter_keys=frozenset({key("owner")}),
    )
    network = Network()
    owner, ann = network.line(settings, "owner", "ann")
    owner.peer.commands.join(network.now, HALL)
    owner.peer.issuing.welcome(network.now, HALL, "Come in")
    invite = owner.peer.issuing.invite(network.now, HALL, key("ann"))
    with pytest.raises(Refused) as refused:
        owner.peer.commands.open(network.now, HALL)
    assert refused.value.reason == "invite"

    owner.peer.commands.open(network.now, HALL, invite=invite.as_json())
    network.pump()
    network.say(owner, "by invite", HALL)

    assert [each.joined for each in ann.requests] == [True]
    assert ann.heard == ["by invite"]


def test_asking_to_open_needs_a_welcome_and_a_way() -> None:
    network = Network()
    owner = network.add("owner", OWNED, ENTRY)

    for name, via, reason in (
        (HALL, None, "welcome"),
        (HALL, "nowhere", "not joined"),
        (" ", None, "no channel"),
    ):
        with pytest.raises(Refused) as refused:
            owner.peer.commands.open(network.now, name, via=via)
        assert refused.value.reason == reason
    with pytest.raises(BadBlob):
        owner.peer.commands.open(network.now, HALL, welcome={"text": "x"})


def test_nothing_is_learned_from_a_strangers_invite() -> None:
    network = Network()
    ann, bob = network.line(replace(PLAIN, auto_join=True), "ann", "bob")
    trap = Welcome.create(identity("ann"), HALL, "Mine", now=1)
    invite = Invite.create(identity("ann"), HALL, key("bob"), now=network.now.wall, nonce="n", welcome=trap)

    ann.peer.commands.open(network.now, HALL, invite=invite.as_json())
    network.pump()

    (request,) = bob.requests
    assert request.joined
    assert request.invite is not None
    channel = bob.peer._state.channels[HALL]
    assert (channel.invite, channel.welcome, channel.pinned_inviter, channel.pinned_owner) == (None,) * 4


def test_an_invite_is_good_without_the_welcome_in_it() -> None:
    network = Network()
    false = Welcome.create(identity("eve"), HALL, "Not the owner", now=1)
    invite = Invite.create(
        identity("owner"), HALL, key("ann"), now=network.now.wall, nonce="n", welcome=false
    )
    ann = network.add("ann", OWNED)

    ann.peer.commands.join(network.now, HALL, invite.as_json())

    assert ann.peer.channels == [HALL]
    assert ann.peer._state.channels[HALL].welcome is None
