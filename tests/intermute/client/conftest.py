"""Our client on the service of the test."""

from collections.abc import AsyncIterator

import pytest

from intermute.client import Client


@pytest.fixture
async def client(url: str) -> AsyncIterator[Client]:
    async with Client.open(url, project="alpha") as client:
        yield client
