"""The way of a payload that came in: the checks, then to whom it is meant, then to the other peers."""

from collections.abc import Mapping

from sidechannel.errors import BadBlob, BadKey
from sidechannel.peer.channel import Channel
from sidechannel.peer.checking import Checking, Dropped
from sidechannel.peer.controls import Controls
from sidechannel.peer.envelope import Envelope
from sidechannel.peer.links import Link
from sidechannel.peer.moment import Moment
from sidechannel.peer.outputs import Delivery, Drop
from sidechannel.peer.relaying import Relaying
from sidechannel.peer.state import PeerState
from sidechannel.sealing import CONTROL as SEALED
from sidechannel.sealing import unseal
from sidechannel.values.parsing import Json


class Receiving:
    """One payload at a time; what is dropped is counted by its reason."""

    def __init__(self, state: PeerState, checking: Checking, controls: Controls, relaying: Relaying) -> None:
        self._state = state
        self._checking = checking
        self._controls = controls
        self._relaying = relaying

    def receive(self, now: Moment, link: Link, name: str, data: bytes) -> None:
        """Take a payload, or count why not."""
        self._state.counts["received"] += 1
        if link.limiter.blocked(now.steady):
            return self._state.drop(Drop.BLOCKED)
        try:
            channel, envelope = self._checking.entered(now, link, name, data)
        except Dropped as dropped:
            link.limiter.waste(len(data), now.steady)
            return self._state.drop(dropped.reason)
        if not link.limiter.take(len(data), now.steady):
            return self._state.drop(Drop.TOO_FAST)
        try:
            verified = self._checking.fresh(now, channel, envelope)
        except Dropped as dropped:
            return self._state.drop(dropped.reason)
        return self._handle(now, link, channel, envelope, verified=verified)

    def _handle(
        self, now: Moment, link: Link, channel: Channel, envelope: Envelope, *, verified: bool
    ) -> None:
        control = envelope.control
        if control == "welcome":
            # Only the greeting: whatever else stands beside it was not written by the owner.
            shown = channel.welcome.as_json() if channel.welcome is not None else None
            self._deliver(link, envelope, {"control": control, "welcome": shown}, verified=verified)
        elif control != "auth" and self._passed_on(now, link, channel, envelope, verified=verified):
            self._relaying.relay(now, link, envelope)

    def _passed_on(
        self, now: Moment, link: Link, channel: Channel, envelope: Envelope, *, verified: bool
    ) -> bool:
        """Do what the message is for; whether others should have it too."""
        if envelope.control == "revoke":
            return self._controls.revoked(channel, envelope)
        if envelope.control == "members":
            return self._controls.introduced(now, channel, envelope)
        if envelope.control == "open_channel":
            self._controls.open_requested(now, envelope, verified=verified)
        elif envelope.control == SEALED:
            self._unsealed(link, envelope, verified=verified)
        else:
            self._deliver(link, envelope, envelope.message, verified=verified)
        return True

    def _unsealed(self, link: Link, envelope: Envelope, *, verified: bool) -> None:
        sealed = envelope.message
        try:
            message = unseal(
                sealed if isinstance(sealed, Mapping) else {},
                channel=envelope.channel,
                author=envelope.sender,
                identity=self._state.identity,
                max_bytes=self._state.settings.limits.max_bytes,
            )
        except BadKey:
            return self._state.drop(Drop.SEALED_TO_OTHERS)
        except BadBlob:
            return self._state.drop(Drop.SEALED_BROKEN)
        return self._deliver(link, envelope, message, verified=verified, sealed=True)

    def _deliver(
        self, link: Link, envelope: Envelope, message: Json, *, verified: bool, sealed: bool = False
    ) -> None:
        self._state.counts["delivered"] += 1
        self._state.emit(
            Delivery(
                connection=link.connection,
                remote=link.remote,
                channel=envelope.channel,
                id=envelope.id or "",
                sender=envelope.sender,
                origin=envelope.origin,
                message=message,
                ts=envelope.ts,
                ttl=envelope.ttl,
                sig=envelope.sig,
                relayed_by=envelope.relayed_by,
                verified=verified,
                sealed=sealed,
            )
        )
