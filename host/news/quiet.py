"""/mute, /unmute and /digest: how much of the agency's news a chat wants to hear, in words and back."""

import re
from datetime import datetime, timedelta, tzinfo

from bridges.messages import Content
from host.news.digest import Digests
from host.news.schedule import schedule_of
from host.news.topics import CARDS, EVERYTHING, Topic, topic_named, topic_of
from host.news.wishes import Wishes
from host.people.roles import Recorder
from host.phrases import listed
from host.times import moment
from storage.clock import Clock
from storage.database import Connection, Database

LONGEST = timedelta(days=30)
TOPICS = listed([topic.value for topic in Topic], 10)
MUTE_HOW = (
    f"Write how long and, if not everything, what about: /mute 2h phase. There are: {TOPICS}. "
    "30m, 2h and 3d are spans, up to 30 days."
)
DIGEST_HOW = "Write /digest daily 09:00, /digest weekly mon 09:00, /digest now or /digest off."

_SPAN = re.compile(r"(\d{1,4})\s*(m|min|h|d)", re.IGNORECASE)
_UNITS = {"m": "minutes", "min": "minutes", "h": "hours", "d": "days"}


class Quiet:
    """Answers the commands; each change is on record."""

    def __init__(
        self,
        *,
        database: Database,
        wishes: Wishes,
        digests: Digests,
        audit: Recorder,
        clock: Clock,
        zone: tzinfo,
    ) -> None:
        self._database = database
        self._wishes = wishes
        self._digests = digests
        self._audit = audit
        self._clock = clock
        self._zone = zone

    async def mute(self, folder: str, argument: str, person: str) -> Content:
        if not argument:
            return await self._muted(folder)
        if argument.lower() == "off":
            return await self.unmute(folder, "", person)
        words = argument.split()
        span = next((_span(word) for word in words if _span(word)), None)
        topics = [word for word in words if _span(word) is None]
        topic = topic_named(topics[0]) if len(topics) == 1 else None
        if span is None or span > LONGEST or len(topics) > 1 or (topics and topic is None):
            return Content(text=MUTE_HOW)
        until = self._clock.now() + span
        named = topic.value if topic else EVERYTHING
        async with self._database.transaction() as conn:
            await self._wishes.mute(conn, folder, named, until, person)
            await self._record(conn, person, "news.muted", folder, topic=named, until=until.isoformat())
        return Content(text=f"{_what(named)} quiet until {self._moment(until)}.{_still(topic)}")

    async def unmute(self, folder: str, argument: str, person: str) -> Content:
        topic = topic_named(argument) if argument else None
        if argument and topic is None:
            return Content(text=f"There is no {argument[:40]!r} to hear about. There are: {TOPICS}.")
        named = topic.value if topic else EVERYTHING
        async with self._database.transaction() as conn:
            if not await self._wishes.unmute(conn, folder, named, self._clock.now()):
                return Content(text=await self._not_muted(folder, topic))
            await self._record(conn, person, "news.unmuted", folder, topic=named)
        return Content(text="You hear of it again." if topic else "You hear of everything again.")

    async def digest(self, folder: str, argument: str, person: str) -> Content:
        word = argument.strip().lower()
        if word == "now":
            return await self._digests.now(folder)
        if word == "off":
            return await self._no_digest(folder, person)
        if not word:
            return await self._digest_as_it_is(folder)
        schedule = schedule_of(argument)
        if schedule is None:
            return Content(text=DIGEST_HOW)
        now = self._clock.now()
        first = schedule.next_after(now, self._zone)
        async with self._database.transaction() as conn:
            await self._wishes.set_digest(conn, folder, schedule, now, first)
            await self._record(conn, person, "news.digest", folder, schedule=schedule.words())
        return Content(
            text=f"A digest comes {schedule.words()}, first {self._moment(first)}. Phases and reviews are "
            "told there from now on; what waits for a decision still comes at once."
        )

    async def _no_digest(self, folder: str, person: str) -> Content:
        async with self._database.transaction() as conn:
            told = await self._digests.end(conn, folder)
            if told is None:
                return Content(text="There is no digest here.")
            await self._record(conn, person, "news.digest_ended", folder)
        self._digests.wake(told)
        return Content(text="No digest any more: what happens is told at once again.")

    async def _digest_as_it_is(self, folder: str) -> Content:
        digest = await self._wishes.digest(folder)
        if digest is None:
            return Content(text=f"There is no digest here. {DIGEST_HOW}")
        comes = f"A digest comes {digest.schedule.words()}, next {self._moment(digest.next_at)}."
        return Content(text=f"{comes} {DIGEST_HOW}")

    async def _muted(self, folder: str) -> Content:
        muted = await self._wishes.muted(folder, self._clock.now())
        if not muted:
            return Content(text=f"Nothing is muted here. {MUTE_HOW}")
        lines = [f"{_what(topic)} quiet until {self._moment(until)}." for topic, until in muted.items()]
        return Content(text="\n".join([*lines, "/unmute ends it."]))

    async def _not_muted(self, folder: str, topic: Topic | None) -> str:
        if topic is None:
            return "Nothing is muted here."
        if EVERYTHING in await self._wishes.muted(folder, self._clock.now()):
            return "All news is quiet here, whatever it is about; /unmute ends that."
        return "That is not muted here."

    def _moment(self, when: datetime) -> str:
        return moment(when, self._clock.now(), self._zone)

    async def _record(self, conn: Connection, person: str, action: str, folder: str, **more: str) -> None:
        """Last in its transaction."""
        await self._audit.record(conn, actor=person, action=action, detail={"group": folder, **more})


_CARDS = " What waits for a decision still comes, without a sound."
_FOUND = " What was found waits, and is asked about afterwards."


def _still(muted: Topic | None) -> str:
    """What a mute does not hide; None: everything is muted."""
    if muted is None:
        return f"{_CARDS}{_FOUND}"
    if muted is Topic.DISCOVERY:
        return _FOUND
    return _CARDS if muted in {topic_of(kind) for kind in CARDS} else ""


def _span(word: str) -> timedelta | None:
    match = _SPAN.fullmatch(word)
    span = timedelta(**{_UNITS[match[2].lower()]: int(match[1])}) if match else None
    return span or None


def _what(topic: str) -> str:
    return f"News of the topic {topic} is" if topic else "All news is"
