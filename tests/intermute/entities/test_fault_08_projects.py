"""Fault 8 of the original, for entities: the key of one project reads and changes nothing of another."""

import pytest

from tests.intermute.calling import Http

PLURALS = ("specs", "epics", "stories", "tasks", "insights", "sessions", "cujs")
every_kind = pytest.mark.parametrize("plural", PLURALS)


@every_kind
async def test_fault_08_a_key_sees_its_own_project_whatever_it_asks_for(
    http: Http, alpha: Http, plural: str
) -> None:
    await http.post(f"/api/{plural}", {"project": "alpha", "id": "ours"})
    await http.post(f"/api/{plural}", {"project": "beta", "id": "theirs"})
    for query in ({}, {"project": "alpha"}, {"project": "beta"}):
        listed = await alpha.get(f"/api/{plural}", **query)
        assert [entity["id"] for entity in listed.body] == ["ours"]
        assert (await alpha.get(f"/api/{plural}/theirs", **query)).status == 404
        assert (await alpha.get(f"/api/{plural}/ours", **query)).status == 200


@every_kind
async def test_fault_08_a_key_writes_to_its_own_project_only(http: Http, alpha: Http, plural: str) -> None:
    await http.post(f"/api/{plural}", {"project": "beta", "id": "theirs"})
    for body in ({"project": "beta"}, {"project": ""}, {}):
        assert (await alpha.post(f"/api/{plural}", body)).status == 403
        if plural != "insights":
            refused = await alpha.put(f"/api/{plural}/theirs", {"version": 1, **body})
            assert (refused.status, refused["error"]) == (403, "project_mismatch")
    assert (await alpha.delete(f"/api/{plural}/theirs", project="beta")).status == 204
    assert (await http.get(f"/api/{plural}/theirs", project="beta")).status == 200
    assert (await alpha.post(f"/api/{plural}", {"project": "alpha", "id": "theirs"})).status == 201


async def test_fault_08_links_and_assignments_stay_in_the_project_of_the_key(http: Http, alpha: Http) -> None:
    for plural in ("tasks", "insights", "cujs"):
        await http.post(f"/api/{plural}", {"project": "beta", "id": "theirs"})
    await http.post("/api/cujs/theirs/link", {"feature_id": "f"}, project="beta")
    tried = [
        await alpha.post("/api/tasks/theirs/assign", {"agent": "a"}, project="beta"),
        await alpha.post("/api/insights/theirs/link", {"spec_id": "s"}, project="beta"),
        await alpha.post("/api/cujs/theirs/link", {"feature_id": "g"}, project="beta"),
        await alpha.post("/api/cujs/theirs/unlink", {"feature_id": "f"}, project="beta"),
    ]
    assert [answer.status for answer in tried] == [404, 404, 404, 200]
    assert (await alpha.get("/api/cujs/theirs/links", project="beta")).body == []
    links = await http.get("/api/cujs/theirs/links", project="beta")
    assert [link["feature_id"] for link in links.body] == ["f"]
