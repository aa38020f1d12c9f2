"""The reservations alone, without HTTP."""

import pytest

from intermute.events.journal import Journal
from intermute.limits import Limits
from intermute.reservations.reservations import Reservations
from intermute.reservations.sweeper import Sweeper
from storage.database import Database
from storage.ids import NewId
from tests.clock import HandClock
from tests.intermute.reservations.heard import Heard


@pytest.fixture
def limits() -> Limits:
    return Limits(reservations=20)


@pytest.fixture
def heard() -> Heard:
    """What the project was told."""
    return Heard()


@pytest.fixture
def journal(database: Database, clock: HandClock, heard: Heard) -> Journal:
    journal = Journal(database, clock)
    journal.subscribe(heard.hear)
    return journal


@pytest.fixture
def reservations(
    database: Database, journal: Journal, clock: HandClock, new_id: NewId, limits: Limits
) -> Reservations:
    return Reservations(database, journal, clock, new_id, limits)


@pytest.fixture
def sweeper(database: Database, journal: Journal, clock: HandClock, limits: Limits) -> Sweeper:
    return Sweeper(database, journal, clock, limits)
