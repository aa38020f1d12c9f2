"""An office beside a running intermute, for the tests in this folder."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from storage.database import Database
from storage.ids import NewId
from storage.wakeups import Wakeups
from tests.clock import HandClock
from tests.host.coordination.agency import Agency, open_agency


@pytest.fixture
async def agency(
    database: Database, database_url: str, clock: HandClock, new_id: NewId, tmp_path: Path
) -> AsyncIterator[Agency]:
    async with (
        Wakeups.open(database_url) as wakeups,
        open_agency(database, wakeups, clock, new_id, tmp_path) as agency,
    ):
        yield agency
