"""The wired conversation half of the host, for the tests beside this file."""

from pathlib import Path

import pytest

from storage.database import Database
from storage.ids import NewId
from tests.clock import HandClock
from tests.host.conversation.agents import ScriptedLauncher
from tests.host.conversation.bridges import MemoryBridge
from tests.host.conversation.house import House


@pytest.fixture
def house(database: Database, clock: HandClock, new_id: NewId, tmp_path: Path) -> House:
    return House(
        database=database,
        clock=clock,
        new_id=new_id,
        bridge=MemoryBridge("tg"),
        web=MemoryBridge("web"),
        launcher=ScriptedLauncher(),
        home=tmp_path,
    )
