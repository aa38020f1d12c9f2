"""Many at once: of those who saw the same version one wins, and every change is one event."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import pytest

from intermute.entities.features import Features
from intermute.entities.kinds import JOURNEY, SPEC, TASK
from intermute.entities.store import Entities
from intermute.errors import Conflict, IntermuteError, NotFound
from intermute.events.journal import Journal
from storage.clock import Clock
from storage.database import Database
from storage.ids import NewId

PROJECT = "proj-test"
RACERS = 5
BLANK = {"title": "", "vision": "", "users": "", "problem": "", "status": ""}
TASK_BLANK = {"title": "", "story_id": "", "agent": "", "session_id": "", "status": ""}
JOURNEY_BLANK = {
    **dict.fromkeys(("title", "spec_id", "persona", "priority", "entry_point", "exit_point", "status"), ""),
    **dict.fromkeys(("steps", "success_criteria", "error_recovery"), ()),
}


@pytest.fixture
def journal(database: Database, clock: Clock) -> Journal:
    return Journal(database, clock)


@pytest.fixture
def entities(database: Database, journal: Journal, clock: Clock, new_id: NewId) -> Entities:
    return Entities(database, journal, clock, new_id)


async def raced(run: Callable[[int], Awaitable[object]]) -> Sequence[type[IntermuteError] | None]:
    """How it ended for each, when all start together."""
    ready = asyncio.Barrier(RACERS)

    async def one(number: int) -> type[IntermuteError] | None:
        await ready.wait()
        try:
            await run(number)
        except IntermuteError as error:
            return type(error)
        return None

    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        tasks = [group.create_task(one(number)) for number in range(RACERS)]
    return [task.result() for task in tasks]


async def counted(database: Database, type_: str) -> int:
    number: int = await database.fetchval("SELECT count(*) FROM intermute.events WHERE type = $1", type_)
    return number


async def test_of_those_who_replace_the_same_version_one_wins(entities: Entities, database: Database) -> None:
    await entities.create(SPEC, PROJECT, BLANK, entity_id="s")
    ends = await raced(
        lambda number: entities.replace(SPEC, PROJECT, "s", {**BLANK, "title": str(number)}, version=1)
    )
    assert sorted(ends, key=str) == [Conflict] * (RACERS - 1) + [None]
    kept = await entities.read(SPEC, PROJECT, "s")
    assert (kept.version, kept.data["title"]) == (2, str(ends.index(None)))
    assert await counted(database, "spec.updated") == 1


async def test_of_those_who_make_the_same_id_one_wins(entities: Entities, database: Database) -> None:
    ends = await raced(
        lambda number: entities.create(SPEC, PROJECT, {**BLANK, "title": str(number)}, entity_id="s")
    )
    assert sorted(ends, key=str) == [Conflict] * (RACERS - 1) + [None]
    assert (await entities.read(SPEC, PROJECT, "s")).data["title"] == str(ends.index(None))
    assert await counted(database, "spec.created") == 1


async def test_of_those_who_take_the_same_task_one_gets_it(entities: Entities, database: Database) -> None:
    await entities.create(TASK, PROJECT, TASK_BLANK, entity_id="t")
    ends = await raced(lambda number: entities.assign(PROJECT, "t", f"agent-{number}", version=1))
    assert sorted(ends, key=str) == [Conflict] * (RACERS - 1) + [None]
    assert (await entities.read(TASK, PROJECT, "t")).data["agent"] == f"agent-{ends.index(None)}"
    assert await counted(database, "task.assigned") == 1


async def test_what_several_take_out_goes_once(entities: Entities, database: Database) -> None:
    await entities.create(SPEC, PROJECT, BLANK, entity_id="s")
    assert await raced(lambda _: entities.remove(SPEC, PROJECT, "s")) == [None] * RACERS
    assert await counted(database, "spec.archived") == 1


async def test_a_journey_that_goes_while_it_is_linked_leaves_no_links(
    entities: Entities, database: Database, journal: Journal, clock: Clock
) -> None:
    features = Features(database, journal, clock)
    for turn in range(10):
        await entities.create(JOURNEY, PROJECT, JOURNEY_BLANK, entity_id=f"c{turn}")

        async def run(number: int, journey: str = f"c{turn}") -> None:
            if number == 0:
                await entities.remove(JOURNEY, PROJECT, journey)
            else:
                await features.link(PROJECT, journey, f"f{number}")

        ends = await raced(run)
        assert set(ends) <= {None, NotFound}
    assert await database.fetchval("SELECT count(*) FROM intermute.journey_features") == 0
