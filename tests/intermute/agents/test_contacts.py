"""Whom an agent takes messages from, as it says over HTTP."""

import pytest

from storage.database import Database
from tests.intermute.calling import Http


async def register(http: Http, *ids: str) -> None:
    for id_ in ids:
        assert (await http.post("/api/agents", {"id": id_, "project": "p"})).status == 200


async def test_somebody_unknown_has_the_usual_policies(http: Http) -> None:
    answer = await http.get("/api/agents/nobody/policy")
    usual = {"agent_id": "nobody", "policy": "open", "live_contact_policy": "contacts_only"}
    assert (answer.status, answer.body) == (200, usual)


@pytest.mark.parametrize("method", ["POST", "PUT"])
async def test_each_policy_is_set_without_the_other(http: Http, method: str) -> None:
    await register(http, "a")
    path = "/api/agents/a/policy"
    first = await http.request(method, path, {"policy": "auto"})
    assert (first.status, first["policy"], first["live_contact_policy"]) == (200, "auto", "contacts_only")
    second = await http.request(method, path, {"live_contact_policy": "block_all"})
    assert (second["policy"], second["live_contact_policy"]) == ("auto", "block_all")
    assert (await http.get(path)).body == second.body


async def test_policies_that_are_none_are_refused_in_words_clients_know(http: Http) -> None:
    await register(http, "a")
    path, four = "/api/agents/a/policy", "must be open, auto, contacts_only, or block_all"
    for body, error in (
        ({}, "policy or live_contact_policy required"),
        ({"policy": ""}, "policy or live_contact_policy required"),
        ({"policy": "closed"}, f"invalid policy: {four}"),
        ({"policy": "open", "live_contact_policy": "x"}, f"invalid live_contact_policy: {four}"),
    ):
        answer = await http.post(path, body)
        assert (answer.status, answer["error"]) == (400, error)
    assert (await http.get(path))["policy"] == "open"


async def test_fault_04_a_policy_of_an_unknown_agent_is_not_found(http: Http) -> None:
    assert (await http.post("/api/agents/nobody/policy", {"policy": "open"})).status == 404


async def test_a_policy_holds_from_the_moment_it_is_set(http: Http) -> None:
    await register(http, "bob")
    letter = {"project": "p", "from": "alice", "to": ["bob"], "body": "x"}
    assert (await http.post("/api/messages", letter)).status == 200
    await http.post("/api/agents/bob/policy", {"policy": "block_all"})
    refused = await http.post("/api/messages", letter)
    assert (refused.status, refused["error"], refused["denied"]) == (403, "policy_denied", ["bob"])
    await http.post("/api/agents/bob/policy", {"policy": "open"})
    assert (await http.post("/api/messages", letter)).status == 200


async def test_fault_10_contacts_are_added_listed_and_removed(http: Http) -> None:
    await register(http, "bob")
    await http.post("/api/agents/bob/policy", {"policy": "contacts_only"})
    letter = {"project": "p", "from": "alice", "to": ["bob"], "body": "x"}
    assert (await http.post("/api/messages", letter)).status == 403

    added = await http.post("/api/agents/bob/contacts", {"contact": "alice"})
    assert (added.status, added.body) == (200, {"agent_id": "bob", "contacts": ["alice"]})
    more = await http.post("/api/agents/bob/contacts", {"contacts": ["carol", "alice", "dan"]})
    assert more["contacts"] == ["alice", "carol", "dan"]
    assert (await http.post("/api/messages", letter)).status == 200

    for _ in range(2):
        assert (await http.request("DELETE", "/api/agents/bob/contacts/alice")).status == 204
    assert (await http.get("/api/agents/bob/contacts"))["contacts"] == ["carol", "dan"]
    assert (await http.post("/api/messages", letter)).status == 403


async def test_contacts_come_in_pages(http: Http) -> None:
    await register(http, "bob")
    await http.post("/api/agents/bob/contacts", {"contacts": list("edcba")})
    first = await http.get("/api/agents/bob/contacts", limit=3)
    assert (first["contacts"], first["next_cursor"]) == (["a", "b", "c"], "c")
    second = await http.get("/api/agents/bob/contacts", limit=3, cursor=first["next_cursor"])
    assert second.body == {"agent_id": "bob", "contacts": ["d", "e"]}


async def test_contacts_of_nobody_and_no_contacts_are_refused(http: Http) -> None:
    await register(http, "bob")
    empty: list[dict[str, object]] = [{}, {"contact": ""}, {"contacts": []}, {"contacts": ["a", ""]}]
    for body in empty:
        answer = await http.post("/api/agents/bob/contacts", body)
        assert (answer.status, answer["error"]) == (400, "contacts required")
    assert (await http.post("/api/agents/bob/contacts", {"contacts": "alice"})).status == 400
    assert (await http.get("/api/agents/nobody/contacts")).status == 404
    assert (await http.post("/api/agents/nobody/contacts", {"contact": "a"})).status == 404
    assert (await http.request("DELETE", "/api/agents/nobody/contacts/a")).status == 404


async def test_an_agent_has_a_thousand_contacts_at_most(http: Http, database: Database) -> None:
    await register(http, "bob")
    body = {"contacts": [f"c{number}" for number in range(1000)]}
    assert (await http.post("/api/agents/bob/contacts", body)).status == 200
    answer = await http.post("/api/agents/bob/contacts", {"contact": "one more"})
    assert (answer.status, answer["error"]) == (429, "contact_limit")
    assert await database.fetchval("SELECT count(*) FROM intermute.contacts") == 1000


async def test_auto_takes_from_who_holds_overlapping_files(http: Http) -> None:
    await register(http, "bob", "alice")
    await http.post("/api/agents/bob/policy", {"policy": "auto"})
    letter = {"project": "p", "from": "alice", "to": ["bob"], "body": "x"}
    assert (await http.post("/api/messages", letter)).status == 403
    for agent, pattern in (("bob", "src/**"), ("alice", "src/http/main.py")):
        assert (await http.post("/api/messages", letter)).status == 403
        body = {"project": "p", "agent_id": agent, "path_pattern": pattern, "exclusive": False}
        assert (await http.post("/api/reservations", body)).status == 201
    assert (await http.post("/api/messages", letter)).status == 200
