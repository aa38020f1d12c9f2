"""What a channel remembers is bounded."""

from sidechannel.blobs.invite import Invite
from sidechannel.blobs.revocation import Revocation
from sidechannel.peer.channel import Channel
from tests.sidechannel.network import identity, key

OWNER = identity("owner")


def invite(name: str, now: int = 1) -> Invite:
    return Invite.create(OWNER, "room", key(name), now=now, nonce=name)


def revocation(name: str, now: int = 1, nonce: str | None = None) -> Revocation:
    return Revocation.create(OWNER, "room", key(name), now=now, nonce=nonce)


def test_the_newest_members_are_remembered() -> None:
    channel = Channel(name="room")

    for name in ("a", "b", "a", "c"):
        channel.remember(invite(name), 2)

    assert list(channel.members) == [key("a"), key("c")]


def test_the_newest_revocations_are_remembered_and_old_news_is_none() -> None:
    channel = Channel(name="room")

    told = (("a", 5), ("a", 4), ("a", 5), ("a", 6), ("b", 1))
    news = [channel.revoke(revocation(name, at), 2) for name, at in told]
    channel.revoke(revocation("c"), 2)

    assert news == [True, False, False, True, True]
    assert [subject[1] for subject in channel.revocations] == [key("b"), key("c")]


def test_a_revoked_member_is_forgotten_until_it_is_invited_anew() -> None:
    channel = Channel(name="room")
    channel.remember(invite("a"), 5)

    channel.revoke(revocation("a", nonce="another"), 5)
    assert list(channel.members) == [key("a")]
    channel.revoke(revocation("a", nonce="a"), 5)
    assert list(channel.members) == []
    channel.revoke(revocation("a", 10), 5)

    assert channel.revoked(invite("a", 10))
    assert not channel.revoked(Invite.create(OWNER, "room", key("a"), now=11, nonce="new"))
    assert not channel.revoked(invite("b"))
