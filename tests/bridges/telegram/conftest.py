"""A Bot API server, and a bridge that is connected to it."""

from collections.abc import AsyncIterator

import pytest

from bridges.telegram import TelegramBridge, TelegramSettings
from storage.clock import SystemClock
from tests.servers.telegram import TOKEN, TelegramServer


@pytest.fixture
async def server() -> AsyncIterator[TelegramServer]:
    async with TelegramServer.running() as running:
        yield running


@pytest.fixture
def settings(server: TelegramServer) -> TelegramSettings:
    return TelegramSettings(token=TOKEN, api_base=server.url, first_wait=0.01, longest_wait=0.05)


@pytest.fixture
async def bridge(settings: TelegramSettings) -> AsyncIterator[TelegramBridge]:
    async with TelegramBridge(settings, SystemClock()).opened() as opened:
        yield opened
