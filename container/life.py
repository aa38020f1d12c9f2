"""One launched agent: what the host holds while it lives, and why it ended."""

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from container.agent import StopReason, TurnEvents
from container.sandbox import AgentDied, ContainerError, StartFailed

if TYPE_CHECKING:
    from container.conversation import Conversation

EXPLAIN_TIMEOUT = 5.0  #: seconds a turn waits to learn why its agent died


class LaunchedAgent:
    """An Agent. The launcher's task behind it does the work; this is how both talk."""

    def __init__(self, key: str) -> None:
        self.key = key
        self.sandbox_id = ""
        self.task: asyncio.Task[None] | None = None
        self.settled = asyncio.Event()  #: it is open, or it failed
        self.failure: ContainerError | None = None
        self.reason = ""
        self.closing = False
        self._conversation: Conversation | None = None
        self._over = asyncio.Event()  #: it is to end
        self._gone = asyncio.Event()  #: nothing of it is left

    @property
    def takes_followups(self) -> bool:
        return self._conversation is not None and self._conversation.takes_followups

    @property
    def alive(self) -> bool:
        return self._conversation is not None and not self._over.is_set()

    async def prompt(self, text: str, events: TurnEvents) -> StopReason:
        if self._conversation is None:
            raise AgentDied(self.reason or "The agent is not there.")
        try:
            return await self._conversation.prompt(text, events)
        except AgentDied as error:
            with suppress(TimeoutError):
                async with asyncio.timeout(EXPLAIN_TIMEOUT):
                    await self._gone.wait()
            raise AgentDied(self.reason or str(error)) from error

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

    def opened(self, conversation: "Conversation") -> None:
        self._conversation = conversation
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

    async def _watch(self, conversation: "Conversation") -> None:
        await conversation.ended()
        self._over.set()
