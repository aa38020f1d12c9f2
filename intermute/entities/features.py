"""Which features a user journey is about: links from a journey to ids of features."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from intermute import times
from intermute.entities.entity import told
from intermute.entities.kinds import JOURNEY
from intermute.errors import InvalidRequest, NotFound
from intermute.events.journal import Journal
from storage import sql
from storage.clock import Clock
from storage.database import Database

LINKED = "cuj.linked"
UNLINKED = "cuj.unlinked"

_SQL = sql.load("intermute", "journeys")


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    project: str
    journey: str
    feature: str
    linked_at: datetime

    def shape(self) -> dict[str, Any]:
        return {
            "cuj_id": self.journey,
            "feature_id": self.feature,
            "project": self.project,
            "linked_at": times.precise(self.linked_at),
        }


class Features:
    """The links of all journeys."""

    def __init__(self, db: Database, journal: Journal, clock: Clock) -> None:
        self._db = db
        self._journal = journal
        self._clock = clock

    async def link(self, project: str, journey: str, feature: str) -> None:
        """Link the journey to the feature; again is well too. Raises NotFound, InvalidRequest."""
        _named(feature)
        async with self._journal.writing() as entry:
            row = (project, journey, feature, self._clock.now())
            if await entry.conn.fetchval(_SQL["journeys.link"], *row) is None:
                raise NotFound("There is no such cuj in this project.", code=f"{JOURNEY.name}_not_found")
            await entry.tell([told(LINKED, project, journey, {"feature_id": feature})])

    async def unlink(self, project: str, journey: str, feature: str) -> None:
        """Take the link away; nothing happens where there is none. Raises InvalidRequest."""
        _named(feature)
        async with self._journal.writing() as entry:
            if await entry.conn.fetchval(_SQL["journeys.unlink"], project, journey, feature) is not None:
                await entry.tell([told(UNLINKED, project, journey, {"feature_id": feature})])

    async def links(self, project: str, journey: str, *, after: str, limit: int) -> Sequence[Link]:
        """Links of the journey in the order of features, behind the feature `after`."""
        rows = await self._db.fetch(_SQL["journeys.links"], project, journey, after, limit)
        return [
            Link(
                project=row["project"],
                journey=row["cuj_id"],
                feature=row["feature_id"],
                linked_at=row["linked_at"],
            )
            for row in rows
        ]


def _named(feature: str) -> None:
    if not feature.strip():
        raise InvalidRequest("The request must name the feature.", code="feature_required")
