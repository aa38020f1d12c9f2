"""One running turn: prompts the agent, pipes follow-ups in, shows the answer growing, ends the turn."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog

from bridges.messages import Content, Markup
from container.agent import Permission, PermissionRequest
from container.sandbox import AgentRefused, ContainerError
from host.conversation.prompted import Prompted
from host.conversation.prompting import render
from host.conversation.session import Session
from host.conversation.turns import Asked, Turn, Turns, TurnState, answer_slot
from host.meter import Meter
from host.outgoing.outbox import Outbox, PostKind
from storage.clock import Clock
from storage.database import Connection, Database
from storage.errors import StorageError

log = structlog.get_logger()

FIRST_PREVIEW = 1.0
PRIVATE_PACE = 1.0
GROUP_PACE = 3.0
#: seconds an agent may take to heed a cancel, and may be silent
CANCEL_PATIENCE = 10.0
SILENCE = 1800.0
_WATCH_EVERY = 5.0
_END_TRIES = 5

Permit = Callable[[Turn, PermissionRequest], Awaitable[Permission]]


class Silent(ContainerError):
    """The agent said and did nothing for too long and was ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What every turn needs."""

    database: Database
    turns: Turns
    outbox: Outbox
    permit: Permit
    clock: Clock
    meter: Meter


class Talk:
    """Runs one turn with a session."""

    def __init__(self, means: Means, session: Session, turn: Turn, asked: Asked) -> None:
        self._means = means
        self._session = session
        self._first = asked
        self._prompts: list[Prompted] = []
        self._stir = asyncio.Event()
        self._nudged = False
        self._stopped_after: float | None = None
        self._silent = False
        self._previewed = turn.attempt > 1
        self._tasks: asyncio.TaskGroup | None = None
        session.turn = turn
        self.turn = turn

    @property
    def stopped(self) -> bool:
        return self._stopped_after is not None

    def nudge(self) -> None:
        """There may be a message that should join."""
        self._nudged = True
        self._stir.set()

    async def stop(self) -> None:
        """End the turn early, with what has been said so far."""
        self.stop_quietly()
        try:
            await self._session.agent.cancel()
        except ContainerError as error:
            log.info("turn.cancel_failed", lane=self.turn.lane, reason=str(error))

    def stop_quietly(self) -> None:
        """Take the agent's end for the end of the turn, from now on."""
        if self._stopped_after is None:
            self._stopped_after = self._now()

    async def run(self) -> None:
        """Return when the turn has ended and its answers are in the outbox.

        Raises ContainerError when the agent died or refused: then the turn still stands as running.
        """
        failure: Exception | None = None
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            self._say(self._first)
            beside = [tasks.create_task(self._show_progress()), tasks.create_task(self._watch())]
            try:
                await self._follow()
            except Exception as error:  # noqa: BLE001 - raised again below, not wrapped in a group
                failure = error
                await self._session.agent.close()
            for task in beside:
                task.cancel()
        if failure is not None:
            raise failure
        await self._end()

    def _say(self, asked: Asked) -> None:
        """Prompt the agent with some messages; several prompts may run side by side."""
        if self._tasks is None:
            raise RuntimeError("the turn does not run")
        prompted = Prompted(len(self._prompts), asked.ref, self._means.clock.now, self._ask_permission)
        self._prompts.append(prompted)
        self._tasks.create_task(self._prompt(prompted, render(asked.lines)), name=f"prompt {self.turn.id}")

    async def _prompt(self, prompted: Prompted, text: str) -> None:
        try:
            prompted.stop = await self._session.agent.prompt(text, prompted)
        except ContainerError as error:
            prompted.error = error
        except Exception:
            log.exception("turn.prompt_failed", lane=self.turn.lane)
            prompted.error = AgentRefused("a fault of this program; its log says which")
        finally:
            self._stir.set()

    async def _ask_permission(self, request: PermissionRequest) -> Permission:
        return await self._means.permit(self.turn, request)

    async def _follow(self) -> None:
        """Return when all prompts are done. The only place that decides, so nothing joins an ended turn."""
        while True:
            await self._stir.wait()
            self._stir.clear()
            if all(prompted.done for prompted in self._prompts):
                return
            await self._post_finished()
            if self._nudged and self._session.agent.takes_followups and not self.stopped:
                self._nudged = False
                await self._join()

    async def _join(self) -> None:
        joined = await self._means.turns.join(self.turn)
        if joined is not None:
            self.turn, asked = joined
            self._session.turn = self.turn
            self._means.meter.count("turns.joined")
            self._say(asked)

    async def _post_finished(self) -> None:
        """Post the answers that are ready while others are still being written, in the order of asking."""
        ready: list[Prompted] = []
        for prompted in self._prompts:
            if not prompted.done or prompted.error is not None:
                break
            if not prompted.posted:
                ready.append(prompted)
        if not ready:
            return
        async with self._means.database.transaction() as conn:
            for prompted in ready:
                await self._post(conn, prompted)
        self._means.outbox.wake(self.turn.address)
        for prompted in ready:
            prompted.posted = True

    async def _post(self, conn: Connection, prompted: Prompted) -> None:
        text = prompted.answer(stopped=self.stopped)
        if text:
            await self._put(conn, prompted, PostKind.ANSWER, text)

    async def _put(
        self, conn: Connection, prompted: Prompted, kind: PostKind, text: str, activity: str = ""
    ) -> None:
        turn = self.turn
        in_group = not turn.private and not turn.address.startswith("web:")
        await self._means.outbox.put(
            conn,
            address=turn.address,
            kind=kind,
            content=Content(text=text, markup=Markup.MARKDOWN, reply_to=prompted.ref if in_group else None),
            folder=turn.folder,
            slot=answer_slot(turn, prompted.place),
            turn=turn.id,
            activity=activity,
        )

    async def _end(self) -> None:
        errors = [prompted.error for prompted in self._prompts if prompted.error is not None]
        if errors and not self.stopped:
            raise Silent(f"silent for {SILENCE / 60:g} minutes") if self._silent else errors[0]
        for attempt in range(1, _END_TRIES):
            try:
                await self._commit_end()
                break
            except StorageError as error:
                log.warning("turn.end_failed", lane=self.turn.lane, reason=str(error))
                await self._means.clock.sleep(attempt)
        else:
            await self._commit_end()
        self._means.outbox.wake(self.turn.address)

    async def _commit_end(self) -> None:
        async with self._means.database.transaction() as conn:
            for prompted in self._prompts:
                if not prompted.posted:
                    await self._post(conn, prompted)
            if self._previewed:
                await self._means.outbox.withdraw_previews(conn, self.turn.id)
            await self._means.turns.end(conn, self.turn, TurnState.DONE)

    async def _show_progress(self) -> None:
        """Show the answer while it grows, no more often than a chat bears."""
        in_private = self.turn.private or self.turn.address.startswith("web:")
        await self._means.clock.sleep(FIRST_PREVIEW)
        shown: tuple[int, str, str] | None = None
        while True:
            prompted = next((each for each in self._prompts if not each.done), None)
            if prompted is not None:
                text, activity = prompted.so_far()
                if (text or activity) and shown != (prompted.place, text, activity):
                    shown = (prompted.place, text, activity)
                    await self._preview(prompted, text, activity)
            await self._means.clock.sleep(PRIVATE_PACE if in_private else GROUP_PACE)

    async def _preview(self, prompted: Prompted, text: str, activity: str) -> None:
        self._previewed = True
        try:
            async with self._means.database.transaction() as conn:
                await self._put(conn, prompted, PostKind.PREVIEW, text, activity)
        except StorageError as error:
            log.warning("preview.failed", lane=self.turn.lane, reason=str(error))
        else:
            self._means.outbox.wake(self.turn.address)

    async def _watch(self) -> None:
        """End an agent that heeds no cancel or says nothing for very long; its prompts then fail."""
        while True:
            await self._means.clock.sleep(_WATCH_EVERY)
            running = [prompted for prompted in self._prompts if not prompted.done]
            if self._stopped_after is not None and self._now() - self._stopped_after >= CANCEL_PATIENCE:
                await self._session.agent.close()
            elif running and all(self._is_silent(prompted) for prompted in running):
                self._silent = True
                await self._session.agent.close()

    def _is_silent(self, prompted: Prompted) -> bool:
        return not prompted.asking and self._now() - prompted.heard_at.timestamp() >= SILENCE

    def _now(self) -> float:
        return self._means.clock.now().timestamp()
