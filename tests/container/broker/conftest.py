"""What every test of the broker may ask for."""

from collections.abc import AsyncIterator

import pytest

from container.agent import ModelApi
from tests.servers.models import ModelServer


@pytest.fixture
async def server() -> AsyncIterator[ModelServer]:
    async with ModelServer.running() as server:
        yield server


@pytest.fixture(params=list(ModelApi))
def api(request: pytest.FixtureRequest) -> ModelApi:
    """Each of the three, one after the other."""
    return ModelApi(request.param)
