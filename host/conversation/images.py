"""Images built when a conversation first needs them, while its chat reads how far that is."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

import structlog

from storage.clock import Clock

log = structlog.get_logger()

TELL_EVERY = 3.0  #: seconds; the pace a group's chat bears

Tell = Callable[[str], Awaitable[None]]


class ImageSource(Protocol):
    """Makes the images of the runtimes it knows."""

    def makes(self, runtime: str) -> bool: ...

    async def ensure(self, runtime: str, progress: Callable[[str], None]) -> str:
        """Build an image unless it is there. Raises ContainerError."""
        ...


class Images:
    """Who needs an image that is being built already waits for it with the others."""

    def __init__(self, source: ImageSource, clock: Clock) -> None:
        self._source = source
        self._clock = clock

    def makes(self, runtime: str) -> bool:
        """Whether a missing image of this runtime can be had by `make`."""
        return self._source.makes(runtime)

    async def make(self, runtime: str, tell: Tell) -> None:
        """Return when the image is there; `tell` is called with what is done, now and then.

        Raises ContainerError.
        """
        steps: list[str] = []
        failure: Exception | None = None
        async with asyncio.TaskGroup() as tasks:
            telling = tasks.create_task(self._tell(steps, tell))
            try:
                await self._source.ensure(runtime, steps.append)
            except Exception as error:  # noqa: BLE001 - raised below, as it is and not as a group
                failure = error
            telling.cancel()
        if failure is not None:
            raise failure
        log.info("image.made_for_a_conversation", runtime=runtime)

    async def _tell(self, steps: list[str], tell: Tell) -> None:
        told = ""
        while True:
            newest = steps[-1] if steps else "This takes a minute or two."
            if newest != told:
                told = newest
                await tell(newest)
            await self._clock.sleep(TELL_EVERY)
