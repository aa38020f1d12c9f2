"""Tells every listener of this process what happened, without ever keeping a sender waiting.

Events are taken in at once and told in turns of the loop of their own. Whatever came in meanwhile goes to a
listener in one piece, so the more happens the cheaper each event becomes.
"""

import asyncio
from collections import deque
from collections.abc import Iterator, Sequence

import structlog

from intermute.events.event import Event
from intermute.events.frames import Frame
from intermute.events.listener import Listener

log = structlog.get_logger()

BATCH = 128  #: events told together
TURN = 64  #: listeners served before the loop may do something else
MOST = 20_000  #: events that wait to be told

#: who is due, its `after` at that moment, and what it is to hear
_Turn = tuple[Listener, int, list[bytes]]


class Hub:
    """Needs a running loop once somebody listens."""

    def __init__(self) -> None:
        self._listeners: dict[str, dict[str, set[Listener]]] = {}
        self._events: deque[Event] = deque()
        self._turns: Iterator[_Turn] = iter(())
        self._scheduled = False
        self.told = 0  #: events sent to listeners, counted once for each
        self.let_go = 0  #: listeners that were too slow

    def join(self, listener: Listener, after: int) -> None:
        """Hear what is told from now on and lies behind the cursor."""
        listener.after = after
        self._listeners.setdefault(listener.project, {}).setdefault(listener.agent, set()).add(listener)

    def leave(self, listener: Listener) -> None:
        agents = self._listeners.get(listener.project, {})
        listening = agents.get(listener.agent, set())
        listening.discard(listener)
        listener.gone = True
        if not listening:
            agents.pop(listener.agent, None)
        if not agents:
            self._listeners.pop(listener.project, None)

    def tell(self, events: Sequence[Event]) -> None:
        """Events in the order of their cursors."""
        self._events += [event for event in events if event.project in self._listeners]
        if len(self._events) > MOST:
            log.error("events.too_many", waiting=len(self._events))
            self.let_everybody_go()
        if self._events:
            self._schedule()

    def let_everybody_go(self) -> None:
        """They come back with their cursors."""
        self._events.clear()
        agents = [listeners for agents in self._listeners.values() for listeners in agents.values()]
        for listener in [listener for listeners in agents for listener in listeners]:
            listener.let_go()
            self._lost(listener)

    def _schedule(self) -> None:
        if not self._scheduled:
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self._turn)

    def _turn(self) -> None:
        self._scheduled = False
        for _ in range(TURN):
            due = next(self._turns, None)
            if due is None:
                if not self._events:
                    return
                self._turns = iter(self._gathered())
                continue
            self._serve(*due)
        self._schedule()

    def _serve(self, listener: Listener, after: int, pieces: list[bytes]) -> None:
        # A listener that has moved on since reads all of this from the log.
        if listener.gone or listener.after != after:
            return
        listener.take(pieces)
        self.told += len(pieces)
        if listener.gone:
            self._lost(listener)

    def _lost(self, listener: Listener) -> None:
        self.let_go += 1
        self.leave(listener)

    def _gathered(self) -> list["_Turn"]:
        due: dict[Listener, list[bytes]] = {}
        for _ in range(min(BATCH, len(self._events))):
            event = self._events.popleft()
            try:
                self._give(event, due)
            except Exception:  # one event that has no JSON must not silence the others
                log.exception("events.not_told", type=event.type, cursor=event.cursor)
        return [(listener, listener.after, pieces) for listener, pieces in due.items()]

    def _give(self, event: Event, due: dict[Listener, list[bytes]]) -> None:
        frame = Frame(event)
        made: dict[tuple[type[Listener], str], bytes] = {}
        for listener in self._hearing(event):
            if event.cursor <= listener.after or event.type not in listener.interest:
                continue
            # Where everybody is meant nobody is named, and all of a kind get the same bytes.
            key = (type(listener), listener.agent if event.audience is not None else "")
            piece = made.get(key)
            if piece is None:
                piece = made[key] = listener.form(frame)
            due.setdefault(listener, []).append(piece)

    def _hearing(self, event: Event) -> Iterator[Listener]:
        agents = self._listeners.get(event.project, {})
        if event.audience is None:
            for listeners in agents.values():
                yield from listeners
            return
        for agent in dict.fromkeys((*event.audience, "")):
            yield from agents.get(agent, ())
