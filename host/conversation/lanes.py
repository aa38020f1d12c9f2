"""Lanes: every conversation in order, conversations side by side; the table of messages is the truth."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress

import structlog

from container.broker.port import TroubleKind
from container.sandbox import AgentDied, AgentEnded, ContainerError
from host.conversation.busy_signs import BusySigns
from host.conversation.cut_off import (
    Cause,
    CutOff,
    Verdict,
    Written,
    farewell,
    farewell_for_agent,
    judge,
    what_was_done,
)
from host.conversation.endings import Endings
from host.conversation.handover import Handover
from host.conversation.means import Means
from host.conversation.messages_store import HostWord
from host.conversation.sentences import DIED, cut_off, cut_off_for_agent
from host.conversation.session import Session
from host.conversation.sessions import Sessions
from host.conversation.talk import Silent, Talk
from host.conversation.turns import Asked, Turn, TurnState, Waiting
from host.conversation.warmth import Warmth
from host.outgoing.outbox import PostKind
from host.people.registry import Group, Registry
from host.workers import Workers
from storage.database import Connection
from storage.errors import StorageError
from storage.ids import NewId

log = structlog.get_logger()

POLL_EVERY = 5.0
RESET_PATIENCE = 10.0  #: seconds a reset waits for the turn it ends
_LANES_AT_ONCE = 1000


class Lanes:
    """Gives every waiting message to its agent, once, and every turn an end that its chat learns of."""

    def __init__(
        self,
        *,
        means: Means,
        registry: Registry,
        sessions: Sessions,
        warmth: Warmth,
        signs: BusySigns,
        written: Written,
        new_id: NewId,
    ) -> None:
        self._means = means
        self._registry = registry
        self._sessions = sessions
        self._warmth = warmth
        self._signs = signs
        self._handover = Handover(means=means, registry=registry, sessions=sessions)
        self._endings = Endings(means, new_id)
        self._written = written
        self._workers = Workers(self._work, name="lane", at_once=_LANES_AT_ONCE)
        self._cut_off: dict[str, CutOff] = {}
        self._talks: dict[str, Talk] = {}
        self._held: Counter[str] = Counter()  #: lanes in which no turn may begin at the moment
        self._unsure: set[str] = set()  #: lanes whose last beginning may or may not have been committed
        self._news: set[str] = set()  #: lanes woken since their turn began
        self._quiet = asyncio.Event()
        self._quiet.set()
        self._draining = False

    @property
    def talking(self) -> frozenset[str]:
        """Lanes with a running turn."""
        return frozenset(self._talks)

    def wake(self, lane: str) -> None:
        """There is something to read in the lane; to be called after its commit."""
        self._news.add(lane)
        if lane in self._talks:
            self._talks[lane].nudge()
        self._workers.wake(lane)

    def expect(self, lane: str) -> None:
        """Somebody talks in the lane without asking anything yet."""
        self._warmth.expect(lane)

    async def tell_agent(self, conn: Connection, word: HostWord) -> None:
        """Let the agent know something (the outcome of an approval) and answer; then `wake(lane)`.

        A quiet one asks for no answer: the agent reads it with the next message that does.
        """
        await self._endings.tell_agent(conn, word)

    async def taint(self, turn: Turn) -> None:
        """Count a running turn as tainted from now on: its agent is about to read words of others."""
        talk = self._talks.get(turn.lane)
        if talk is not None and talk.turn.id == turn.id:
            talk.taint()
        await self._means.turns.taint(turn)

    @property
    def living(self) -> frozenset[str]:
        """Lanes whose agent runs or is frozen."""
        return frozenset(self._sessions.live)

    async def idle(self) -> None:
        """Return when no lane is worked on."""
        await self._workers.idle()

    async def stop_turn(self, lane: str) -> bool:
        """End the lane's running turn early; False when none runs."""
        talk = self._talks.get(lane)
        if talk is None:
            return False
        await talk.stop()
        return True

    async def reset(self, lane: str, group: Group) -> str:
        """End the lane's agent and begin a new conversation; the name of the old one's archive, if any."""
        async with self._hold(lane):
            return await self._means.continuity.begin_anew(lane, group)

    @asynccontextmanager
    async def switching(self, folder: str) -> AsyncIterator[None]:
        """The group is given another model inside; its agents are asked first what the next must know."""
        lanes = self._handover.announce(folder)
        try:
            yield
        finally:
            for lane in lanes:
                self._workers.wake(lane)

    async def run(self) -> None:
        """Work until cancelled, beginning with the turns an earlier run left."""
        for turn in await self._means.turns.running():
            self._cut_off[turn.lane] = CutOff(turn=turn, cause=Cause.RESTART)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._sessions.run())
            tasks.create_task(self._warmth.run())
            tasks.create_task(self._signs.run())
            tasks.create_task(self._workers.run())
            while True:
                await self._look()
                await self._means.clock.sleep(POLL_EVERY)

    async def drain(self, grace: float) -> None:
        """Begin no turn, give running ones the grace, leave the rest to the next start, end all agents."""
        self._draining = True
        try:
            async with asyncio.timeout(grace):
                await self._quiet.wait()
        except TimeoutError:
            log.info("lanes.left", lanes=sorted(self._talks))
        await self._workers.stop()
        await self._sessions.close()

    async def _look(self) -> None:
        try:
            lanes = await self._means.turns.waiting_lanes()
        except StorageError as error:
            log.warning("lanes.database", reason=str(error))
            return
        for lane in [*self._unsure, *self._cut_off, *lanes]:
            if lane not in self._workers.active:
                self._workers.wake(lane)

    async def _work(self, lane: str) -> None:
        while not self._draining and not self._held[lane]:
            await self._handover.part(lane)
            await self._make_sure(lane)
            left = self._cut_off.get(lane)
            if left is not None:
                await self._resume(left)
                continue
            waiting = await self._means.turns.waiting(lane)
            group = None if waiting is None else self._registry.group(waiting.folder)
            if waiting is None or group is None:
                return
            await self._answer(lane, group, waiting)

    async def _make_sure(self, lane: str) -> None:
        """Look whether a beginning whose commit nobody confirmed took place."""
        if lane in self._unsure:
            for turn in await self._means.turns.running():
                if turn.lane == lane:
                    self._cut_off[lane] = CutOff(turn=turn, cause=Cause.RESTART)
            self._unsure.discard(lane)

    async def _answer(self, lane: str, group: Group, waiting: Waiting) -> None:
        """Begin a turn as soon as there is an agent for it, so that all that came meanwhile is in it."""
        async with AsyncExitStack() as stack:
            stack.enter_context(self._signs.shown(waiting.address))
            session, told = await self._handover.agent_for(
                stack, lane, group, address=waiting.address, slot=f"start:{waiting.first}"
            )
            if self._held[lane]:
                return
            self._news.discard(lane)
            try:
                begun = await self._means.turns.begin(lane, waiting, tainted=told.tainted)
            except StorageError:
                self._unsure.add(lane)
                raise
            if begun is None:
                return
            if session is None:
                await self._end(begun[0], TurnState.FAILED, error="the agent could not be started")
            else:
                await self._talk(session, *begun, told.text)

    @asynccontextmanager
    async def _hold(self, lane: str) -> AsyncIterator[None]:
        """End the lane's agent and turn, and let no other begin until leave."""
        self._held[lane] += 1
        try:
            talk = self._talks.get(lane)
            if talk is not None:
                talk.stop_quietly()
            await self._sessions.drop(lane)
            if talk is not None:
                with suppress(TimeoutError):
                    async with asyncio.timeout(RESET_PATIENCE):
                        await talk.over.wait()
            yield
        finally:
            self._held[lane] -= 1
            if not self._held[lane]:
                del self._held[lane]
            self._workers.wake(lane)

    async def _talk(self, session: Session, turn: Turn, asked: Asked, preface: str) -> None:
        """Run a turn. Whatever ends it otherwise than well leaves it among those that were cut off."""
        lane = turn.lane
        talk = self._talks[lane] = Talk(self._means, session, turn, asked, preface=preface)
        self._quiet.clear()
        started = self._means.clock.now()
        self._cut_off[lane] = CutOff(turn=turn, cause=Cause.RESTART)
        if lane in self._news:
            talk.nudge()
        try:
            await talk.run()
        except ContainerError as error:
            log.warning("turn.cut_off", lane=lane, turn=str(turn.id), reason=str(error))
            self._cut_off[lane] = CutOff(turn=talk.turn, cause=_cause(error), reason=str(error))
        except Exception:
            self._cut_off[lane] = CutOff(turn=talk.turn, cause=Cause.RESTART)
            await self._sessions.drop(lane)
            raise
        else:
            del self._cut_off[lane]
            await self._forget_refused(session, talk.turn)
            self._means.meter.observe("turn", (self._means.clock.now() - started).total_seconds())
        finally:
            del self._talks[lane]
            talk.over.set()
            if not self._talks:
                self._quiet.set()

    async def _forget_refused(self, session: Session, turn: Turn) -> None:
        """Begin a new session when the provider finds the old one's requests wrong: it would for ever.

        (A program that was stopped in the middle of a tool may keep a history nobody accepts any more.)
        The conversation goes on: the next session is told what was said.
        """
        trouble = self._means.trouble(turn)
        if trouble is not None and trouble.kind is TroubleKind.REFUSED:
            log.warning("session.refused", lane=turn.lane, runtime=session.runtime)
            await self._means.continuity.forget(session)
            await self._sessions.end(session)

    async def _resume(self, left: CutOff) -> None:
        """Bring a turn that was cut off to an end, by the rule."""
        group = self._registry.group(left.turn.folder)
        if group is None:
            await self._end(left.turn, TurnState.FAILED, error="the group was removed")
            return
        # From here on nothing the cut-off attempt still has under way can write: it is counted as over.
        turn = await self._means.turns.again(left.turn)
        if turn is None:  # it had ended after all
            del self._cut_off[left.turn.lane]
            return
        done = await what_was_done(turn, self._written, self._means.turns)
        verdict = judge(left, done)
        log.info("turn.resumed", turn=str(left.turn.id), cause=left.cause.value, verdict=verdict.value)
        match verdict:
            case Verdict.AGAIN:
                await self._again(turn, left.cause, group)
            case Verdict.ASK:
                await self._end(left.turn, TurnState.ASKED, cut_off(done, left.why), cut_off_for_agent(done))
            case Verdict.GIVE_UP:
                said, error = (farewell(left), farewell_for_agent(left)), left.reason or left.cause.value
                await self._end(left.turn, TurnState.FAILED, *said, error=error)

    async def _again(self, turn: Turn, cause: Cause, group: Group) -> None:
        if cause is Cause.DEATH:
            async with self._means.database.transaction() as conn:
                await self._endings.say(conn, turn, PostKind.NOTICE, DIED, f"died:{turn.id}")
            self._means.outbox.wake(turn.address)
        self._cut_off[turn.lane] = CutOff(turn=turn, cause=Cause.RESTART)
        async with AsyncExitStack() as stack:
            stack.enter_context(self._signs.shown(turn.address))
            session, told = await self._handover.agent_for(
                stack, turn.lane, group, address=turn.address, slot=f"start:{turn.id}", turn=turn.id
            )
            if self._held[turn.lane]:
                return
            if session is None:
                await self._end(turn, TurnState.FAILED, error="the agent could not be started")
                return
            self._news.discard(turn.lane)
            if told.tainted and not turn.tainted:
                turn = await self._means.turns.taint(turn)
            await self._talk(session, turn, await self._means.turns.asked(turn), told.text)

    async def _end(
        self, turn: Turn, state: TurnState, text: str = "", for_agent: str = "", *, error: str | None = None
    ) -> None:
        await self._endings.end(turn, state, text, for_agent, error=error)
        self._cut_off.pop(turn.lane, None)


def _cause(error: ContainerError) -> Cause:
    if isinstance(error, Silent):
        return Cause.SILENCE
    if isinstance(error, AgentEnded):
        return Cause.EXCESS
    return Cause.DEATH if isinstance(error, AgentDied) else Cause.REFUSAL
