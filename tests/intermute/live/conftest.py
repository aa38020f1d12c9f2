"""The service with live delivery into a tmux of the test's own."""

import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from intermute.keys import Keyring
from intermute.limits import Limits, LiveRules
from intermute.service import Given, Service
from storage.background import background
from storage.clock import Clock
from storage.database import Database
from storage.ids import NewId
from storage.wakeups import Wakeups
from tests.intermute.live.terminals import Terminal, opened


@pytest.fixture
async def terminal() -> AsyncIterator[Terminal]:
    # A socket's path is short, which pytest's folders are not.
    with tempfile.TemporaryDirectory(prefix="live-") as folder:
        async with opened(Path(folder)) as terminal:
            yield terminal


@pytest.fixture
def rules() -> LiveRules:
    """A test with a terminal overrides this fixture in its module."""
    return LiveRules(enabled=True, agents=("claude",), socket="/nowhere/tmux")


@pytest.fixture
async def service(
    database: Database,
    wakeups: Wakeups,
    clock: Clock,
    new_id: NewId,
    limits: Limits,
    keyring: Keyring,
    rules: LiveRules,
) -> AsyncIterator[Service]:
    given = Given(
        db=database,
        wakeups=wakeups,
        clock=clock,
        new_id=new_id,
        keyring=keyring,
        limits=limits,
        live=rules,
    )
    async with Service.open(given) as service, background(service.run()):
        yield service
