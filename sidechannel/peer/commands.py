"""What our own side asks for, refused with a reason or done: join, leave, send, open."""

from collections.abc import Collection
from contextlib import suppress

from sidechannel.blobs.invite import Invite
from sidechannel.blobs.welcome import Welcome
from sidechannel.errors import BadBlob, BadKey, Refused
from sidechannel.names import channel_name, trimmed
from sidechannel.peer import policy
from sidechannel.peer.admission import Admission
from sidechannel.peer.channel import Channel
from sidechannel.peer.greeting import Greeting
from sidechannel.peer.introducing import Introducing
from sidechannel.peer.issuing import member_key
from sidechannel.peer.moment import Moment
from sidechannel.peer.outgoing import Outgoing
from sidechannel.peer.outputs import JoinTopic, LeaveTopic
from sidechannel.peer.state import PeerState
from sidechannel.sealing import seal
from sidechannel.values.parsing import Json, normalised


class Commands:
    """Blobs come as JSON values; `sidechannel.blobs.signed.read_blob` makes them from text."""

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

    def join(self, now: Moment, name: str, invite: Json = None, welcome: Json = None) -> None:
        """Take part in a channel; again, to hand in another invite or welcome."""
        name = channel_name(name)
        known = self._state.channels.get(name)
        if known is None and len(self._state.channels) >= self._state.settings.limits.channels:
            raise Refused("too many channels", "As many channels are joined as may be.")
        channel = known or Channel(name=name)
        self._state.channels[name] = channel
        try:
            self._hand_in(now, channel, invite, welcome)
            if not self._admission.admitted_here(name, now):
                raise Refused("invite", "The channel needs an invite, and none that holds was given.")
        except (BadBlob, Refused):
            if known is None:
                del self._state.channels[name]
            raise
        if known is None:
            self._state.emit(JoinTopic(name, channel.topic))
            return
        if invite is not None:
            for link in self._state.open_links(name):
                self._introducing.opened(now, link, channel)

    def leave(self, name: str) -> bool:
        """Leave a channel, forget its welcome and invites; False for the entry channel and unknown ones."""
        name = trimmed(name)
        if name == self._state.settings.entry_channel:
            return False
        channel = self._state.channels.pop(name, None)
        if channel is None:
            return False
        for link in self._state.links.values():
            link.close(name)
        self._state.emit(LeaveTopic(name, channel.topic))
        return True

    def send(
        self,
        now: Moment,
        name: str,
        message: object,
        *,
        invite: Json = None,
        welcome: Json = None,
        readers: Collection[str] | None = None,
    ) -> str:
        """Send a message to everybody on the channel who may have it; its id.

        With `readers` (or on a sealed channel, to all known members) only they can read it.
        """
        channel = self._joined(name)
        self._hand_in(now, channel, invite, welcome)
        value = normalised(message)
        self._check_writing(now, channel)
        if readers is not None or channel.name in self._state.settings.sealed_channels:
            value = self._sealed(now, channel, value, readers)
        shown = channel.invite.as_json() if invite is not None and channel.invite is not None else None
        return self._outgoing.post(now, channel.name, value, extra={"invite": shown} if shown else None)

    def open(
        self, now: Moment, name: str, *, via: str | None = None, invite: Json = None, welcome: Json = None
    ) -> str:
        """Ask peers on another channel (the entry channel) to open this one; the id of the request."""
        name, road = channel_name(name), self._joined(via or self._state.settings.entry_channel)
        known = self._state.channels.get(name)
        if welcome is None and known is not None and known.welcome is not None:
            welcome = known.welcome.as_json()
        given = Invite.read(invite) if invite is not None else None
        greeting = Welcome.read(welcome) if welcome is not None else None
        if given is None and self._admission.closed(name):
            raise Refused("invite", "The channel needs an invite for whoever is to open it.")
        if (
            greeting is None
            and policy.welcome_required(self._state.settings, name)
            and not (given and given.welcome)
        ):
            raise Refused("welcome", "The channel needs its owner's welcome.")
        # A key without a value would be hashed here and be missing there: only what exists is written.
        message: dict[str, Json] = {"control": "open_channel", "channel": name}
        if given is not None:
            message["invite"] = given.as_json()
        if greeting is not None:
            message["welcome"] = greeting.as_json()
        self._check_writing(now, road)
        return self._outgoing.post(now, road.name, message)

    def _joined(self, name: str) -> Channel:
        channel = self._state.channels.get(trimmed(name))
        if channel is None:
            raise Refused("not joined", "The channel is not joined.")
        return channel

    def _check_writing(self, now: Moment, channel: Channel) -> None:
        if not self._admission.admitted_here(channel.name, now):
            raise Refused("invite", "The channel needs an invite, and none that holds was given.")
        owned = policy.owner_writes_only(self._state.settings, channel.name)
        if owned and self._greeting.owner(channel.name) != self._state.self_key:
            raise Refused("owner", "Only the channel's owner writes here.")

    def _hand_in(self, now: Moment, channel: Channel, invite: Json, welcome: Json) -> None:
        if invite is not None:
            taken = self._admission.accept(channel, invite, now)
            if welcome is None and taken.welcome is not None:
                # The invite holds without it: the owner may have written another one since.
                with suppress(BadBlob):
                    self._greeting.accept(channel, taken.welcome)
        if welcome is not None:
            self._greeting.accept(channel, welcome)

    def _sealed(self, now: Moment, channel: Channel, message: Json, readers: Collection[str] | None) -> Json:
        if not self._admission.closed(channel.name):
            raise Refused("open channel", "Only messages on invite-only channels are sealed.")
        chosen = (
            self._admission.readers(channel, now)
            if readers is None
            else {member_key(reader) for reader in readers}
        )
        try:
            return seal(
                message,
                channel=channel.name,
                author=self._state.self_key,
                readers=chosen,
                random=self._state.random,
            )
        except (BadBlob, BadKey) as error:
            raise Refused("readers", str(error)) from error
