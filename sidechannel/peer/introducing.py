"""What is said without being asked: our invite as a channel opens, the owner's welcome, revocations."""

from sidechannel.blobs.invite import Invite
from sidechannel.errors import Refused
from sidechannel.peer.admission import Admission
from sidechannel.peer.channel import Channel
from sidechannel.peer.greeting import Greeting
from sidechannel.peer.links import Link
from sidechannel.peer.moment import Moment
from sidechannel.peer.outgoing import Outgoing
from sidechannel.peer.outputs import Drop
from sidechannel.peer.state import PeerState
from sidechannel.values.parsing import Json

# Blobs told at once: some 50 kB, well within what a receiver takes.
MAX_TOLD = 64


class Introducing:
    """Each is said once per channel and connection."""

    def __init__(
        self, state: PeerState, admission: Admission, greeting: Greeting, outgoing: Outgoing
    ) -> None:
        self._state = state
        self._admission = admission
        self._greeting = greeting
        self._outgoing = outgoing

    def opened(self, now: Moment, link: Link, channel: Channel) -> None:
        """A channel opened: show our invite, and greet at once whoever needs none."""
        inviters = self._admission.inviters(channel.name)
        if channel.invite is not None and self._state.self_key not in inviters:
            invite = channel.invite.as_json(with_welcome=link.remote in inviters)
            self._say(now, link, channel, {"control": "auth", "invite": invite}, gated=False)
        self.admitted(now, link, channel)

    def admitted(self, now: Moment, link: Link, channel: Channel) -> None:
        """The other end may take part: greet it, unless that was done."""
        if channel.name in link.greeted or not self._admission.admitted(link, channel.name, now):
            return
        link.greeted.add(channel.name)
        self.greet(now, link, channel)
        if channel.revocations:
            newest = list(channel.revocations.values())[-MAX_TOLD:]
            told: list[Json] = [revocation.as_json() for revocation in newest]
            self._say(now, link, channel, {"control": "revoke", "revocations": told})
        if channel.name in self._state.settings.sealed_channels:
            members = self._admission.members(channel, now)[-MAX_TOLD:]
            known: list[Json] = [invite.as_json(with_welcome=False) for invite in members]
            self._say(now, link, channel, {"control": "members", "invites": known})

    def announce(self, now: Moment, channel: Channel, blob: Json) -> None:
        """Tell everybody on a sealed channel of a new member, so that they can seal to it."""
        if channel.name in self._state.settings.sealed_channels:
            known: list[Json] = [Invite.read(blob).as_json(with_welcome=False)]
            self._say(now, None, channel, {"control": "members", "invites": known})

    def greet(self, now: Moment, link: Link, channel: Channel) -> None:
        """Send the welcome, where we are the owner and wrote one."""
        welcome = channel.welcome
        if welcome is not None and welcome.owner == self._state.self_key:
            self._say(now, link, channel, {"control": "welcome", "welcome": welcome.as_json()})

    def _say(
        self,
        now: Moment,
        link: Link | None,
        channel: Channel,
        message: dict[str, Json],
        *,
        gated: bool = True,
    ) -> None:
        try:
            self._outgoing.post(now, channel.name, message, only=link, gated=gated)
        except Refused:
            self._state.drop(Drop.NOT_SENT)
