"""What tests of the page share."""

import pytest

from tests.bridges.web.memory import MemoryHost
from tests.clock import HandClock


@pytest.fixture
def host(clock: HandClock) -> MemoryHost:
    return MemoryHost(clock)
