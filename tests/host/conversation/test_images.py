"""An image that a conversation needs is built for it, and the chat reads how far that is."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from container.sandbox import ImageMissing
from tests.host.conversation.house import House


@dataclass
class Workshop:
    """Makes images when a test says so."""

    ready: asyncio.Event = field(default_factory=asyncio.Event)
    begun: asyncio.Event = field(default_factory=asyncio.Event)
    fault: ImageMissing | None = None
    made: int = 0

    def makes(self, runtime: str) -> bool:
        return runtime == "local"

    async def ensure(self, runtime: str, progress: Callable[[str], None]) -> str:
        progress("Fetching the packages …")
        self.begun.set()
        await self.ready.wait()
        if self.fault is not None:
            raise self.fault
        self.made += 1
        return f"made:{runtime}"


@pytest.fixture
def workshop() -> Workshop:
    return Workshop()


@pytest.fixture
def building(house: House, workshop: Workshop) -> House:
    """A house that can make its images."""
    house.image_source = workshop
    return house.again()


async def test_a_missing_image_is_built_while_the_chat_reads_how_far_it_is(
    building: House, workshop: Workshop
) -> None:
    building.launcher.failures.append(ImageMissing("it is not here"))
    async with building.open():
        await building.say("hi")
        await workshop.begun.wait()
        await building.clock.advance(3)
        await building.bridge.until_says("tg:1000", "is built now, once")
        await building.bridge.until_says("tg:1000", "Fetching the packages")
        workshop.ready.set()
        await building.bridge.until_says("tg:1000", "You said")
    assert workshop.made == 1
    assert not [text for text in building.bridge.texts("tg:1000") if "is built" in text]


async def test_an_image_that_cannot_be_built_is_said_and_tried_again(
    building: House, workshop: Workshop
) -> None:
    building.launcher.failures.append(ImageMissing("it is not here"))
    workshop.fault = ImageMissing("npm did not answer")
    workshop.ready.set()
    async with building.open():
        await building.say("hi")
        await building.bridge.until_says("tg:1000", "npm did not answer")
        await building.clock.advance(6)
        await building.bridge.until_says("tg:1000", "You said")
