"""Messages that are meant for the peer itself: requests to open a channel, revocations, members."""

from collections.abc import Callable, Sequence

from sidechannel.blobs.invite import Invite
from sidechannel.blobs.revocation import Revocation
from sidechannel.blobs.welcome import Welcome
from sidechannel.errors import BadBlob, Refused
from sidechannel.names import channel_name
from sidechannel.peer import policy
from sidechannel.peer.admission import Admission
from sidechannel.peer.channel import Channel
from sidechannel.peer.envelope import Envelope, carried_welcomes
from sidechannel.peer.greeting import Greeting
from sidechannel.peer.introducing import MAX_TOLD
from sidechannel.peer.moment import Moment
from sidechannel.peer.outputs import ChannelRequested, Drop
from sidechannel.peer.state import PeerState
from sidechannel.values.parsing import Json

Join = Callable[[Moment, str, Json, Json], None]


class Controls:
    """`join` opens a channel that somebody else asked for."""

    def __init__(self, state: PeerState, admission: Admission, greeting: Greeting, join: Join) -> None:
        self._state = state
        self._admission = admission
        self._greeting = greeting
        self._join = join

    def open_requested(self, now: Moment, envelope: Envelope, *, verified: bool) -> None:
        """Somebody asks us to open a channel: judged by its welcome and invite, then joined or only told."""
        if not self._state.settings.allow_remote_open:
            return self._state.drop(Drop.OPEN_DENIED)
        try:
            name = channel_name(str(envelope.inside("channel") or ""))
            if name in self._state.channels:
                return None
            welcome = self._welcome(name, envelope)
            invite = self._invite(name, envelope, now)
            joined = self._joined(now, name, invite, welcome)
        except (BadBlob, Refused):
            return self._state.drop(Drop.OPEN_DENIED)
        requested = ChannelRequested(
            channel=name,
            via=envelope.channel,
            sender=envelope.sender,
            verified=verified,
            invite=invite,
            welcome=welcome,
            joined=joined,
        )
        return self._state.emit(requested)

    def revoked(self, channel: Channel, envelope: Envelope) -> bool:
        """Take revocations; True where one was news, so that it is worth passing on."""
        news = False
        for blob in _listed(envelope.inside("revocations"), MAX_TOLD):
            try:
                news |= self._admission.revoke(channel, Revocation.read(blob))
            except BadBlob:
                self._state.drop(Drop.BAD_REVOCATION)
        return news

    def introduced(self, now: Moment, channel: Channel, envelope: Envelope) -> bool:
        """Take the invites of members; True where one was news."""
        if not self._admission.closed(channel.name):
            return False
        news = False
        for blob in _listed(envelope.inside("invites"), MAX_TOLD):
            news |= self._admission.introduce(channel, blob, now)
        return news

    def _welcome(self, name: str, envelope: Envelope) -> Welcome | None:
        for blob in carried_welcomes(envelope):
            welcome = self._greeting.judged(name, blob)
            if welcome is not None:
                return welcome
        if (
            policy.welcome_required(self._state.settings, name)
            and self._greeting.owner(name) != self._state.self_key
        ):
            raise BadBlob("No welcome of the channel's owner.")
        return None

    def _invite(self, name: str, envelope: Envelope, now: Moment) -> Invite | None:
        blob = envelope.inside("invite") or envelope.raw.get("invite")
        inviters = self._admission.inviters(name)
        needed = self._admission.closed(name) and self._state.self_key not in inviters
        if blob is None and not needed:
            return None
        invite = Invite.read(blob)
        invite.check(name, self._state.self_key, inviters if needed else {invite.inviter}, now=now.wall)
        return invite

    def _joined(self, now: Moment, name: str, invite: Invite | None, welcome: Welcome | None) -> bool:
        if not self._state.settings.auto_join:
            return False
        opened = sum(channel.opened_remotely for channel in self._state.channels.values())
        if opened >= self._state.settings.limits.opened_channels:
            raise Refused("too many channels", "Others opened as many channels as they may.")
        # Nobody handed these in: only what the settings trust counts, and nothing is learned from the rest.
        trusted = (
            invite if invite is not None and invite.inviter in self._state.settings.inviter_keys else None
        )
        shown = trusted.as_json(with_welcome=False) if trusted is not None else None
        self._join(now, name, shown, welcome.as_json() if welcome is not None else None)
        self._state.channels[name].opened_remotely = True
        return True


def _listed(value: Json, limit: int) -> Sequence[Json]:
    return value[:limit] if isinstance(value, Sequence) and not isinstance(value, str) else ()
