"""Retention: what is older than the policy says goes, except what somebody still needs."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from intermute.entities.kinds import INSIGHT, SPEC
from intermute.entities.store import Entities
from intermute.events.history import History
from intermute.events.journal import Journal
from intermute.limits import Retention
from intermute.retention import EVERY, Pruner, Removed
from intermute.service import Service
from storage.background import background
from storage.database import Database
from storage.ids import NewId
from tests.clock import HandClock
from tests.intermute.calling import Http

HOUR = 3600.0
DAY = 24 * HOUR
#: the shortest policy: turning the clock wakes every loop of the service on the way
POLICY = Retention(messages=1, events=1, reservations=1)
BLANK = {"title": "", "vision": "", "users": "", "problem": "", "status": ""}


@pytest.fixture
def journal(database: Database, clock: HandClock) -> Journal:
    return Journal(database, clock)


@pytest.fixture
def entities(database: Database, journal: Journal, clock: HandClock, new_id: NewId) -> Entities:
    return Entities(database, journal, clock, new_id)


@pytest.fixture
def pruner(database: Database, clock: HandClock) -> Pruner:
    return Pruner(database, clock, POLICY)


async def write(http: Http, message: str, to: Sequence[str], **members: Any) -> None:
    body = {"project": "p", "from": "ana", "id": message, "to": list(to), "body": f"the words of {message}"}
    answer = await http.post("/api/messages", {**body, **members})
    assert answer.status == 200, answer.text


async def mark(http: Http, message: str, agent: str, action: str = "read") -> None:
    answer = await http.post(f"/api/messages/{message}/{action}", {"agent": agent}, project="p")
    assert answer.status == 200, answer.text


async def kept(database: Database) -> list[str]:
    return [row["id"] for row in await database.fetch("SELECT id FROM intermute.messages ORDER BY cursor")]


async def rows(database: Database, table: str) -> int:
    number: int = await database.fetchval(f"SELECT count(*) FROM intermute.{table}")  # noqa: S608
    return number


async def seen(http: Http, agent: str) -> None:
    answer = await http.post("/api/agents", {"id": agent, "name": agent, "project": "p"})
    assert answer.status == 200, answer.text


async def test_without_a_policy_nothing_goes(
    http: Http, database: Database, clock: HandClock, entities: Entities
) -> None:
    await write(http, "old", ["ben"])
    await entities.create(SPEC, "p", BLANK)
    await clock.advance(DAY + HOUR)
    assert not await Pruner(database, clock, Retention()).prune()
    assert await kept(database) == ["old"]
    assert await rows(database, "events") == 2


async def test_what_is_read_goes_when_it_is_old_with_all_its_rows(
    http: Http, service: Service, database: Database, clock: HandClock, pruner: Pruner
) -> None:
    await seen(http, "ben")
    await write(http, "old", ["ben"], cc=["cy"], bcc=["dan"], thread_id="t", topic="build")
    await mark(http, "old", "ben")
    await clock.advance(DAY + HOUR)
    await seen(http, "ben")
    await write(http, "young", ["ben"])
    assert (await pruner.prune()).messages == 1
    assert await kept(database) == ["young"]
    inbox = await http.get("/api/inbox/ben", project="p")
    assert [message["id"] for message in inbox["messages"]] == ["young"]
    assert (await http.get("/api/threads", agent="ana", project="p"))["threads"] == []
    assert await rows(database, "inbox") == 1
    assert await rows(database, "threads") == 0
    assert await rows(database, "words") <= 1


async def test_what_an_agent_that_is_there_has_not_read_stays(
    http: Http, database: Database, clock: HandClock, pruner: Pruner
) -> None:
    await write(http, "unread", ["ben"])
    await write(http, "unread by one", ["ana", "ben"])
    await write(http, "not acknowledged", ["ben"], ack_required=True)
    await write(http, "acknowledged", ["ben"], ack_required=True)
    await write(http, "read", ["ben"])
    await mark(http, "unread by one", "ana")
    for message in ("not acknowledged", "read"):
        await mark(http, message, "ben")
    await mark(http, "acknowledged", "ben", "ack")
    await clock.advance(DAY + HOUR)
    await seen(http, "ben")
    assert (await pruner.prune()).messages == 2
    assert await kept(database) == ["unread", "unread by one", "not acknowledged"]


async def test_what_nobody_will_ever_read_goes(
    http: Http, database: Database, clock: HandClock, pruner: Pruner
) -> None:
    await seen(http, "ben")
    await write(http, "to one who left", ["ben"])
    await write(http, "to a stranger", ["somebody"])
    await clock.advance(DAY + HOUR)
    assert (await pruner.prune()).messages == 2
    assert await kept(database) == []


async def test_a_thread_is_told_without_what_went(
    http: Http, database: Database, clock: HandClock, pruner: Pruner
) -> None:
    await write(http, "first", ["ben"], thread_id="t")
    await write(http, "again", ["ben", "ben"], cc=["ana"], thread_id="t")
    await clock.advance(DAY - HOUR)
    await write(http, "late", ["ben"], thread_id="t")
    await clock.advance(2 * HOUR)
    assert (await pruner.prune()).messages == 2
    for agent in ("ana", "ben"):
        (thread,) = (await http.get("/api/threads", agent=agent, project="p"))["threads"]
        assert (thread["message_count"], thread["last_body"]) == (1, "the words of late")


async def test_a_thread_whose_newest_message_went_ends_with_the_one_that_stays(
    http: Http, database: Database, clock: HandClock, pruner: Pruner
) -> None:
    await write(http, "unread", ["ben"], thread_id="t")
    await write(http, "read", ["ben"], thread_id="t")
    await mark(http, "read", "ben")
    await clock.advance(DAY + HOUR)
    await seen(http, "ben")
    assert (await pruner.prune()).messages == 1
    (thread,) = (await http.get("/api/threads", agent="ben", project="p"))["threads"]
    assert (thread["message_count"], thread["last_cursor"], thread["last_body"]) == (
        1,
        1,
        "the words of unread",
    )


async def test_more_than_fits_one_transaction_goes_as_well(
    http: Http, database: Database, clock: HandClock, pruner: Pruner
) -> None:
    async with asyncio.TaskGroup() as group:
        for number in range(450):
            group.create_task(write(http, f"m{number}", ["ben"], thread_id=f"t{number % 3}"))
    await clock.advance(DAY + HOUR)
    removed = await pruner.prune()
    assert (removed.messages, removed.events) == (450, 450)
    assert await rows(database, "threads") == 0
    assert await rows(database, "inbox") == 0


async def test_old_events_go_and_the_log_says_from_where_it_is_complete(
    database: Database, clock: HandClock, entities: Entities, pruner: Pruner
) -> None:
    for number in range(3):
        await entities.create(SPEC, "p", BLANK, entity_id=f"s{number}")
        await entities.remove(SPEC, "p", f"s{number}")
    await clock.advance(DAY + HOUR)
    await entities.create(SPEC, "p", BLANK)
    history = History(database)
    assert await history.oldest() == 1
    assert (await pruner.prune()).events == 6
    assert await history.oldest() == 7
    assert await history.head() == 7


async def test_of_an_entity_that_is_still_there_the_last_whole_picture_stays(
    database: Database, clock: HandClock, entities: Entities, pruner: Pruner
) -> None:
    await entities.create(SPEC, "p", BLANK, entity_id="one")
    await entities.replace(SPEC, "p", "one", {**BLANK, "title": "Second"}, version=1)
    await entities.replace(SPEC, "p", "one", {**BLANK, "title": "Third"}, version=2)
    insight = {"title": "", "spec_id": "", "source": "", "category": "", "body": "", "url": "", "score": 1.0}
    await entities.create(INSIGHT, "p", insight, entity_id="one")
    await entities.link_insight("p", "one", "s")
    await entities.create(SPEC, "q", BLANK, entity_id="one")
    await clock.advance(DAY + HOUR)
    await entities.create(SPEC, "p", BLANK, entity_id="two")
    assert (await pruner.prune()).events == 3
    log = await database.fetch("SELECT project, type, data FROM intermute.events ORDER BY cursor")
    assert [(row["project"], row["type"], row["data"]["data"]["id"]) for row in log] == [
        ("p", "spec.updated", "one"),
        ("p", "insight.created", "one"),
        ("q", "spec.created", "one"),
        ("p", "spec.created", "two"),
    ]
    assert log[0]["data"]["data"]["title"] == "Third"
    assert (await pruner.prune()).events == 0
    assert await History(database).oldest() == 6


async def test_reservations_go_when_they_have_ended_long_ago(
    http: Http, database: Database, clock: HandClock, pruner: Pruner
) -> None:
    ids = []
    for path in ("a", "b"):
        wanted = {"agent_id": "ana", "project": "p", "path_pattern": path, "ttl_minutes": 24 * 60}
        made = await http.post("/api/reservations", wanted)
        assert made.status == 201
        ids.append(made["id"])
    assert (await http.delete(f"/api/reservations/{ids[0]}")).status == 200
    await clock.advance(DAY + HOUR)
    assert (await pruner.prune()).reservations == 1
    assert [row["id"] for row in await database.fetch("SELECT id FROM intermute.reservations")] == ids[1:]


async def test_a_rehearsal_counts_and_removes_nothing(
    http: Http, database: Database, clock: HandClock, pruner: Pruner, entities: Entities
) -> None:
    await write(http, "old", ["ben"], thread_id="t")
    await entities.create(SPEC, "p", BLANK, entity_id="s")
    await entities.remove(SPEC, "p", "s")
    await clock.advance(DAY + HOUR)
    assert await pruner.prune(rehearse=True) == Removed(messages=1, events=3)
    assert (await kept(database), await rows(database, "events")) == (["old"], 3)
    assert await History(database).oldest() == 1
    removed = await pruner.prune()
    assert removed == Removed(messages=1, events=3)
    await pruner.compact(removed)


async def test_a_second_process_leaves_it_to_the_first(
    http: Http, database: Database, clock: HandClock, pruner: Pruner
) -> None:
    await write(http, "old", ["ben"])
    await clock.advance(DAY + HOUR)
    async with database.transaction() as other:
        assert await other.fetchval("SELECT pg_try_advisory_xact_lock(0x7072756e65)")
        assert not await pruner.prune()
    assert (await pruner.prune()).messages == 1


async def test_a_request_that_holds_a_row_goes_first(
    http: Http, database: Database, clock: HandClock
) -> None:
    await write(http, "old", ["ben"])
    await clock.advance(DAY + HOUR)
    own_clock = HandClock(clock.now())
    pruner = Pruner(database, own_clock, POLICY)
    async with asyncio.TaskGroup() as group:
        async with database.transaction() as request:
            await request.execute("SELECT FROM intermute.inbox FOR UPDATE")
            pruning = group.create_task(pruner.prune())
            await own_clock.until_sleeping()
            # What gave way holds nothing: the request takes the counter as every writer does.
            await request.execute("SELECT FROM intermute.counter FOR UPDATE NOWAIT")
        await own_clock.advance(1)
    assert pruning.result().messages == 1


async def test_it_goes_by_itself_every_few_hours(http: Http, database: Database, clock: HandClock) -> None:
    await write(http, "old", ["ben"])
    own_clock = HandClock(clock.now())
    async with background(Pruner(database, own_clock, POLICY).run()):
        for hours_later in (0, DAY, EVERY):
            assert await kept(database) == ["old"]
            await own_clock.advance(hours_later)
            await own_clock.until_sleeping()
        assert await kept(database) == []


async def test_a_pass_that_fails_is_followed_by_the_next(database: Database) -> None:
    clock = HandClock()
    await database.execute("ALTER TABLE intermute.events RENAME TO elsewhere")
    async with background(Pruner(database, clock, POLICY).run()):
        await clock.until_sleeping()
        await database.execute("ALTER TABLE intermute.elsewhere RENAME TO events")
        await database.execute(
            "INSERT INTO intermute.events (cursor, project, type, data, at) VALUES (1, 'p', 'x', '{}', $1)",
            clock.now() - timedelta(days=2),
        )
        await clock.advance(EVERY)
        await clock.until_sleeping()
        assert await rows(database, "events") == 0
