"""What single kinds have besides: assigned tasks, linked insights and journeys, filtered and sorted lists."""

from typing import Any

import pytest

from tests.clock import HandClock
from tests.intermute.calling import Http

PROJECT = "proj-test"


async def make(http: Http, plural: str, **members: Any) -> dict[str, Any]:
    answer = await http.post(f"/api/{plural}", {"project": PROJECT, **members})
    assert answer.status == 201, answer.text
    entity: dict[str, Any] = answer.body
    return entity


async def ids(http: Http, plural: str, **query: Any) -> list[str]:
    answer = await http.get(f"/api/{plural}", **{"project": PROJECT, **query})
    assert answer.status == 200
    return [entity["id"] for entity in answer.body]


async def test_an_assigned_task_runs_for_its_agent(http: Http) -> None:
    await make(http, "tasks", id="t", title="Do", story_id="s")
    answer = await http.post("/api/tasks/t/assign", {"agent": "agent-x"}, project=PROJECT)
    assert answer.status == 200
    assert (answer["agent"], answer["status"], answer["version"]) == ("agent-x", "running", 2)
    assert (answer["title"], answer["story_id"]) == ("Do", "s")
    assert await ids(http, "tasks", agent="agent-x", status="running") == ["t"]


async def test_a_task_that_is_missing_or_was_changed_is_not_assigned(http: Http) -> None:
    await make(http, "tasks", id="t")
    missing = await http.post("/api/tasks/none/assign", {"agent": "a"}, project=PROJECT)
    stale = await http.post("/api/tasks/t/assign", {"agent": "a", "version": 3}, project=PROJECT)
    nobody = await http.post("/api/tasks/t/assign", {"agent": " "}, project=PROJECT)
    nameless = await http.post("/api/tasks/t/assign", {}, project=PROJECT)
    elsewhere = await http.post("/api/tasks/t/assign", {"agent": "a"}, project="other")
    statuses = [answer.status for answer in (missing, stale, nobody, nameless, elsewhere)]
    assert statuses == [404, 409, 400, 400, 404]
    assert (await http.get("/api/tasks/t", project=PROJECT))["version"] == 1
    assert (await http.get("/api/tasks/t/assign", project=PROJECT)).status == 405


async def test_an_insight_is_linked_to_a_spec_and_found_by_it(http: Http) -> None:
    insight = await make(http, "insights", id="i", title="Seen", score=0.5)
    linked = await http.post("/api/insights/i/link", {"spec_id": "s1"}, project=PROJECT)
    assert (linked.status, linked.text) == (200, "")
    assert await ids(http, "insights", spec="s1") == ["i"]
    assert (await http.get("/api/insights/i", project=PROJECT)).body == {**insight, "spec_id": "s1"}
    await http.post("/api/insights/i/link", {"spec_id": ""}, project=PROJECT)
    assert (await http.get("/api/insights/i", project=PROJECT)).body == insight


async def test_linking_an_insight_that_is_missing_is_not_found(http: Http) -> None:
    answer = await http.post("/api/insights/none/link", {"spec_id": "s"}, project=PROJECT)
    assert (answer.status, answer["error"]) == (404, "insight_not_found")


async def test_a_journey_is_linked_to_features_and_forgets_them_when_it_goes(
    http: Http, clock: HandClock
) -> None:
    await make(http, "cujs", id="c")
    for feature in ("feat-b", "feat-a", "feat-b"):
        await clock.advance(1)
        linked = await http.post("/api/cujs/c/link", {"feature_id": feature}, project=PROJECT)
        assert (linked.status, linked.text) == (200, "")
    links = await http.get("/api/cujs/c/links", project=PROJECT)
    assert links.body == [
        {"cuj_id": "c", "feature_id": name, "project": PROJECT, "linked_at": f"2026-01-05T09:00:{at}Z"}
        for name, at in (("feat-a", "02"), ("feat-b", "03"))
    ]
    for _ in range(2):
        gone = await http.post("/api/cujs/c/unlink", {"feature_id": "feat-a"}, project=PROJECT)
        assert (gone.status, gone.text) == (200, "")
    await http.delete("/api/cujs/c", project=PROJECT)
    await make(http, "cujs", id="c")
    assert (await http.get("/api/cujs/c/links", project=PROJECT)).body == []


async def test_links_of_journeys_are_refused_where_they_make_no_sense(http: Http) -> None:
    await make(http, "cujs", id="c")
    missing = await http.post("/api/cujs/none/link", {"feature_id": "f"}, project=PROJECT)
    nameless = await http.post("/api/cujs/c/link", {"feature_id": ""}, project=PROJECT)
    absent = await http.post("/api/cujs/c/unlink", {}, project=PROJECT)
    assert [answer.status for answer in (missing, nameless, absent)] == [404, 400, 400]
    assert (await http.get("/api/cujs/none/links", project=PROJECT)).body == []
    assert (await http.get("/api/cujs/c/link", project=PROJECT)).status == 405


@pytest.mark.parametrize(
    ("plural", "filters", "match", "other"),
    [
        ("specs", {"status": "draft"}, {"status": "draft"}, {"status": "research"}),
        ("epics", {"spec": "s"}, {"spec_id": "s"}, {"spec_id": "r"}),
        ("stories", {"epic": "e"}, {"epic_id": "e"}, {}),
        ("tasks", {"agent": "a"}, {"agent": "a"}, {"agent": "b"}),
        (
            "tasks",
            {"status": "done", "agent": "a"},
            {"agent": "a", "status": "done"},
            {"agent": "a"},
        ),
        ("insights", {"category": "c", "spec": "s"}, {"category": "c", "spec_id": "s"}, {"category": "c"}),
        ("sessions", {"status": "idle"}, {"status": "idle"}, {}),
        ("cujs", {"spec": "s"}, {"spec_id": "s"}, {}),
    ],
)
async def test_a_list_is_filtered(
    http: Http, plural: str, filters: dict[str, str], match: dict[str, str], other: dict[str, str]
) -> None:
    await make(http, plural, id="yes", **match)
    await make(http, plural, id="no", **other)
    assert await ids(http, plural, **filters) == ["yes"]
    assert await ids(http, plural, **dict.fromkeys(filters, "nothing-like-it")) == []
    assert sorted(await ids(http, plural, **dict.fromkeys(filters, ""))) == ["no", "yes"]


@pytest.mark.parametrize("plural", ["specs", "epics", "stories", "tasks"])
async def test_what_changed_last_is_listed_first(http: Http, plural: str, clock: HandClock) -> None:
    for name in ("one", "two", "three"):
        await make(http, plural, id=name)
        await clock.advance(1)
    await http.put(f"/api/{plural}/one", {"project": PROJECT, "version": 1})
    assert await ids(http, plural) == ["one", "three", "two"]


async def test_sessions_are_listed_by_their_start(http: Http, clock: HandClock) -> None:
    await make(http, "sessions", id="old", started_at="2025-01-01T00:00:00Z")
    await make(http, "sessions", id="new")
    await clock.advance(1)
    await http.put("/api/sessions/old", {"project": PROJECT, "status": "idle"})
    assert await ids(http, "sessions") == ["new", "old"]


async def test_insights_are_listed_by_score_then_by_age(http: Http, clock: HandClock) -> None:
    for name, score in (("low", -1), ("older", 0.5), ("newer", 0.5), ("high", 1e300)):
        await make(http, "insights", id=name, score=score)
        await clock.advance(1)
    assert await ids(http, "insights") == ["high", "newer", "older", "low"]


async def test_journeys_are_listed_in_the_order_of_the_words_of_their_priority(
    http: Http, clock: HandClock
) -> None:
    for name, priority in (("m", "medium"), ("l", "low"), ("h1", "high"), ("h2", "high")):
        await make(http, "cujs", id=name, priority=priority)
        await clock.advance(1)
    assert await ids(http, "cujs") == ["h2", "h1", "l", "m"]
