"""Whatever is sent, sent again and marked, together or one by one: inboxes, threads and counts agree."""

import asyncio
import itertools
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from intermute.errors import Conflict, NotFound
from intermute.events.event import Event
from intermute.limits import Limits
from intermute.messages.letter import Letter
from intermute.messages.mailroom import Mailroom
from intermute.messages.marks import Mark
from intermute.rooms import Given, Rooms
from storage.database import Database
from storage.ids import NewId
from storage.wakeups import Wakeups
from tests.clock import HandClock

AGENTS = ("ana", "ben", "cat")
IDS = ("m1", "m2", "m3", "m4")
some = st.lists(st.sampled_from(AGENTS), max_size=2, unique=True).map(tuple)

_projects = itertools.count()


@dataclass(frozen=True)
class Send:
    id: str
    sender: str
    to: tuple[str, ...]
    cc: tuple[str, ...]
    bcc: tuple[str, ...]
    thread: str
    body: str

    @property
    def everybody(self) -> set[str]:
        return {*self.to, *self.cc, *self.bcc}

    @property
    def lasting(self) -> tuple[object, ...]:
        """What a repeat may not change."""
        return (self.sender, self.thread, {*self.to}, {*self.cc}, {*self.bcc})

    def letter(self, project: str) -> Letter:
        return Letter(
            project=project,
            id=self.id,
            sender=self.sender,
            to=self.to,
            cc=self.cc,
            bcc=self.bcc,
            thread_id=self.thread,
            body=self.body,
        )


@dataclass(frozen=True)
class Read:
    id: str
    agent: str


sends = st.builds(
    Send,
    st.sampled_from(IDS),
    st.sampled_from(AGENTS[:2]),
    st.lists(st.sampled_from(AGENTS), min_size=1, max_size=2).map(tuple),
    some,
    some,
    st.sampled_from(["", "t"]),
    st.sampled_from(["x", "y"]),
)
rounds = st.lists(
    st.lists(sends | st.builds(Read, st.sampled_from(IDS), st.sampled_from(AGENTS)), min_size=1, max_size=6),
    max_size=5,
)


@dataclass
class World:
    """What must be there. Of what came together it is told in which order it happened."""

    sent: dict[str, Send] = field(default_factory=dict)
    read: set[tuple[str, str]] = field(default_factory=set)


async def act(mailroom: Mailroom, project: str, deed: Send | Read) -> str:
    try:
        if isinstance(deed, Send):
            await mailroom.messages.send(deed.letter(project))
        else:
            mark = Mark(project=project, message_id=deed.id, agent=deed.agent, ack=False)
            await mailroom.marks.put(mark)
    except (Conflict, NotFound) as error:
        return error.code
    return "done"


def follow(world: World, deeds: Sequence[Send | Read], fates: Sequence[str], alone: bool) -> None:
    """Take over what happened, and check that it may have."""
    for deed, fate in zip(deeds, fates, strict=True):
        if isinstance(deed, Send) and fate == "done":
            assert world.sent.setdefault(deed.id, deed).lasting == deed.lasting
    for deed, fate in zip(deeds, fates, strict=True):
        standing = world.sent.get(deed.id)
        if isinstance(deed, Send):
            assert standing is not None
            assert (fate == "done") == (standing.lasting == deed.lasting)
            if alone:
                world.sent[deed.id] = deed if fate == "done" else standing
        elif fate == "done":
            assert standing is not None
            assert deed.agent in standing.everybody
            world.read.add((deed.id, deed.agent))
        else:  # a mark that came together with its message may have been too early
            assert not alone or standing is None or deed.agent not in standing.everybody


async def check(mailroom: Mailroom, project: str, world: World, exact: bool) -> None:
    for agent in AGENTS:
        mine = {id_ for id_, send in world.sent.items() if agent in send.everybody}
        rows = await mailroom.inbox.page(project, agent, 0, 1000)
        assert {row["id"] for row in rows} == mine
        assert len(rows) == len(mine)
        if exact:
            assert {row["id"]: row["body"] for row in rows} == {id_: world.sent[id_].body for id_ in mine}
        counts = await mailroom.inbox.counts(project, agent)
        assert (counts.total, counts.total - counts.unread) == (
            len(mine),
            sum(reader == agent for _, reader in world.read),
        )
        talk = [
            send for send in world.sent.values() if send.thread and agent in {send.sender, *send.everybody}
        ]
        threads = await mailroom.threads.page(project, agent, 0, 1000)
        assert [row["message_count"] for row in threads] == ([len(talk)] if talk else [])


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rounds=rounds, alone=st.booleans())
async def test_inboxes_threads_and_counts_agree(
    database: Database,
    wakeups: Wakeups,
    clock: HandClock,
    new_id: NewId,
    rounds: list[list[Send | Read]],
    alone: bool,
) -> None:
    given_ = Given(db=database, wakeups=wakeups, clock=clock, new_id=new_id, limits=Limits())
    rooms = Rooms(given_)
    heard: list[Event] = []
    rooms.journal.subscribe(heard.extend)
    project, world = f"law-{next(_projects)}", World()
    for deeds in rounds:
        if alone:
            for deed in deeds:
                follow(world, [deed], [await act(rooms.mailroom, project, deed)], alone=True)
        else:
            async with asyncio.timeout(30), asyncio.TaskGroup() as tasks:
                acts = [tasks.create_task(act(rooms.mailroom, project, deed)) for deed in deeds]
            follow(world, deeds, [done.result() for done in acts], alone=False)
    await check(rooms.mailroom, project, world, exact=alone)
    told: defaultdict[str, list[str]] = defaultdict(list)
    for event in heard:
        told[event.type].append(event.data["message_id"])
    assert sorted(told["message.created"]) == sorted(world.sent)
    assert len(told["message.read"]) == len(world.read)
