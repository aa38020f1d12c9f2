"""Takes messages to the terminals of their recipients: asks, counts, looks, types."""

import asyncio
from collections.abc import Sequence

import structlog

from intermute.agents.contacting import Contacting
from intermute.errors import TooLarge, Unavailable
from intermute.events.event import WINDOW_POKE, NewEvent
from intermute.events.journal import Journal
from intermute.limits import LiveRules
from intermute.live.envelope import wrap
from intermute.live.pokes import Pokes, Waiting
from intermute.live.rates import Rates
from intermute.live.seats import Seat, Seats
from intermute.live.tmux import NotTyped, Tmux
from intermute.messages.letter import LIVE, Letter
from intermute.messages.live import Attempt
from storage.database import Connection
from storage.errors import DatabaseUnavailable

log = structlog.get_logger()

LONGEST = 32_768  #: characters of a message that is typed
MOST = 10  #: terminals of one message

INJECTED = "injected"
DEFERRED = "deferred"
FAILED = "failed"


class Terminals:
    """The live delivery of messages."""

    def __init__(
        self,
        journal: Journal,
        rules: LiveRules,
        contacting: Contacting,
        rates: Rates,
        seats: Seats,
        pokes: Pokes,
        tmux: Tmux,
    ) -> None:
        self._journal = journal
        self._rules = rules
        self._contacting = contacting
        self._rates = rates
        self._seats = seats
        self._pokes = pokes
        self._tmux = tmux
        self.typed = 0  #: times
        self.missed = 0  #: times it could not be

    @property
    def enabled(self) -> bool:
        return self._rules.enabled

    async def attempt(self, letter: Letter, *, window: str) -> Attempt:
        """Raises TooLarge, LimitReached, and for the transport `live` Unavailable."""
        only = letter.transport == LIVE
        agents = list(dict.fromkeys(letter.to))
        if only and (len(letter.body) > LONGEST or len(agents) > MOST):
            raise TooLarge(f"A terminal takes {LONGEST} characters, and a message {MOST} terminals.")
        denied = frozenset(
            await self._contacting.denied_live(letter.project, letter.sender, agents, letter.thread_id)
        )
        going = [agent for agent in agents if agent not in denied]
        if not going:
            return Attempt(denied=denied, delivery={})
        if len(letter.body) > LONGEST or len(going) > MOST:
            return Attempt(denied=denied, delivery=dict.fromkeys(going, DEFERRED))
        await self._journal.ensure_project(letter.project)
        await self._rates.take(letter.project, letter.sender, going)
        seats = await self._seats.of(letter.project, going, window)
        if only:
            _refuse_busy(seats)
        typed = await self._type_all(letter, [seat for seat in seats if seat.ready])
        if only:
            await self._tell_live(letter, typed)
        missed = FAILED if only else DEFERRED
        delivery = {agent: INJECTED if agent in typed else missed for agent in going}
        return Attempt(denied=denied, delivery=delivery)

    async def keep(self, conn: Connection, letter: Letter, attempt: Attempt) -> Sequence[NewEvent]:
        """What waits for a terminal, and what is told of it."""
        deferred = [agent for agent, how in attempt.delivery.items() if how == DEFERRED]
        if deferred:
            waiting = Waiting(
                project=letter.project,
                message_id=letter.id,
                sender=letter.sender,
                thread_id=letter.thread_id,
                body=letter.body,
            )
            await self._pokes.stage(conn, waiting, deferred)
        return [_poke(letter, agent, how) for agent, how in attempt.delivery.items()]

    async def _type_all(self, letter: Letter, seats: Sequence[Seat]) -> Sequence[str]:
        """Those it was typed to. Side by side, so that one slow terminal does not use up the others' time."""
        async with asyncio.TaskGroup() as tasks:
            typing = [(seat.agent, tasks.create_task(self._type(letter, seat))) for seat in seats]
        return [agent for agent, done in typing if done.result()]

    async def _type(self, letter: Letter, seat: Seat) -> bool:
        try:
            await self._tmux.type(seat.target, wrap(letter.sender, letter.thread_id, letter.body))
        except NotTyped as reason:
            log.warning("live.not_typed", agent=seat.agent, message=letter.id, reason=str(reason))
            self.missed += 1
            return False
        self.typed += 1
        log.info("live.typed", agent=seat.agent, message=letter.id)
        return True

    async def _tell_live(self, letter: Letter, typed: Sequence[str]) -> None:
        """Nothing is kept of a message that is only typed, but that it was. Raises Unavailable."""
        if not typed:
            raise Unavailable(
                "The message could not be typed into the terminal.",
                code="delivery_failed",
                details={"delivery": FAILED},
            )
        try:
            async with self._journal.writing() as entry:
                await entry.tell([_poke(letter, agent, INJECTED) for agent in typed])
        except DatabaseUnavailable:  # it was typed: to say otherwise would have it typed again
            log.warning("live.not_told", message=letter.id)


def _refuse_busy(seats: Sequence[Seat]) -> None:
    """Nothing is typed at all where somebody cannot take it. Raises Unavailable."""
    for seat in seats:
        if not seat.ready:
            raise Unavailable(
                f"{seat.agent} is not at a prompt where a message could be typed.",
                code="recipient_busy",
                retry_after=2,
                details={"agent": seat.agent, "focus_state": seat.focus},
            )


def _poke(letter: Letter, agent: str, how: str) -> NewEvent:
    return NewEvent(
        project=letter.project,
        type=WINDOW_POKE,
        data={"message_id": letter.id, "from": letter.sender, "delivery": how},
        audience=[agent],
    )
