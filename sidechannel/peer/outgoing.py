"""What we send: built, signed, worked for, then queued on every connection whose other end may have it."""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass

from sidechannel.errors import Refused
from sidechannel.hashcash import Puzzle, solved
from sidechannel.names import message_id
from sidechannel.peer import policy
from sidechannel.peer.admission import Admission
from sidechannel.peer.envelope import TYPE, Envelope
from sidechannel.peer.links import Link
from sidechannel.peer.moment import Moment
from sidechannel.peer.outputs import Drop, Mine
from sidechannel.peer.seen import known_as
from sidechannel.peer.state import PeerState
from sidechannel.values.canonical import canonical, wire_bytes
from sidechannel.values.parsing import Json

# What a nonce adds to a payload, at most.
_WORK_BYTES = 64


@dataclass(slots=True, kw_only=True)
class _Draft:
    """A payload on its way out; `only` names the one connection it is for. Gated: only for those admitted."""

    channel: str
    raw: dict[str, Json]
    sig: str
    only: int | None
    gated: bool
    puzzle: Puzzle | None = None
    nonce: int | None = None
    ready: bool = True


class Outgoing:
    """Messages leave in the order they were posted, also when their work is done out of order."""

    def __init__(self, state: PeerState, admission: Admission) -> None:
        self._state = state
        self._admission = admission
        self._working: OrderedDict[int, _Draft] = OrderedDict()
        self._tickets = 0

    @property
    def working(self) -> int:
        return len(self._working)

    def post(
        self,
        now: Moment,
        channel: str,
        message: Json,
        *,
        only: Link | None = None,
        gated: bool = True,
        extra: Mapping[str, Json] | None = None,
    ) -> str:
        """Sign and send a message; its id. Raises Refused where it is too large or too much waits already."""
        envelope = self._signed(now, channel, message, dict(extra or {}))
        draft = _Draft(
            channel=channel,
            raw=dict(envelope.raw),
            sig=envelope.sig or "",
            only=only.connection if only is not None else None,
            gated=gated,
        )
        size = len(wire_bytes({**draft.raw, "sig": draft.sig})) + _WORK_BYTES
        self._check_size(size)
        if only is None:
            self._check_room(now, channel, size)
        bits = policy.work_bits(self._state.settings, channel)
        if bits:
            self._work(draft, envelope.puzzle(bits))
        else:
            self._dispatch(draft, now)
        self._state.seen.add(known_as(envelope.sender, str(envelope.id)), now.steady)
        return str(envelope.id)

    def mined(self, ticket: int, nonce: int | None, now: Moment) -> None:
        """The work for a message is done, or was given up (None): then the message is dropped."""
        draft = self._working.get(ticket)
        if draft is None or draft.puzzle is None:
            return
        draft.ready, draft.nonce = True, nonce if solved(draft.puzzle, nonce) else None
        while self._working and next(iter(self._working.values())).ready:
            _, first = self._working.popitem(last=False)
            if first.puzzle is None or first.nonce is None:
                self._state.drop(Drop.NOT_SENT)
                continue
            first.raw["pow"] = {"nonce": first.nonce, "difficulty": first.puzzle.bits}
            self._dispatch(first, now)

    def queue(self, link: Link, channel: str, data: bytes, now: Moment, *, gated: bool = True) -> None:
        """Queue a payload on one connection, and let go what may go."""
        if not link.pacer.put(channel, data, gated=gated):
            self._state.drop(Drop.QUEUE_FULL)
        self.flush(link, now)

    def flush(self, link: Link, now: Moment) -> None:
        """Send what may go now; what waited is judged again, because an invite may have ended meanwhile."""
        for channel, data, gated in link.pacer.ready(now.steady):
            if channel not in link.channels or (gated and not self._admission.admitted(link, channel, now)):
                self._state.drop(Drop.NOT_SENT)
                continue
            link.pacer.sent(len(data), now.steady)
            self._state.send(link, channel, data)

    def _signed(self, now: Moment, channel: str, message: Json, extra: dict[str, Json]) -> Envelope:
        me = self._state.self_key
        identifier = message_id(me, now.wall, self._state.random)
        raw: dict[str, Json] = {
            "type": TYPE,
            "id": identifier,
            "channel": channel,
            "from": me,
            "origin": me,
            "message": message,
            "ts": now.wall,
            "ttl": self._state.settings.relay_ttl,
            **extra,
        }
        envelope = Envelope(
            raw=raw,
            id=identifier,
            channel=channel,
            sender=me,
            origin=me,
            message=message,
            body=canonical(message),
            ts=now.wall,
            ttl=self._state.settings.relay_ttl,
            sig=None,
            relayed_by=None,
        )
        return envelope.with_signature(self._state.identity.sign(envelope.signed_bytes()))

    def _check_size(self, size: int) -> None:
        settings = self._state.settings
        if size > settings.limits.max_bytes:
            raise Refused("too large", f"A message has at most {settings.limits.max_bytes} bytes.")
        if settings.pacing.rate > 0 and size > settings.pacing.receiver_burst:
            raise Refused(
                "too large", f"No receiver takes more than {settings.pacing.receiver_burst} bytes at once."
            )

    def _check_room(self, now: Moment, channel: str, size: int) -> None:
        links = [
            link for link in self._state.open_links(channel) if self._admission.admitted(link, channel, now)
        ]
        if links and not any(link.pacer.fits(size) for link in links):
            raise Refused("busy", "Too many messages wait to be sent; try again later.")

    def _work(self, draft: _Draft, puzzle: Puzzle) -> None:
        if len(self._working) >= self._state.settings.limits.waiting_for_work:
            raise Refused("busy", "Too many messages wait for their proof of work; try again later.")
        self._tickets += 1
        draft.puzzle, draft.ready = puzzle, False
        self._working[self._tickets] = draft
        self._state.emit(Mine(self._tickets, puzzle))

    def _dispatch(self, draft: _Draft, now: Moment) -> None:
        data = wire_bytes({**draft.raw, "sig": draft.sig})
        for link in self._state.open_links(draft.channel):
            if draft.only not in (None, link.connection):
                continue
            if not draft.gated or self._admission.admitted(link, draft.channel, now):
                self.queue(link, draft.channel, data, now, gated=draft.gated)
