"""The embedded kernel on a fresh database, and somebody who drives it."""

import pytest

from demarch.embedded import EmbeddedKernel
from storage.database import Database
from storage.ids import NewId
from tests.clock import HandClock
from tests.demarch.driving import Driver


@pytest.fixture
def kernel(database: Database, clock: HandClock) -> EmbeddedKernel:
    return EmbeddedKernel(database, clock)


@pytest.fixture
def ana(kernel: EmbeddedKernel, new_id: NewId) -> Driver:
    """Ana, who calls operations."""
    return Driver(kernel, new_id, actor="ana")
