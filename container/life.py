"""One launched agent: what the host holds while it lives, and why it ended."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from container.agent import Enclosure, StopReason, TurnEvents
from container.sandbox import AgentDied, AgentEnded, ContainerError, Limits, Sandbox, StartFailed

if TYPE_CHECKING:
    from container.conversation import Conversation

EXPLAIN_TIMEOUT = 5.0  #: seconds a turn waits to learn why its agent died


class LaunchedAgent:
    """An Agent. The launcher's task behind it does the work; this is how both talk."""

    def __init__(self, key: str) -> None:
        self.key = key
        self.sandbox_id = ""
        self.leader = 0  #: the number its first process has on this machine, once that is known
        self.limits = Limits()  #: what it was started with
        self.task: asyncio.Task[None] | None = None
        self.settled = asyncio.Event()  #: it is open, or it failed
        self.failure: ContainerError | None = None
        self.reason = ""
        self.excessive = False  #: it was ended because it took more than it may
        self.closing = False
        self.awake = asyncio.Event()  #: it is not frozen
        self.awake.set()
        self.working = asyncio.Event()  #: somebody waits for it
        self._conversation: Conversation | None = None
        self._sandbox: Sandbox | None = None
        self._prompts = 0
        self._freezing = asyncio.Lock()
        self._over = asyncio.Event()  #: it is to end
        self._gone = asyncio.Event()  #: nothing of it is left

    @property
    def paused(self) -> bool:
        return not self.awake.is_set()

    @property
    def takes_followups(self) -> bool:
        return self._conversation is not None and self._conversation.takes_followups

    @property
    def alive(self) -> bool:
        return self._conversation is not None and not self._over.is_set()

    @property
    def session(self) -> str:
        return self._conversation.session if self._conversation is not None else ""

    @property
    def resumed(self) -> bool:
        return self._conversation is not None and self._conversation.resumed

    async def prompt(self, text: str, events: TurnEvents, enclosures: Sequence[Enclosure] = ()) -> StopReason:
        if self._conversation is None:
            raise AgentDied(self.reason or "The agent is not there.")
        self._prompts += 1  # from here on it is not paused any more
        self.working.set()
        try:
            await self.unpause()
            return await self._conversation.prompt(text, events, enclosures)
        except AgentDied as error:
            with suppress(TimeoutError):
                async with asyncio.timeout(EXPLAIN_TIMEOUT):
                    await self._gone.wait()
            kind = AgentEnded if self.excessive else AgentDied
            raise kind(self.reason or str(error)) from error
        finally:
            self._prompts -= 1
            if not self._prompts:
                self.working.clear()

    async def pause(self) -> None:
        """Freeze it, unless it has something to do or has ended."""
        async with self._freezing:
            if self.paused or self._busy() or self._sandbox is None or not self.alive:
                return
            self.awake.clear()  # also when nobody waits for the end of this: it may be frozen then
            try:
                await self._sandbox.pause(self.sandbox_id)
            except ContainerError:
                self.awake.set()
                if self.alive:
                    raise

    async def unpause(self) -> None:
        async with self._freezing:
            if not self.paused or self._sandbox is None:
                return
            try:
                await self._sandbox.unpause(self.sandbox_id)
            except ContainerError as error:
                self._over.set()
                raise AgentDied(f"The agent could not be woken. {error}") from error
            self.awake.set()

    async def cancel(self) -> None:
        if self._conversation is not None:
            await self._conversation.cancel()

    async def died(self) -> None:
        await self._over.wait()

    async def close(self) -> None:
        self.give_up()
        await self._gone.wait()

    def give_up(self) -> None:
        """End it, also while it starts. Once only: a second cancellation would disturb the cleaning up."""
        if self.closing:
            return
        self.closing = True
        self._over.set()
        if not self.settled.is_set() and self.task is not None:
            self.task.cancel()

    def cut_off(self, reason: str) -> None:
        """End it because it takes more than it may."""
        if not self.reason:
            self.reason, self.excessive = reason, True
        self._over.set()

    def opened(self, conversation: "Conversation", sandbox: Sandbox) -> None:
        self._conversation = conversation
        self._sandbox = sandbox
        self.settled.set()

    def failed(self, error: ContainerError) -> None:
        """It did not start; later than that, the error is why it ended."""
        if self.settled.is_set():
            self.reason = self.reason or str(error)
        else:
            self.failure = error

    async def wait_until_over(self) -> None:
        """Wait for its own end or for somebody who wants it to end."""
        if self._conversation is None:
            return
        async with asyncio.TaskGroup() as group:
            watch = group.create_task(self._watch(self._conversation))
            await self._over.wait()
            watch.cancel()

    def ended(self) -> None:
        if not self.settled.is_set() and self.failure is None:
            self.failure = StartFailed("The agent was ended while it started.")
        self._over.set()
        self._gone.set()
        self.settled.set()

    def _busy(self) -> bool:
        """Whether anybody prompts it, or it works on what somebody else gave up waiting for."""
        return self._prompts > 0 or (self._conversation is not None and self._conversation.busy)

    async def _watch(self, conversation: "Conversation") -> None:
        await conversation.ended()
        self._over.set()
