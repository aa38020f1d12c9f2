"""An open till, for the tests beside this file."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from storage.database import Database
from storage.ids import NewId
from tests.clock import HandClock
from tests.host.decisions.office import Office, furnish
from tests.host.spending.counter import Counter, opened


@pytest.fixture
async def counter(database: Database, clock: HandClock, new_id: NewId) -> AsyncIterator[Counter]:
    async with opened(database, clock, new_id) as counter:
        yield counter


@pytest.fixture
async def office(database: Database, clock: HandClock, new_id: NewId, tmp_path: Path) -> Office:
    return await furnish(database, clock, new_id, tmp_path)
