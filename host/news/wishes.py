"""What a group wants to hear: muted topics, its digest, and which kinds of news it takes at all."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from asyncpg.protocol import Record

from demarch.notices import NoticeKind
from host.news.schedule import Schedule
from host.news.topics import Manner, manner, topic_of
from host.people.registry import Group
from storage import sql
from storage.database import Connection, Database

_SQL = sql.load("host", "news")


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """A group's digest as it is kept."""

    folder: str
    schedule: Schedule
    since: datetime  #: what happened before was told
    next_at: datetime


class Wishes:
    """Kept in the database: methods with a connection belong to the caller's transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def manner(self, conn: Connection, group: Group, kind: NoticeKind, now: datetime) -> Manner:
        """How the group gets news of a kind just now."""
        topics = group.profile.events
        if topics and topic_of(kind) not in topics:
            return Manner.DROP
        muted = {row["topic"] for row in await conn.fetch(_SQL["news.muted"], group.folder, now)}
        keeps = await conn.fetchval(_SQL["news.keeps"], group.folder)
        return manner(kind, muted, digest=keeps is not None)

    async def muted(self, folder: str, now: datetime) -> Mapping[str, datetime]:
        """Topic to the moment until which it is muted."""
        rows = await self._database.fetch(_SQL["news.muted"], folder, now)
        return {row["topic"]: row["until"] for row in rows}

    async def mute(self, conn: Connection, folder: str, topic: str, until: datetime, by: str) -> None:
        await conn.execute(_SQL["news.mute"], folder, topic, until, by)

    async def unmute(self, conn: Connection, folder: str, topic: str, now: datetime) -> int:
        """How many mutes that ended; "" ends all."""
        return len(await conn.fetch(_SQL["news.unmute"], folder, topic, now))

    async def digest(self, folder: str) -> Digest | None:
        row = await self._database.fetchrow(_SQL["news.digest"], folder)
        return None if row is None else digest_of(row)

    async def set_digest(
        self, conn: Connection, folder: str, schedule: Schedule, now: datetime, next_at: datetime
    ) -> None:
        await conn.execute(_SQL["news.set_digest"], folder, schedule.weekday, schedule.at, now, next_at)

    async def drop_digest(self, conn: Connection, folder: str) -> bool:
        """Whether there was one. Its lines are the caller's to tell."""
        return await conn.fetchval(_SQL["news.drop_digest"], folder) is not None

    async def keep(self, conn: Connection, folder: str, slot: str, text: str, now: datetime) -> None:
        """A line for the digest; the newest of a slot stands."""
        await conn.execute(_SQL["news.keep_line"], folder, slot, text, now)


def digest_of(row: Record) -> Digest:
    schedule = Schedule(row["at_time"], row["weekday"])
    return Digest(folder=row["folder"], schedule=schedule, since=row["since"], next_at=row["next_at"])
