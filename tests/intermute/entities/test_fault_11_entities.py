"""Fault 11 of the original: entities without a log, 409 for what is missing, any status, 500 for a double."""

import json
from typing import Any

import pytest

from storage.database import Database
from tests.intermute.calling import Http

PROJECT = "proj-test"


async def events(database: Database, project: str = PROJECT) -> list[tuple[str, dict[str, Any]]]:
    rows = await database.fetch(
        "SELECT type, data, audience FROM intermute.events WHERE project = $1 ORDER BY cursor", project
    )
    assert all(row["audience"] is None for row in rows)
    return [(row["type"], row["data"]) for row in rows]


async def test_fault_11_every_change_of_an_entity_is_in_the_event_log(http: Http, database: Database) -> None:
    for plural in ("specs", "epics", "stories", "tasks", "sessions", "cujs", "insights"):
        made = await http.post(f"/api/{plural}", {"project": PROJECT, "id": plural})
        assert made.status == 201
        if plural != "insights":
            replaced = await http.put(f"/api/{plural}/{plural}", {"project": PROJECT, "version": 1})
            assert replaced.status == 200
        await http.delete(f"/api/{plural}/{plural}", project=PROJECT)
    told = [type_ for type_, _ in await events(database)]
    assert told == [
        *("spec.created", "spec.updated", "spec.archived"),
        *("epic.created", "epic.updated", "epic.deleted"),
        *("story.created", "story.updated", "story.deleted"),
        *("task.created", "task.updated", "task.deleted"),
        *("session.started", "session.updated", "session.stopped"),
        *("cuj.created", "cuj.updated", "cuj.archived"),
        *("insight.created", "insight.deleted"),
    ]


async def test_fault_11_an_event_holds_the_entity_as_it_was_then(http: Http, database: Database) -> None:
    created = await http.post("/api/tasks", {"project": PROJECT, "id": "t", "title": "One"})
    assigned = await http.post("/api/tasks/t/assign", {"agent": "bob"}, project=PROJECT)
    finished = await http.put(
        "/api/tasks/t", {"project": PROJECT, "title": "One", "status": "done", "version": 2}
    )
    await http.delete("/api/tasks/t", project=PROJECT)
    assert await events(database) == [
        ("task.created", {"entity_id": "t", "data": created.body}),
        ("task.assigned", {"entity_id": "t", "data": assigned.body}),
        ("task.completed", {"entity_id": "t", "data": finished.body}),
        ("task.deleted", {"entity_id": "t", "data": None}),
    ]


async def test_fault_11_what_changed_nothing_is_not_told(http: Http, database: Database) -> None:
    await http.post("/api/specs", {"project": PROJECT, "id": "s"})
    refused = [
        await http.post("/api/specs", {"project": PROJECT, "id": "s"}),
        await http.put("/api/specs/s", {"project": PROJECT, "version": 9}),
        await http.put("/api/specs/s", {"project": PROJECT, "version": 1, "status": "wild"}),
        await http.delete("/api/specs/none", project=PROJECT),
        await http.post("/api/cujs/none/unlink", {"feature_id": "f"}, project=PROJECT),
    ]
    assert [answer.status for answer in refused] == [409, 409, 400, 204, 200]
    assert [type_ for type_, _ in await events(database)] == ["spec.created"]


@pytest.mark.parametrize("plural", ["specs", "epics", "stories", "tasks", "sessions", "cujs"])
async def test_fault_11_replacing_what_is_missing_is_not_found(http: Http, plural: str) -> None:
    answer = await http.put(f"/api/{plural}/none", {"project": PROJECT, "version": 1})
    assert answer.status == 404


@pytest.mark.parametrize(
    ("plural", "wild", "allowed"),
    [
        ("specs", {"status": "done"}, ["draft", "research", "validated", "archived"]),
        ("epics", {"status": "todo"}, ["open", "in_progress", "done"]),
        ("stories", {"status": "Todo"}, ["todo", "in_progress", "review", "done"]),
        ("tasks", {"status": " pending"}, ["pending", "running", "blocked", "done"]),
        ("sessions", {"status": "stopped"}, ["running", "idle", "error"]),
        ("cujs", {"status": "done"}, ["draft", "validated", "archived"]),
        ("cujs", {"priority": "urgent"}, ["high", "medium", "low"]),
    ],
)
async def test_fault_11_a_word_that_is_none_of_the_few_is_refused(
    http: Http, plural: str, wild: dict[str, str], allowed: list[str]
) -> None:
    (name,) = wild
    refused = await http.post(f"/api/{plural}", {"project": PROJECT, **wild})
    assert (refused.status, refused["error"], refused["allowed"]) == (400, f"invalid_{name}", allowed)
    for word in allowed:
        assert (await http.post(f"/api/{plural}", {"project": PROJECT, name: word})).status == 201


async def test_fault_11_a_double_is_a_conflict_and_changes_nothing(http: Http) -> None:
    first = await http.post("/api/epics", {"project": PROJECT, "id": "e", "title": "First"})
    double = await http.post("/api/epics", {"project": PROJECT, "id": "e", "title": "Second"})
    assert double.status == 409
    assert json.loads(double.text)["id"] == "e"
    assert (await http.get("/api/epics/e", project=PROJECT)).body == first.body
