"""Passing on what others sent, one step less each time, to everybody else who may have it."""

from sidechannel.peer.admission import Admission
from sidechannel.peer.envelope import Envelope
from sidechannel.peer.links import Link
from sidechannel.peer.moment import Moment
from sidechannel.peer.outgoing import Outgoing
from sidechannel.peer.state import PeerState
from sidechannel.values.canonical import wire_bytes

# A stranger's ttl is believed up to here.
LONGEST_WAY = 16


class Relaying:
    """Neither the signature nor the proof of work covers ttl and relayedBy, so both still hold."""

    def __init__(self, state: PeerState, admission: Admission, outgoing: Outgoing) -> None:
        self._state = state
        self._admission = admission
        self._outgoing = outgoing

    def relay(self, now: Moment, source: Link, envelope: Envelope) -> None:
        """Send the payload on, except back to where it came from and to whom it is of."""
        if not self._state.settings.relay or envelope.ttl <= 0:
            return
        targets = [
            link
            for link in self._state.open_links(envelope.channel)
            if self._fits(now, source, link, envelope)
        ]
        if not targets:
            return
        ttl = min(envelope.ttl, LONGEST_WAY) - 1
        data = wire_bytes({**envelope.raw, "ttl": ttl, "relayedBy": self._state.self_key})
        if len(data) > self._state.settings.limits.max_bytes:
            return
        for link in targets:
            self._state.counts["relayed"] += 1
            self._outgoing.queue(link, envelope.channel, data, now)

    def _fits(self, now: Moment, source: Link, link: Link, envelope: Envelope) -> bool:
        if link is source or link.remote in (source.remote, envelope.sender):
            return False
        return self._admission.admitted(link, envelope.channel, now)
