"""Everything a listener gets: what it missed, from the log, and then what happens, as it happens.

A listener joins the hub first and is then given the log up to that place: nothing is lost between the two and
nothing is told twice.
"""

from collections.abc import AsyncGenerator

from intermute.events.event import PRUNED, Event
from intermute.events.frames import Frame
from intermute.events.history import History
from intermute.events.hub import Hub
from intermute.events.journal import Journal
from intermute.events.listener import Listener
from intermute.events.tail import Tail
from storage.clock import Clock
from storage.database import Database
from storage.wakeups import Wakeups


class Feed:
    """One for a process. `begin` it before listeners are let in, and keep `run` running."""

    def __init__(self, db: Database, journal: Journal, wakeups: Wakeups, clock: Clock) -> None:
        self._clock = clock
        self.history = History(db)
        self.hub = Hub()
        self.tail = Tail(
            self.history, wakeups, clock, heard=self.hub.tell, turned_back=self.hub.let_everybody_go
        )
        journal.subscribe(self.tail.committed)

    async def begin(self) -> None:
        """Find the end of the log. May raise DatabaseUnavailable."""
        await self.tail.begin()

    async def run(self) -> None:
        """Follow the log, until cancelled."""
        await self.tail.run()

    async def present(self) -> int:
        """The cursor of a listener that wants to miss nothing from now on."""
        await self.begin()
        return self.tail.position

    async def missed(self, listener: Listener, since: int) -> AsyncGenerator[Frame, None]:
        """Join, and give what lies behind the cursor. The listener is live once this has come to its end."""
        if since > await self.present():
            # Another process may be ahead of us; a cursor that nobody has given out means the present.
            since = min(since, await self.history.head())
        present = max(since, self.tail.position)
        self.hub.join(listener, present)
        if since < present and (gap := await self._pruned(listener, since)) is not None:
            yield gap
        while True:
            async for frame in self._replay(listener, since, present):
                yield frame
            if listener.go_live():
                return
            # More happened meanwhile than waits for a listener: read that as well, and wait from here on.
            since, present = present, max(present, self.tail.position)
            listener.after = present

    async def _replay(self, listener: Listener, since: int, through: int) -> AsyncGenerator[Frame, None]:
        while since < through and not listener.gone:
            stretch = await self.history.stretch(
                listener.project,
                after=since,
                through=through,
                agent=listener.agent,
                types=listener.interest.only,
            )
            for event in stretch.events:
                if event.type in listener.interest:
                    yield Frame(event)
            since = stretch.through

    async def _pruned(self, listener: Listener, since: int) -> Frame | None:
        """A frame that says so where the log begins behind the cursor: there may have been more."""
        first = await self.history.oldest() or self.tail.position + 1
        if since + 1 >= first:
            return None
        now = self._clock.now()
        return Frame(
            Event(cursor=first - 1, project=listener.project, type=PRUNED, audience=None, data={}, at=now)
        )
