"""Gets a lane its agent: tried again with growing pauses, and the chat knows what is the matter meanwhile."""

from contextlib import AsyncExitStack

import structlog

from bridges.messages import Content
from container.sandbox import ContainerError, ImageMissing
from host.conversation.means import Means
from host.conversation.sentences import making_image, never_started, not_started
from host.conversation.session import Session
from host.conversation.sessions import Sessions
from host.outgoing.outbox import PostKind
from host.people.registry import Group, Registry

log = structlog.get_logger()

#: seconds between the tries
PAUSES = (5.0, 10.0, 20.0, 40.0)
TRIES = len(PAUSES) + 1
LOOK_EVERY = 1.0  #: seconds between two looks at whether the group was given another agent


class Starts:
    """Lends agents out of the sessions, patiently."""

    def __init__(self, *, means: Means, registry: Registry, sessions: Sessions) -> None:
        self._means = means
        self._registry = registry
        self._sessions = sessions

    async def agent_for(
        self, stack: AsyncExitStack, lane: str, group: Group, *, address: str, slot: str
    ) -> Session | None:
        """The lane's agent until the stack is left; None after the last try, when the chat has been told.

        One notice in the slot is edited while it is tried again, and gone when the agent has started.
        """
        for tried, pause in enumerate(PAUSES, 1):
            found = await self._try(stack, lane, group, address, slot)
            if isinstance(found, Session):
                await self._settle(found, slot)
                return found
            await self._tell(group, address, slot, not_started(found, tried, TRIES, pause))
            group = await self._pause(group, pause)
        found = await self._try(stack, lane, group, address, slot)
        if isinstance(found, Session):
            await self._settle(found, slot)
            return found
        await self._tell(group, address, slot, never_started(found, TRIES))
        return None

    async def _pause(self, group: Group, seconds: float) -> Group:
        """Wait, but no longer when the group is given another agent: that may be all it took."""
        while seconds > 0:
            await self._means.clock.sleep(min(LOOK_EVERY, seconds))
            seconds -= LOOK_EVERY
            now = self._registry.group(group.folder) or group
            if (now.runtime, now.model) != (group.runtime, group.model):
                return now
            group = now
        return group

    async def _try(
        self, stack: AsyncExitStack, lane: str, group: Group, address: str, slot: str
    ) -> Session | str:
        """The agent, or the reason why there is none. An image that is missing is made first."""
        try:
            try:
                return await stack.enter_async_context(self._sessions.lend(lane, group))
            except ImageMissing:
                if not await self._make_image(group, address, slot):
                    raise
                return await stack.enter_async_context(self._sessions.lend(lane, group))
        except ContainerError as error:
            log.warning("session.not_started", lane=lane, reason=str(error))
            self._means.meter.count("sessions.not_started", error=type(error).__name__)
            return str(error)

    async def _make_image(self, group: Group, address: str, slot: str) -> bool:
        """Build the image of the group's runtime, if it is one of ours."""
        images = self._means.images
        if images is None or not images.makes(group.runtime):
            return False

        async def tell(step: str) -> None:
            await self._tell(group, address, slot, making_image(group.runtime, step))

        await images.make(group.runtime, tell)
        return True

    async def _settle(self, session: Session, slot: str) -> None:
        """Take the notice back, also one of an earlier run of this program."""
        if not session.fresh:
            return
        async with self._means.database.transaction() as conn:
            told = await self._means.outbox.withdraw(conn, slot)
        session.fresh = False
        if told is not None:
            self._means.outbox.wake(told)

    async def _tell(self, group: Group, address: str, slot: str, text: str) -> None:
        async with self._means.database.transaction() as conn:
            await self._means.outbox.put(
                conn,
                address=address,
                kind=PostKind.NOTICE,
                content=Content(text=text),
                folder=group.folder,
                slot=slot,
            )
        self._means.outbox.wake(address)
