"""One running turn: prompts the agent, pipes follow-ups in, shows the answer growing, ends the turn."""

import asyncio
from dataclasses import replace

import structlog

from container.agent import Enclosure, Permission, PermissionRequest, StopReason
from container.planning import GROUP_FOLDER
from container.sandbox import AgentRefused, ContainerError
from host.conversation.files_out import FOLDER as OUTBOX
from host.conversation.files_out import Collected, outbox_folder
from host.conversation.followups import Followups
from host.conversation.means import Means, in_group, spoken
from host.conversation.model_trouble import accounts_for
from host.conversation.previews import Previews
from host.conversation.prompted import Prompted
from host.conversation.prompting import render
from host.conversation.session import Session
from host.conversation.turns import Asked, Turn, TurnState, answer_slot
from host.outgoing.outbox import PostKind
from storage.database import Connection
from storage.errors import StorageError

log = structlog.get_logger()

#: seconds an agent may take to heed a cancel, and may be silent
CANCEL_PATIENCE = 10.0
SILENCE = 1800.0
_WATCH_EVERY = 5.0
_END_TRIES = 5

Brought = tuple[Asked, tuple[Enclosure, ...]]


class Silent(ContainerError):
    """The agent said and did nothing for too long and was ended."""


class Talk:
    """Runs one turn with a session."""

    def __init__(
        self, means: Means, session: Session, turn: Turn, asked: Asked, *, preface: str = ""
    ) -> None:
        self._means = means
        self._session = session
        self._first = asked
        self._preface = preface  #: what the agent is to know before it reads what it is asked
        self.over = asyncio.Event()  #: set by whoever ran it
        self._prompts: list[Prompted] = []
        self._stir = asyncio.Event()
        self._nudged = False
        self._stopped_after: float | None = None
        self._stopping = asyncio.Event()
        self._unstored: StorageError | None = None  #: why a prompt could not even be put together
        self._silent = False
        self._tasks: asyncio.TaskGroup | None = None
        session.turn = turn
        self.turn = turn
        self._previews = Previews(means, lambda: self.turn, self._prompts)
        self._followups = Followups(means, lambda: self.turn)

    @property
    def stopped(self) -> bool:
        return self._stopped_after is not None

    def nudge(self) -> None:
        """There may be a message that should join."""
        self._nudged = True
        self._followups.arrived()
        self._stir.set()

    def taint(self) -> None:
        """The agent is about to read words of somebody without a right here: they count from now on."""
        self.turn = self._session.turn = replace(self.turn, tainted=True)

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
            self._stopping.set()

    async def run(self) -> None:
        """Return when the turn has ended and its answers are in the outbox.

        Raises ContainerError when the agent died or refused: then the turn still stands as running.
        """
        failure: Exception | None = None
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            self._say(self._first)
            beside = [
                tasks.create_task(run()) for run in (self._previews.run, self._followups.run, self._watch)
            ]
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
        preface, self._preface = self._preface, ""
        self._tasks.create_task(self._prompt(prompted, asked, preface), name=f"prompt {self.turn.id}")

    async def _prompt(self, prompted: Prompted, asked: Asked, preface: str) -> None:
        try:
            brought = await self._bring(asked)
            if brought is None:
                prompted.stop = StopReason.CANCELLED
                return
            asked, enclosures = brought
            self._session.told = True
            text = "\n".join(filter(None, [preface, render(asked.lines, outbox=self._outbox())]))
            prompted.stop = await self._session.agent.prompt(text, prompted, enclosures)
        except ContainerError as error:
            prompted.error = error
        except StorageError as error:
            self._unstored = error
        except Exception:
            log.exception("turn.prompt_failed", lane=self.turn.lane)
            prompted.error = AgentRefused("a fault of this program; its log says which")
        finally:
            prompted.trouble = self._means.trouble(self.turn)
            self._stir.set()

    async def _bring(self, asked: Asked) -> Brought | None:
        """The messages with their files; None when the turn is stopped before the agent was asked."""
        async with asyncio.TaskGroup() as both:
            bringing = both.create_task(self._brought(asked))
            stopping = both.create_task(self._stopping.wait())
            await asyncio.wait({bringing, stopping}, return_when=asyncio.FIRST_COMPLETED)
            bringing.cancel()
            stopping.cancel()
        found = None if bringing.cancelled() else bringing.result()
        if isinstance(found, StorageError):
            raise found
        return found

    async def _brought(self, asked: Asked) -> Brought | StorageError:
        try:
            return await self._means.enclosing.bring(self.turn, asked)
        except StorageError as error:
            return error

    def _outbox(self) -> str:
        """Where the agent leaves files for the chat, when it is not the place it knows."""
        place = outbox_folder(self.turn.lane)
        return "" if place == OUTBOX else f"{GROUP_FOLDER}/{place}"

    async def _ask_permission(self, request: PermissionRequest) -> Permission:
        return await self._means.permit(self.turn, request)

    async def _follow(self) -> None:
        """Return when all prompts are done. The only place that decides, so nothing joins an ended turn."""
        while True:
            await self._stir.wait()
            self._stir.clear()
            if self._unstored is not None:
                raise self._unstored
            if all(prompted.done for prompted in self._prompts):
                return
            await self._post_finished()
            if self._nudged and self._session.agent.takes_followups and not self.stopped:
                self._nudged = False
                await self._join()

    async def _join(self) -> None:
        joined = await self._means.turns.join(self.turn, stopped=lambda: self.stopped)
        if joined is not None:
            turn, asked = joined
            if self.turn.tainted:  # since the question was put, perhaps
                turn = replace(turn, tainted=True)
            self.turn = self._session.turn = turn
            self._means.meter.count("turns.joined")
            self._followups.joined(asked.ref)
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
            await self._put(conn, prompted, text)

    async def _put(self, conn: Connection, prompted: Prompted, text: str) -> None:
        await self._means.outbox.put(
            conn,
            address=self.turn.address,
            kind=PostKind.ANSWER,
            content=spoken(self.turn, text, prompted.ref),
            folder=self.turn.folder,
            slot=answer_slot(self.turn, prompted.place),
            turn=self.turn.id,
        )

    async def _end(self) -> None:
        errors = [
            prompted.error
            for prompted in self._prompts
            if prompted.error is not None and not accounts_for(prompted.error, prompted.trouble)
        ]
        if errors and not self.stopped:
            raise Silent(f"silent for {SILENCE / 60:g} minutes") if self._silent else errors[0]
        collected = await self._means.files_out.collect(self.turn)
        for address in {self.turn.address, *await self._surely_commit_end(collected)}:
            self._means.outbox.wake(address)
        await self._means.files_out.clear(self.turn, collected)

    async def _surely_commit_end(self, collected: Collected) -> list[str]:
        for attempt in range(1, _END_TRIES):
            try:
                return await self._commit_end(collected)
            except StorageError as error:
                log.warning("turn.end_failed", lane=self.turn.lane, reason=str(error))
                await self._means.clock.sleep(attempt)
        return await self._commit_end(collected)

    async def _commit_end(self, collected: Collected) -> list[str]:
        """The turn's last transaction; the chats to wake."""
        async with self._means.database.transaction() as conn:
            for prompted in self._prompts:
                if not prompted.posted:
                    await self._post(conn, prompted)
            await self._means.files_out.post(conn, self.turn, collected, self._ref())
            passed = await self._means.outbox.withdraw_passing(conn, self.turn.id)
            await self._means.turns.end(conn, self.turn, TurnState.DONE)
            if not any(prompted.error for prompted in self._prompts):
                await self._means.continuity.used(conn, self._session, self.turn)
        return passed

    def _ref(self) -> str | None:
        """What files answer: the message that asked, where people talk among themselves."""
        return self._first.ref if in_group(self.turn) else None

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
