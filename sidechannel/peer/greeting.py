"""Welcomes: whose channel it is, whether its owner welcomed us, taking a welcome wherever it comes from."""

from sidechannel.blobs.welcome import Welcome
from sidechannel.errors import BadBlob
from sidechannel.peer import policy
from sidechannel.peer.channel import Channel
from sidechannel.peer.envelope import Envelope, carried_welcomes
from sidechannel.peer.state import PeerState
from sidechannel.values.parsing import Json


class Greeting:
    """Judges welcomes against the channel's owner."""

    def __init__(self, state: PeerState) -> None:
        self._state = state

    def owner(self, channel: str) -> str | None:
        """The configured owner, else the one of a welcome that our operator handed in."""
        configured = policy.owner_of(self._state.settings, channel)
        joined = self._state.channels.get(channel)
        if configured is not None or joined is None:
            return configured
        return joined.pinned_owner

    def missing(self, channel: Channel) -> bool:
        """Whether messages on the channel still wait for a welcome."""
        if not policy.welcome_required(self._state.settings, channel.name) or channel.welcome is not None:
            return False
        return self.owner(channel.name) != self._state.self_key

    def accept(self, channel: Channel, blob: Json) -> Welcome:
        """Take a welcome that our operator handed in; without a configured owner its own is trusted."""
        welcome = Welcome.read(blob)
        owner = self.owner(channel.name) or welcome.owner
        welcome.check(channel.name, owner)
        if policy.owner_of(self._state.settings, channel.name) is None:
            channel.pinned_owner = owner
        channel.welcome = welcome
        return welcome

    def take(self, channel: Channel, envelope: Envelope) -> Welcome | None:
        """Take the first welcome in a payload that holds; an older one does not replace what we have."""
        for blob in carried_welcomes(envelope):
            welcome = self.judged(channel.name, blob)
            if welcome is not None:
                if channel.welcome is None or channel.welcome.issued_at <= welcome.issued_at:
                    channel.welcome = welcome
                return welcome
        return None

    def judged(self, channel: str, blob: Json) -> Welcome | None:
        """The welcome, where it is one of the channel's owner."""
        try:
            welcome = Welcome.read(blob)
            joined = self._state.channels.get(channel)
            if joined is None or joined.welcome is None or joined.welcome.blob != welcome.blob:
                welcome.check(channel, self.owner(channel))
        except BadBlob:
            return None
        return welcome
