"""Whether a payload is taken: every check in the order of the original, around the limiter."""

from sidechannel.errors import BadJson
from sidechannel.hashcash import solved
from sidechannel.peer import policy
from sidechannel.peer.admission import Admission
from sidechannel.peer.channel import Channel
from sidechannel.peer.envelope import Envelope, read_envelope
from sidechannel.peer.greeting import Greeting
from sidechannel.peer.introducing import Introducing
from sidechannel.peer.links import Link
from sidechannel.peer.moment import Moment
from sidechannel.peer.outputs import Drop
from sidechannel.peer.seen import claimed_as, known_as
from sidechannel.peer.state import PeerState

# These prove themselves by the blobs they carry: they pass where only the owner writes, and need no welcome.
_SELF_PROVING = frozenset({"auth", "welcome", "revoke", "members"})


class Dropped(Exception):
    """The payload is not taken."""

    def __init__(self, reason: Drop) -> None:
        super().__init__(reason)
        self.reason = reason


class Checking:
    """Raises Dropped with the reason of the first check that fails."""

    def __init__(
        self, state: PeerState, admission: Admission, greeting: Greeting, introducing: Introducing
    ) -> None:
        self._state = state
        self._admission = admission
        self._greeting = greeting
        self._introducing = introducing

    def entered(self, now: Moment, link: Link, name: str, data: bytes) -> tuple[Channel, Envelope]:
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

    def fresh(self, now: Moment, channel: Channel, envelope: Envelope) -> bool:
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
