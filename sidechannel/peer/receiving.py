"""The way of a payload that came in: every check in the order of the original, then to whom it is meant."""

from collections.abc import Mapping

from sidechannel.errors import BadBlob, BadJson, BadKey
from sidechannel.hashcash import solved
from sidechannel.peer import policy
from sidechannel.peer.admission import Admission
from sidechannel.peer.channel import Channel
from sidechannel.peer.controls import Controls
from sidechannel.peer.envelope import Envelope, read_envelope
from sidechannel.peer.greeting import Greeting
from sidechannel.peer.introducing import Introducing
from sidechannel.peer.links import Link
from sidechannel.peer.moment import Moment
from sidechannel.peer.outputs import Delivery, Drop
from sidechannel.peer.relaying import Relaying
from sidechannel.peer.seen import claimed_as, known_as
from sidechannel.peer.state import PeerState
from sidechannel.sealing import CONTROL as SEALED
from sidechannel.sealing import unseal
from sidechannel.values.parsing import Json

# These prove themselves by the blobs they carry: they pass where only the owner writes, and need no welcome.
_SELF_PROVING = frozenset({"auth", "welcome", "revoke", "members"})


class Dropped(Exception):
    """The payload is not taken."""

    def __init__(self, reason: Drop) -> None:
        super().__init__(reason)
        self.reason = reason


class Receiving:
    """One payload at a time; what is dropped is counted by its reason."""

    def __init__(
        self,
        state: PeerState,
        admission: Admission,
        greeting: Greeting,
        introducing: Introducing,
        controls: Controls,
        relaying: Relaying,
    ) -> None:
        self._state = state
        self._admission = admission
        self._greeting = greeting
        self._introducing = introducing
        self._controls = controls
        self._relaying = relaying

    def receive(self, now: Moment, link: Link, name: str, data: bytes) -> None:
        """Take a payload, or count why not."""
        self._state.counts["received"] += 1
        if link.limiter.blocked(now.steady):
            return self._state.drop(Drop.BLOCKED)
        try:
            channel, envelope = self._entered(now, link, name, data)
        except Dropped as dropped:
            link.limiter.waste(len(data), now.steady)
            return self._state.drop(dropped.reason)
        if not link.limiter.take(len(data), now.steady):
            return self._state.drop(Drop.TOO_FAST)
        try:
            verified = self._fresh(now, channel, envelope)
        except Dropped as dropped:
            return self._state.drop(dropped.reason)
        return self._handle(now, link, channel, envelope, verified=verified)

    def _entered(self, now: Moment, link: Link, name: str, data: bytes) -> tuple[Channel, Envelope]:
        """The checks before the limiter: what does not pass them is waste."""
        channel = self._state.channels.get(name)
        if channel is None or name not in link.channels:
            raise Dropped(Drop.NOT_OPEN)
        limit = self._state.settings.limits.max_bytes
        if len(data) > limit:
            raise Dropped(Drop.TOO_LARGE)
        try:
            envelope = read_envelope(data, name, max_bytes=limit)
        except BadJson as error:
            raise Dropped(Drop.MALFORMED) from error
        self._check_invite(now, link, channel, envelope)
        bits = policy.work_bits(self._state.settings, name)
        if bits and not solved(envelope.puzzle(bits), envelope.work):
            raise Dropped(Drop.NO_WORK)
        return channel, envelope

    def _check_invite(self, now: Moment, link: Link, channel: Channel, envelope: Envelope) -> None:
        if not self._admission.closed(channel.name):
            return
        if not self._admission.admitted_here(channel.name, now):
            raise Dropped(Drop.NOT_ADMITTED_HERE)
        shown = envelope.raw.get("invite")
        if shown is None and envelope.control == "auth":
            shown = envelope.inside("invite")
        if shown is not None:
            if self._admission.introduce(channel, shown, now):
                self._introducing.announce(now, channel, shown)
            if self._admission.present(link, channel, shown, now):
                self._introducing.admitted(now, link, channel)
        if not self._admission.admitted(link, channel.name, now):
            raise Dropped(Drop.NOT_INVITED)

    def _fresh(self, now: Moment, channel: Channel, envelope: Envelope) -> bool:
        """The checks behind the limiter: owner, duplicates, welcome. Whether the sender proved itself."""
        owned = (
            policy.owner_writes_only(self._state.settings, channel.name)
            and envelope.control not in _SELF_PROVING
        )
        if owned and (envelope.sender != self._greeting.owner(channel.name) or not envelope.verified):
            raise Dropped(Drop.NOT_OWNER)
        if envelope.sender == self._state.self_key:
            raise Dropped(Drop.DUPLICATE)
        identifier = envelope.id or f"{envelope.sender}:{envelope.ts}:{channel.name}"
        key = known_as(envelope.sender, identifier)
        if self._state.seen.has(key, now.steady):
            raise Dropped(Drop.DUPLICATE)
        verified = owned or envelope.verified
        if not verified:
            key = claimed_as(identifier)
            if self._state.seen.has(key, now.steady):
                raise Dropped(Drop.DUPLICATE)
            if self._state.settings.drop_unverified:
                raise Dropped(Drop.UNVERIFIED)
        self._check_welcome(channel, envelope)
        self._state.seen.add(key, now.steady)
        return verified

    def _check_welcome(self, channel: Channel, envelope: Envelope) -> None:
        welcome = self._greeting.take(channel, envelope)
        if envelope.control == "welcome" and welcome is None:
            raise Dropped(Drop.BAD_WELCOME)
        if self._greeting.missing(channel) and envelope.control not in _SELF_PROVING:
            raise Dropped(Drop.AWAITING_WELCOME)

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
