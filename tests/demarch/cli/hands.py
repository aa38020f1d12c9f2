"""A person's hand on the kernel, and what shows there afterwards."""

import json
from collections.abc import Sequence
from typing import Any

import pytest

from demarch.calls import parse
from demarch.cli.writes import Writes
from demarch.errors import (
    DemarchError,
)
from demarch.kernel import Outcome
from storage.clock import SystemClock
from storage.database import Database
from tests.demarch.cli.scenes import Hasty
from tests.servers.kernels.project import Project

ANA = "tg:1"


class Hand:
    """Ana's hand on the kernel; every write gets a key of its own."""

    def __init__(self, agency: Project, database: Database) -> None:
        self.agency = agency
        self.runner = Hasty(agency, seconds=20)
        self.writes = Writes(self.runner, database, SystemClock(), str(agency.folder))
        self._number = 0

    @property
    def key(self) -> str:
        """Of the last write."""
        return f"0193-{self._number}/1"

    async def __call__(self, operation: str, **arguments: Any) -> Outcome:
        self._number += 1
        return await self.writes.write(parse(operation, arguments), actor=ANA, key=self.key)

    async def refused(self, operation: str, kind: type[DemarchError], **arguments: Any) -> DemarchError:
        with pytest.raises(kind) as caught:
            await self(operation, **arguments)
        assert await self.writes.written(self.key) is None
        return caught.value


async def events(agency: Project, run: str) -> Sequence[dict[str, Any]]:
    return list((await agency.ic("run", "events", run)).json)


async def kinds(agency: Project, run: str) -> list[str]:
    return [event["event_type"] for event in await events(agency, run)]


def kept(agency: Project, run: str) -> dict[str, Any]:
    payload = agency.sql("SELECT payload FROM state WHERE key = 'gate-decision' AND scope_id = ?", run)
    return dict(json.loads(payload[0][0]))


def announced(agency: Project) -> list[str]:
    return [row[0] for row in agency.sql("SELECT event_type FROM interspect_events ORDER BY id")]
