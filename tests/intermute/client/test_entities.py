"""Work entities by our client."""

from typing import Any

import pytest

from intermute.client import Client, Conflict, Missing
from intermute.client.entities import (
    Entities,
    Entity,
    Epic,
    Insight,
    Journey,
    Session,
    Spec,
    Step,
    Story,
    Task,
)

ROOMS: list[tuple[str, Entity]] = [
    ("specs", Spec(title="One", vision="v")),
    ("epics", Epic(title="One", spec_id="s")),
    ("stories", Story(title="One", epic_id="e", acceptance_criteria=("a", "b"))),
    ("tasks", Task(title="One", agent="ann")),
    ("insights", Insight(title="One", source="s", category="c", score=0.5)),
    ("sessions", Session(name="One", agent="ann")),
    ("journeys", Journey(title="One", spec_id="s", steps=(Step(order=1, action="a", expected="e"),))),
]


@pytest.mark.parametrize(("room", "given"), ROOMS, ids=[room for room, _ in ROOMS])
async def test_every_kind_is_made_read_listed_and_deleted(client: Client, room: str, given: Entity) -> None:
    entities: Entities[Any] = getattr(client, room)
    made = await entities.create(given)
    assert made.project == "alpha"
    assert {name: getattr(made, name) for name in given.model_fields_set} == {
        name: getattr(given, name) for name in given.model_fields_set
    }
    assert await entities.get(made.id) == made
    assert await entities.list() == (made,)
    await entities.delete(made.id)
    with pytest.raises(Missing):
        await entities.get(made.id)


async def test_who_is_slower_gets_a_conflict(client: Client) -> None:
    made = await client.specs.create(Spec(title="One"))
    changed = await client.specs.update(made.model_copy(update={"title": "Two"}))
    assert (changed.version, changed.title) == (2, "Two")
    with pytest.raises(Conflict):
        await client.specs.update(made.model_copy(update={"title": "Three"}))
    with pytest.raises(Conflict):
        await client.specs.create(made)


async def test_lists_are_narrowed(client: Client) -> None:
    task = await client.tasks.create(Task(title="One"))
    await client.tasks.create(Task(title="Two"))
    given = await client.tasks.assign(task.id, "bob")
    assert (given.agent, given.status) == ("bob", "running")
    assert await client.tasks.list(agent="bob", status="running") == (given,)


async def test_insights_and_journeys_are_linked(client: Client) -> None:
    spec = await client.specs.create(Spec(title="One"))
    insight = await client.insights.create(Insight(title="One", source="s", category="c"))
    await client.insights.link(insight.id, spec.id)
    assert [each.id for each in await client.insights.list(spec=spec.id)] == [insight.id]
    journey = await client.journeys.create(Journey(title="One", spec_id=spec.id))
    await client.journeys.link(journey.id, "feature")
    assert [each.feature_id for each in await client.journeys.links(journey.id)] == ["feature"]
    await client.journeys.unlink(journey.id, "feature")
    assert list(await client.journeys.links(journey.id)) == []
