"""The furnished office, for the tests beside this file."""

from pathlib import Path

import pytest

from storage.database import Database
from storage.ids import NewId
from tests.clock import HandClock
from tests.host.decisions.office import Office, furnish


@pytest.fixture
async def office(database: Database, clock: HandClock, new_id: NewId, tmp_path: Path) -> Office:
    return await furnish(database, clock, new_id, tmp_path)
