"""Signing for others: invites, welcomes, revocations."""

from sidechannel.blobs.invite import Invite
from sidechannel.blobs.revocation import Revocation
from sidechannel.blobs.welcome import Welcome
from sidechannel.errors import BadKey, Refused
from sidechannel.keys.identity import public_key
from sidechannel.names import base36, channel_name, trimmed
from sidechannel.peer.admission import Admission
from sidechannel.peer.greeting import Greeting
from sidechannel.peer.introducing import Introducing
from sidechannel.peer.moment import Moment
from sidechannel.peer.outgoing import Outgoing
from sidechannel.peer.state import PeerState
from sidechannel.values.parsing import Json


class Issuing:
    """What only the owner or an inviter may do; refused to others."""

    def __init__(
        self,
        state: PeerState,
        admission: Admission,
        greeting: Greeting,
        outgoing: Outgoing,
        introducing: Introducing,
    ) -> None:
        self._state = state
        self._admission = admission
        self._greeting = greeting
        self._outgoing = outgoing
        self._introducing = introducing

    def invite(self, now: Moment, name: str, invitee: str, *, ttl: int | None = None) -> Invite:
        """Sign an invite, with the channel's welcome beside it."""
        name = channel_name(name)
        if self._state.self_key not in self._admission.inviters(name):
            raise Refused("inviter", "This peer may not invite to the channel.")
        if ttl is not None and ttl <= 0:
            raise Refused("ttl", "An invite holds for at least a second.")
        channel = self._state.channels.get(name)
        invite = Invite.create(
            self._state.identity,
            name,
            member_key(invitee),
            now=now.wall,
            nonce=base36(self._state.random),
            ttl=ttl or self._state.settings.invite_ttl,
            welcome=channel.welcome if channel is not None else None,
        )
        if channel is not None:
            channel.remember(invite, self._state.settings.limits.members)
        return invite

    def welcome(self, now: Moment, name: str, text: str) -> Welcome:
        """Sign a welcome as the channel's owner; whoever is on the channel is greeted with it at once."""
        name = channel_name(name)
        if self._greeting.owner(name) not in (None, self._state.self_key):
            raise Refused("owner", "Only the channel's owner writes its welcome.")
        welcome = Welcome.create(self._state.identity, name, text, now=now.wall)
        channel = self._state.channels.get(name)
        if channel is not None:
            self._greeting.accept(channel, welcome.as_json())
            for link in self._state.open_links(name):
                self._introducing.greet(now, link, channel)
        return welcome

    def revoke(self, now: Moment, name: str, invitee: str, *, nonce: str | None = None) -> Revocation:
        """Take back what we gave to a key: all, or the invite with the nonce. Peers of ours are told."""
        channel = self._state.channels.get(trimmed(name))
        if channel is None:
            raise Refused("not joined", "The channel is not joined.")
        if self._state.self_key not in self._admission.inviters(channel.name):
            raise Refused("inviter", "This peer did not invite anybody to the channel.")
        revocation = Revocation.create(
            self._state.identity, channel.name, member_key(invitee), now=now.wall, nonce=nonce
        )
        self._admission.revoke(channel, revocation)
        told: list[Json] = [revocation.as_json()]
        self._outgoing.post(now, channel.name, {"control": "revoke", "revocations": told})
        return revocation


def member_key(text: str) -> str:
    """A public key that somebody typed."""
    try:
        return public_key(text)
    except BadKey as error:
        raise Refused("key", str(error)) from error
