"""The agents' part on the test's own database."""

import pytest

from intermute.agents.guards import Guards
from intermute.agents.standings import Standings
from storage.database import Database
from tests.clock import HandClock


@pytest.fixture
def standings(database: Database) -> Standings:
    return Standings(database)


@pytest.fixture
def guards(database: Database, clock: HandClock, standings: Standings) -> Guards:
    return Guards(database, clock, standings)
