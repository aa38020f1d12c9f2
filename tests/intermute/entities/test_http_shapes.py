"""Every kind over HTTP: made, read, listed, replaced, taken out, with the codes and shapes clients decode."""

import re
from typing import Any

import pytest

from tests.intermute.calling import Http

PROJECT = "proj-test"
UNSET = "0001-01-01T00:00:00Z"
RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z")

#: kind -> a body, what it comes back with when nothing but the project is given
FULL: dict[str, dict[str, Any]] = {
    "specs": {"title": "T", "vision": "V", "users": "U", "problem": "P", "status": "research"},
    "epics": {"title": "T", "spec_id": "s", "description": "D", "status": "in_progress"},
    "stories": {"title": "T", "epic_id": "e", "acceptance_criteria": ["one", "two"], "status": "review"},
    "tasks": {"title": "T", "story_id": "s", "agent": "a", "session_id": "x", "status": "blocked"},
    "insights": {
        "title": "T",
        "spec_id": "s",
        "source": "S",
        "category": "C",
        "body": "B",
        "url": "https://example.org/<&>",
        "score": 0.85,
    },
    "sessions": {"name": "N", "agent": "a", "task_id": "t", "status": "idle"},
    "cujs": {
        "title": "T",
        "spec_id": "s",
        "persona": "P",
        "priority": "high",
        "entry_point": "in",
        "exit_point": "out",
        "steps": [
            {"order": 1, "action": "A", "expected": "E"},
            {"order": 2, "action": "A", "expected": "E", "alternatives": ["other"]},
        ],
        "success_criteria": ["fast"],
        "error_recovery": ["again"],
        "status": "validated",
    },
}
EMPTY: dict[str, dict[str, Any]] = {
    "specs": {"title": "", "status": "draft"},
    "epics": {"title": "", "status": "open"},
    "stories": {"title": "", "epic_id": "", "status": "todo"},
    "tasks": {"title": "", "status": "pending"},
    "insights": {"title": "", "source": "", "category": "", "score": 0},
    "sessions": {"name": "", "agent": "", "status": "running"},
    "cujs": {"title": "", "spec_id": "", "priority": "medium", "status": "draft"},
}
TIMES = {
    "insights": ("created_at",),
    "sessions": ("started_at", "updated_at"),
}
VERSIONED = ("specs", "epics", "stories", "tasks", "cujs")
REPLACEABLE = (*VERSIONED, "sessions")

every_kind = pytest.mark.parametrize("plural", FULL)
versioned_kind = pytest.mark.parametrize("plural", VERSIONED)


def times_of(plural: str) -> tuple[str, ...]:
    return TIMES.get(plural, ("created_at", "updated_at"))


def own(plural: str, entity: dict[str, Any]) -> dict[str, Any]:
    """The members of the kind's own."""
    return {
        name: value
        for name, value in entity.items()
        if name not in ("id", "project", "version", *times_of(plural))
    }


async def made(http: Http, plural: str, **members: Any) -> dict[str, Any]:
    answer = await http.post(f"/api/{plural}", {"project": PROJECT, **members})
    assert answer.status == 201, answer.text
    entity: dict[str, Any] = answer.body
    return entity


@every_kind
async def test_a_full_entity_comes_back_as_it_was_sent(http: Http, plural: str) -> None:
    created = await made(http, plural, **FULL[plural])
    assert own(plural, created) == FULL[plural]
    assert created["id"]
    assert created["project"] == PROJECT
    assert created.get("version") == (1 if plural in VERSIONED else None)
    for name in times_of(plural):
        assert RFC3339.fullmatch(created[name])

    read = await http.get(f"/api/{plural}/{created['id']}", project=PROJECT)
    assert (read.status, read.body) == (200, created)
    listed = await http.get(f"/api/{plural}", project=PROJECT)
    assert (listed.status, listed.body) == (200, [created])


@every_kind
async def test_an_empty_entity_has_its_defaults_and_leaves_out_what_is_empty(http: Http, plural: str) -> None:
    created = await made(http, plural)
    assert own(plural, created) == EMPTY[plural]


@every_kind
async def test_the_times_of_go_that_are_not_set_are_not_set(http: Http, plural: str, clock: Any) -> None:
    unset = dict.fromkeys(times_of(plural), UNSET)
    created = await made(http, plural, id="", version=0, **unset)
    assert {created[name] for name in times_of(plural)} == {"2026-01-05T09:00:00Z"}


@every_kind
async def test_times_and_ids_that_are_set_are_kept(http: Http, plural: str) -> None:
    given = dict.fromkeys(times_of(plural), "2025-12-24T18:30:00.25+01:00")
    created = await made(http, plural, id="mine/1 ü", **given)
    assert created["id"] == "mine/1 ü"
    assert {created[name] for name in times_of(plural)} == {"2025-12-24T17:30:00.25Z"}
    read = await http.get(f"/api/{plural}/mine%2F1%20%C3%BC", project=PROJECT)
    assert (read.status, read.body) == (200, created)


@every_kind
async def test_a_second_entity_with_the_same_id_is_a_conflict(http: Http, plural: str) -> None:
    await made(http, plural, id="one")
    again = await http.post(f"/api/{plural}", {"project": PROJECT, "id": "one"})
    assert (again.status, again["error"]) == (409, "already_exists")
    assert " a epic" not in again["message"]
    elsewhere = await http.post(f"/api/{plural}", {"project": "other", "id": "one"})
    assert elsewhere.status == 201


@every_kind
async def test_what_is_not_there_is_not_found(http: Http, plural: str) -> None:
    await made(http, plural, id="one")
    for project, entity_id in ((PROJECT, "two"), ("other", "one"), ("", "one")):
        answer = await http.get(f"/api/{plural}/{entity_id}", project=project)
        assert answer.status == 404
        assert answer["error"].endswith("_not_found")


@every_kind
async def test_deleting_is_always_well_and_without_a_body(http: Http, plural: str) -> None:
    await made(http, plural, id="one")
    for entity_id in ("one", "one", "never"):
        answer = await http.delete(f"/api/{plural}/{entity_id}", project=PROJECT)
        assert (answer.status, answer.text) == (204, "")
    assert (await http.get(f"/api/{plural}/one", project=PROJECT)).status == 404


@every_kind
async def test_a_collection_takes_get_and_post_only(http: Http, plural: str) -> None:
    for method in ("DELETE", "PUT", "PATCH"):
        answer = await http.request(method, f"/api/{plural}")
        assert answer.status == 405
        assert set(answer.headers["Allow"].split(", ")) == {"GET", "POST"}


@pytest.mark.parametrize("plural", REPLACEABLE)
async def test_replacing_takes_the_place_of_everything_but_the_birth(
    http: Http, plural: str, clock: Any
) -> None:
    created = await made(http, plural, id="one", **FULL[plural])
    await clock.advance(1.5)
    name = "name" if plural == "sessions" else "title"
    version = {"version": 1} if plural in VERSIONED else {}
    body = {
        "project": PROJECT,
        "id": "another",
        name: "New",
        **version,
        **dict.fromkeys(times_of(plural), UNSET),
    }
    answer = await http.put(f"/api/{plural}/one", body)
    assert answer.status == 200
    kept = {word: FULL[plural][word] for word in ("status", "priority") if word in FULL[plural]}
    assert own(plural, answer.body) == EMPTY[plural] | kept | {name: "New"}
    assert answer["id"] == "one"
    born, changed = times_of(plural)
    assert (answer[born], answer[changed]) == (created[born], "2026-01-05T09:00:01.5Z")
    assert answer.body.get("version") == (2 if plural in VERSIONED else None)
    assert (await http.get(f"/api/{plural}/one", project=PROJECT)).body == answer.body


@versioned_kind
async def test_another_version_is_a_conflict_that_names_the_one_on_record(http: Http, plural: str) -> None:
    await made(http, plural, id="one")
    stales: tuple[dict[str, int], ...] = ({}, {"version": 0}, {"version": 2})
    for stale in stales:
        answer = await http.put(f"/api/{plural}/one", {"project": PROJECT, "title": "x", **stale})
        assert (answer.status, answer["error"], answer["version"]) == (409, "version_conflict", 1)
    assert (await http.get(f"/api/{plural}/one", project=PROJECT))["title"] == ""


async def test_an_insight_is_never_replaced(http: Http) -> None:
    await made(http, "insights", id="one")
    answer = await http.put("/api/insights/one", {"project": PROJECT})
    assert answer.status == 405


async def test_a_journey_may_begin_with_a_version_of_its_own(http: Http) -> None:
    assert (await made(http, "cujs", version=7))["version"] == 7
    assert (await made(http, "specs", version=7))["version"] == 1


@pytest.mark.parametrize(
    ("plural", "members"),
    [
        ("specs", {"title": 5}),
        ("specs", {"title": "x" * 4001}),
        ("specs", {"title": "a\0b"}),
        ("specs", {"id": "x" * 201}),
        ("specs", {"version": "1"}),
        ("specs", {"version": -1}),
        ("specs", {"version": 2**63}),
        ("specs", {"created_at": "yesterday"}),
        ("specs", {"created_at": 5}),
        ("specs", {"updated_at": "9999-12-31T23:59:59-12:00"}),
        ("stories", {"acceptance_criteria": "one"}),
        ("stories", {"acceptance_criteria": [1]}),
        ("insights", {"score": "high"}),
        ("insights", {"score": True}),
        ("cujs", {"steps": [{"order": "1"}]}),
        ("cujs", {"steps": ["first"]}),
        ("cujs", {"priority": "urgent"}),
    ],
)
async def test_wrong_members_are_refused_and_nothing_is_kept(
    http: Http, plural: str, members: dict[str, Any]
) -> None:
    answer = await http.post(f"/api/{plural}", {"project": PROJECT, **members})
    assert answer.status == 400
    assert answer["error"]
    assert (await http.get(f"/api/{plural}", project=PROJECT)).body == []


async def test_numbers_that_are_not_finite_are_refused(http: Http) -> None:
    for score in (b"1e999", b"NaN", b"-Infinity"):
        answer = await http.request("POST", "/api/insights", data=b'{"project":"p","score":%s}' % score)
        assert answer.status == 400
