"""The peer: tell it what happened, take from it what is to be done. It reads no clock and opens no socket."""

from sidechannel.errors import BadKey
from sidechannel.keys.identity import Identity, public_key
from sidechannel.names import RandomBytes
from sidechannel.peer.admission import Admission
from sidechannel.peer.checking import Checking
from sidechannel.peer.commands import Commands
from sidechannel.peer.controls import Controls
from sidechannel.peer.greeting import Greeting
from sidechannel.peer.introducing import Introducing
from sidechannel.peer.issuing import Issuing
from sidechannel.peer.links import Link
from sidechannel.peer.moment import Moment
from sidechannel.peer.outgoing import Outgoing
from sidechannel.peer.outputs import CloseChannel, CloseConnection, Drop, Output
from sidechannel.peer.receiving import Receiving
from sidechannel.peer.relaying import Relaying
from sidechannel.peer.settings import PeerSettings
from sidechannel.peer.state import PeerState


class Peer:
    """After every input and command take `outputs()`; call `tick` at `wake_at`."""

    def __init__(self, identity: Identity, settings: PeerSettings, random: RandomBytes) -> None:
        self._state = PeerState(identity, settings, random)
        admission, greeting = Admission(self._state), Greeting(self._state)
        self._outgoing = Outgoing(self._state, admission)
        self._introducing = Introducing(self._state, admission, greeting, self._outgoing)
        self.commands = Commands(self._state, admission, greeting, self._outgoing, self._introducing)
        self.issuing = Issuing(self._state, admission, greeting, self._outgoing, self._introducing)
        controls = Controls(self._state, admission, greeting, self.commands.join)
        relaying = Relaying(self._state, admission, self._outgoing)
        checking = Checking(self._state, admission, greeting, self._introducing)
        self._receiving = Receiving(self._state, checking, controls, relaying)

    @property
    def public_key(self) -> str:
        return self._state.self_key

    @property
    def channels(self) -> list[str]:
        """The names of the joined channels."""
        return list(self._state.channels)

    def outputs(self) -> list[Output]:
        """What is to be done, in order; each is told once."""
        taken = list(self._state.outputs)
        self._state.outputs.clear()
        return taken

    def connection_opened(self, now: Moment, connection: int, remote: str) -> None:
        """The transport proved who is at the other end; the number is never used again for another one."""
        try:
            key = public_key(remote)
        except BadKey:
            key = ""
        if not key or len(self._state.links) >= self._state.settings.limits.connections:
            self._state.drop(Drop.TOO_MANY)
            self._state.emit(CloseConnection(connection))
            return
        self._state.links[connection] = Link.opened(connection, key, self._state.settings, now)

    def connection_closed(self, connection: int) -> None:
        self._state.links.pop(connection, None)

    def channel_opened(self, now: Moment, connection: int, channel: str) -> None:
        """Both ends opened the channel on the connection."""
        link, joined = self._state.links.get(connection), self._state.channels.get(channel)
        if link is None:
            return
        if joined is None:
            self._state.drop(Drop.NOT_OPEN)
            self._state.emit(CloseChannel(connection, channel))
            return
        if channel not in link.channels:
            link.channels.add(channel)
            self._introducing.opened(now, link, joined)

    def channel_closed(self, connection: int, channel: str) -> None:
        link = self._state.links.get(connection)
        if link is not None:
            link.close(channel)

    def payload_received(self, now: Moment, connection: int, channel: str, data: bytes) -> None:
        """JSON text came on an open channel."""
        link = self._state.links.get(connection)
        if link is None:
            self._state.drop(Drop.NOT_OPEN)
            return
        self._receiving.receive(now, link, channel, data)

    def mined(self, now: Moment, ticket: int, nonce: int | None) -> None:
        """The answer to `Mine`; None where it was given up."""
        self._outgoing.mined(ticket, nonce, now)

    def tick(self, now: Moment) -> None:
        """Let go what waited for its time."""
        for link in self._state.links.values():
            self._outgoing.flush(link, now)

    def wake_at(self, now: Moment) -> int | None:
        """The steady time of the next tick that is needed; None: none."""
        times = (link.pacer.next_at(now.steady) for link in self._state.links.values())
        return min((at for at in times if at is not None), default=None)

    def stats(self) -> dict[str, int | dict[str, int]]:
        """Numbers for people and tests."""
        links = self._state.links.values()
        return {
            "channels": len(self._state.channels),
            "connections": len(links),
            "seen": len(self._state.seen),
            "working": self._outgoing.working,
            "queued": sum(len(link.pacer) for link in links),
            "queuedBytes": sum(link.pacer.queued_bytes for link in links),
            **{name: self._state.counts[name] for name in ("received", "delivered", "sent", "relayed")},
            "drops": {str(reason): count for reason, count in sorted(self._state.drops.items())},
        }
