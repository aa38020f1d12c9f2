"""Invite-only channels: who may take part, on both ends of a connection."""

from collections.abc import Set

from sidechannel.blobs.invite import Invite
from sidechannel.blobs.revocation import Revocation
from sidechannel.errors import BadBlob, Refused
from sidechannel.peer import policy
from sidechannel.peer.channel import Channel
from sidechannel.peer.links import Link
from sidechannel.peer.moment import Moment
from sidechannel.peer.outputs import InviteRevoked
from sidechannel.peer.state import PeerState
from sidechannel.values.parsing import Json


class Admission:
    """Judges invites against the settings, the clock and the revocations."""

    def __init__(self, state: PeerState) -> None:
        self._state = state

    def closed(self, channel: str) -> bool:
        """Whether the channel is invite-only: by the settings, or because we joined it by invite."""
        joined = self._state.channels.get(channel)
        if joined is not None and joined.invite is not None:
            return True
        return policy.invite_required(self._state.settings, channel)

    def inviters(self, channel: str) -> Set[str]:
        """Who may invite: the configured keys; else whoever invited us; else ourselves."""
        configured = self._state.settings.inviter_keys
        if configured:
            return configured
        joined = self._state.channels.get(channel)
        pinned = joined.pinned_inviter if joined is not None else None
        return frozenset({self._state.self_key if pinned is None else pinned})

    def admitted_here(self, channel: str, now: Moment) -> bool:
        """Whether we may take part ourselves."""
        if not self.closed(channel) or self._state.self_key in self.inviters(channel):
            return True
        joined = self._state.channels.get(channel)
        return joined is not None and joined.invite is not None and self._holds(joined, joined.invite, now)

    def admitted(self, link: Link, channel: str, now: Moment) -> bool:
        """Whether the other end of the connection may take part."""
        if not self.closed(channel) or link.remote in self.inviters(channel):
            return True
        invite = link.invites.get(channel)
        return invite is not None and self._holds(self._state.channels[channel], invite, now)

    def present(self, link: Link, channel: Channel, blob: Json, now: Moment) -> bool:
        """Take an invite that the other end shows; True where it is admitted by it and was not before."""
        invite = self._judged(channel, blob, link.remote, now)
        if invite is None:
            return False
        before = self.admitted(link, channel.name, now)
        link.invites[channel.name] = invite
        channel.remember(invite, self._state.settings.limits.members)
        return not before

    def introduce(self, channel: Channel, blob: Json, now: Moment) -> bool:
        """Take the invite of a member who may be further away, who reads what is sealed; True: news."""
        try:
            member = Invite.read(blob).invitee
        except BadBlob:
            return False
        known = channel.members.get(member)
        invite = self._judged(channel, blob, member, now)
        if invite is None or member == self._state.self_key:
            return False
        if known is not None and (known.blob == invite.blob or known.expires_at >= invite.expires_at):
            return False
        channel.remember(invite, self._state.settings.limits.members)
        return True

    def members(self, channel: Channel, now: Moment) -> list[Invite]:
        """The invites we know that hold, our own among them, the newest last."""
        own = [channel.invite] if channel.invite is not None else []
        return [invite for invite in (*channel.members.values(), *own) if self._holds(channel, invite, now)]

    def accept(self, channel: Channel, blob: Json, now: Moment) -> Invite:
        """Take an invite for ourselves from our operator; where no inviters are configured, its own is."""
        invite = Invite.read(blob)
        configured = self._state.settings.inviter_keys
        invite.check(channel.name, self._state.self_key, configured or {invite.inviter}, now=now.wall)
        if channel.revoked(invite):
            raise Refused("invite", "The invite was revoked.")
        channel.invite = invite
        if not configured:
            channel.pinned_inviter = invite.inviter
        return invite

    def revoke(self, channel: Channel, revocation: Revocation) -> bool:
        """Take a revocation by somebody who may invite; True where it is news."""
        revocation.check(channel.name)
        if revocation.inviter not in self.inviters(channel.name):
            raise BadBlob("The revocation is of somebody who may not invite here.")
        if not channel.revoke(revocation, self._state.settings.limits.revocations):
            return False
        self._state.emit(InviteRevoked(revocation))
        return True

    def readers(self, channel: Channel, now: Moment) -> set[str]:
        """Whom a sealed message on the channel is addressed to."""
        known = {key for key, invite in channel.members.items() if self._holds(channel, invite, now)}
        return (known | self.inviters(channel.name)) - {self._state.self_key}

    def _holds(self, channel: Channel, invite: Invite, now: Moment) -> bool:
        return invite.expires_at > now.wall and not channel.revoked(invite)

    def _judged(self, channel: Channel, blob: Json, invitee: str, now: Moment) -> Invite | None:
        try:
            invite = Invite.read(blob)
            known = channel.members.get(invitee)
            if known is None or known.blob != invite.blob:
                invite.check(channel.name, invitee, self.inviters(channel.name), now=now.wall)
        except BadBlob:
            return None
        return invite if self._holds(channel, invite, now) else None
