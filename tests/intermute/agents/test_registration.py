"""Who registers, and who comes again as the one it was."""

import asyncio
from uuid import UUID

import pytest

from intermute.agents.registration import Wanted
from intermute.caller import Caller, Mode
from intermute.errors import Conflict, InvalidRequest
from intermute.service import Service
from storage.database import Database
from tests.clock import HandClock
from tests.intermute.agents import rows
from tests.intermute.calling import Http

SESSION = "0d9c1b6e-93f7-4c1e-8c47-8b6f0e3f6a11"
TAKEN = "session_id is in use by an active agent"


async def test_an_agent_gets_what_it_does_not_bring(http: Http) -> None:
    answer = await http.post("/api/agents", {"project": "p"})
    assert answer.status == 200
    assert UUID(answer["agent_id"])
    assert UUID(answer["session_id"])
    assert answer["name"]
    assert len(answer["token"]) == 32
    assert answer["cursor"] == 0


async def test_what_an_agent_says_about_itself_is_listed(http: Http) -> None:
    said = {"capabilities": ["review"], "metadata": {"repo": "x"}, "status": "active", "project": "p"}
    told = await http.post("/api/agents", {"name": "amy", **said})
    (listed,) = (await http.get("/api/agents", project="p"))["agents"]
    assert listed == {
        "agent_id": told["agent_id"],
        "session_id": told["session_id"],
        "name": "amy",
        **said,
        "last_seen": "2026-01-05T09:00:00Z",
        "created_at": "2026-01-05T09:00:00Z",
        "alive": True,
    }


@pytest.mark.parametrize("field", ["id", "agent_id"])
async def test_fault_20_an_id_the_client_brings_is_kept(http: Http, field: str) -> None:
    answer = await http.post("/api/agents", {field: "claude-7", "name": "claude", "project": "p"})
    assert answer["agent_id"] == "claude-7"
    again = await http.post("/api/agents", {field: "claude-7", "name": "claude", "project": "p"})
    assert (again.status, again["agent_id"]) == (200, "claude-7")
    assert again["session_id"] == answer["session_id"]
    assert again["token"] != answer["token"]
    assert len((await http.get("/api/agents", project="p"))["agents"]) == 1


async def test_an_empty_id_is_none(http: Http) -> None:
    answer = await http.post("/api/agents", {"id": "", "agent_id": None, "name": "a", "project": "p"})
    assert UUID(answer["agent_id"])


@pytest.mark.parametrize("wrong", ["a/b", "pokes", "presence", "a\nb", "x" * 201])
async def test_an_id_that_no_path_could_name_is_refused(http: Http, wrong: str) -> None:
    assert (await http.post("/api/agents", {"id": wrong, "project": "p"})).status == 400


async def test_an_id_of_another_project_is_taken(http: Http, alpha: Http) -> None:
    await http.post("/api/agents", {"id": "bob", "project": "p"})
    for client, project in ((http, "q"), (alpha, "alpha")):
        answer = await client.post("/api/agents", {"id": "bob", "project": project})
        assert (answer.status, answer["error"]) == (409, "agent_id_taken")


async def test_fault_17_the_same_client_comes_again_at_once_and_keeps_its_policies(http: Http) -> None:
    first = await http.post("/api/agents", {"name": "claude", "session_id": SESSION, "project": "p"})
    agent = first["agent_id"]
    await http.post(f"/api/agents/{agent}/policy", {"policy": "block_all", "live_contact_policy": "open"})

    by_name = {"name": "claude", "session_id": SESSION, "project": "p"}
    by_id = {"id": agent, "name": "renamed", "session_id": SESSION, "project": "p"}
    for body in (by_name, by_id):
        again = await http.post("/api/agents", body)
        assert (again.status, again["agent_id"]) == (200, agent)
    headers = {"X-Agent-ID": agent, "X-Agent-Token": again["token"]}
    by_token = await http.post("/api/agents", {"session_id": SESSION, "project": "p"}, headers=headers)
    assert (by_token.status, by_token["agent_id"], by_token["name"]) == (200, agent, "renamed")

    policies = (await http.get(f"/api/agents/{agent}/policy")).body
    assert policies == {"agent_id": agent, "policy": "block_all", "live_contact_policy": "open"}


async def test_fault_17_another_client_waits_until_the_session_is_silent(
    http: Http, clock: HandClock
) -> None:
    first = await http.post("/api/agents", {"name": "claude", "session_id": SESSION, "project": "p"})
    other = {"name": "codex", "session_id": SESSION, "project": "p"}
    refused = await http.post("/api/agents", other)
    assert (refused.status, refused["error"], refused["code"]) == (409, TAKEN, "active_session_conflict")
    await clock.advance(301)
    taken = await http.post("/api/agents", other)
    assert (taken.status, taken["agent_id"]) == (200, first["agent_id"])


async def test_a_silent_session_that_holds_files_is_not_given_to_another_client(
    http: Http, clock: HandClock, database: Database
) -> None:
    first = await http.post("/api/agents", {"name": "claude", "session_id": SESSION, "project": "p"})
    await clock.advance(301)
    await rows.hold(database, clock, first["agent_id"], "src/*")
    other = {"name": "codex", "session_id": SESSION, "project": "p"}
    assert (await http.post("/api/agents", other)).status == 409
    again = await http.post("/api/agents", {"name": "claude", "session_id": SESSION, "project": "p"})
    assert again["agent_id"] == first["agent_id"]


async def test_fault_17_a_local_client_that_moves_takes_its_agent_along(http: Http) -> None:
    first = await http.post("/api/agents", {"name": "claude", "session_id": SESSION, "project": "p"})
    moved = await http.post("/api/agents", {"name": "claude", "session_id": SESSION, "project": "q"})
    assert moved["agent_id"] == first["agent_id"]
    assert (await http.get("/api/agents", project="p"))["agents"] == []
    assert len((await http.get("/api/agents", project="q"))["agents"]) == 1


async def test_a_session_of_another_project_is_another_agent_for_a_key(alpha: Http, beta: Http) -> None:
    first = await alpha.post("/api/agents", {"name": "a", "session_id": SESSION, "project": "alpha"})
    second = await beta.post("/api/agents", {"name": "a", "session_id": SESSION, "project": "beta"})
    assert (first.status, second.status) == (200, 200)
    assert first["agent_id"] != second["agent_id"]


async def test_an_id_goes_before_a_session(http: Http, clock: HandClock) -> None:
    first = await http.post("/api/agents", {"id": "one", "session_id": SESSION, "project": "p"})
    body = {"id": "two", "session_id": SESSION, "project": "p"}
    assert (await http.post("/api/agents", body)).status == 409
    await clock.advance(301)
    second = await http.post("/api/agents", body)
    assert (second["agent_id"], second["session_id"]) == ("two", SESSION)
    assert (await http.get("/api/agents/one"))["session_id"] == ""
    assert first["session_id"] == SESSION


@pytest.mark.parametrize(
    "spelling",
    [SESSION, SESSION.upper(), SESSION.replace("-", ""), f"{{{SESSION}}}", f"urn:uuid:{SESSION}"],
)
async def test_a_session_is_kept_as_it_was_spelt(http: Http, spelling: str) -> None:
    answer = await http.post("/api/agents", {"name": "a", "session_id": spelling, "project": "p"})
    assert (answer.status, answer["session_id"]) == (200, spelling)


async def test_a_session_that_is_no_uuid_is_refused_in_words_clients_know(http: Http) -> None:
    answer = await http.post("/api/agents", {"name": "a", "session_id": "abc", "project": "p"})
    assert (answer.status, answer["code"]) == (400, "invalid_session_id")
    assert answer["error"] == 'invalid session_id: must be a valid UUID: "abc"'


async def test_a_key_registers_in_its_own_project_only(alpha: Http) -> None:
    assert (await alpha.post("/api/agents", {"name": "a"})).status == 400
    assert (await alpha.post("/api/agents", {"name": "a", "project": "beta"})).status == 403
    assert (await alpha.post("/api/agents", {"name": "a", "project": "alpha"})).status == 200


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": 7},
        {"capabilities": "review"},
        {"capabilities": [1]},
        {"metadata": {"a": 1}},
        {"metadata": ["a"]},
        {"metadata": {str(number): "x" for number in range(201)}},
        {"metadata": {"a": "x" * 300_000}},
        {"name": "a\0b"},
        {"capabilities": ["x"] * 101},
    ],
)
async def test_what_no_client_says_is_refused(http: Http, wrong: dict[str, object]) -> None:
    assert (await http.post("/api/agents", {"project": "p", **wrong})).status == 400


async def test_an_old_token_proves_nothing(http: Http, service: Service) -> None:
    first = await http.post("/api/agents", {"id": "a", "project": "p"})
    assert await service.guards.owner_of(first["token"]) == "a"
    second = await http.post("/api/agents", {"id": "a", "project": "p"})
    assert await service.guards.owner_of(first["token"]) is None
    assert await service.guards.owner_of(second["token"]) == "a"


async def test_a_token_is_not_kept_as_it_is(http: Http, database: Database) -> None:
    answer = await http.post("/api/agents", {"id": "a", "project": "p"})
    kept = await database.fetchval("SELECT agents::text FROM intermute.agents")
    assert answer["token"] not in kept
    assert answer["token"].encode().hex() not in kept


async def test_an_id_of_the_hosts_containers_is_nobody_elses(http: Http, service: Service) -> None:
    host = Caller(mode=Mode.HOST, project="p", agent="intercom:office", proven="intercom:office")
    assert (await http.post("/api/agents", {"id": "intercom:office", "project": "p"})).status == 403
    done = await service.agents.register(host, Wanted(id="intercom:office", name="Office", project="p"))
    assert done.agent.guarded
    for body in (
        {"id": "intercom:office", "project": "p"},
        {"name": "Office", "session_id": done.agent.session_id, "project": "p"},
    ):
        assert (await http.post("/api/agents", body)).status == 403
    for path in ("heartbeat", "policy", "contacts"):
        answer = await http.post(f"/api/agents/intercom:office/{path}", {"policy": "open", "contact": "x"})
        assert answer.status == 403
    answer = await http.request("PATCH", "/api/agents/intercom:office/metadata", {"metadata": {"a": "b"}})
    assert answer.status == 403
    assert (await http.request("DELETE", "/api/agents/intercom:office")).status == 403
    headers = {"X-Agent-ID": "intercom:office", "X-Agent-Token": done.token}
    assert (await http.post("/api/agents/intercom:office/heartbeat", headers=headers)).status == 200


async def test_the_host_registers_no_plain_ids(service: Service) -> None:
    for id_ in ("", "office"):
        host = Caller(mode=Mode.HOST, project="p", agent=id_)
        with pytest.raises(InvalidRequest):
            await service.agents.register(host, Wanted(id=id_, project="p"))


async def test_the_host_brings_its_agent_into_another_project(service: Service) -> None:
    for project in ("p", "q"):
        host = Caller(mode=Mode.HOST, project=project, agent="intercom:office")
        done = await service.agents.register(host, Wanted(id="intercom:office", project=project))
        assert done.agent.project == project


async def test_many_at_once_with_one_session_are_one_agent(service: Service) -> None:
    caller = Caller(mode=Mode.LOCAL)
    wanted = Wanted(name="claude", session_id=SESSION, project="p")
    async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
        racing = [tasks.create_task(service.agents.register(caller, wanted)) for _ in range(20)]
    assert len({task.result().agent.id for task in racing}) == 1
    owners = [await service.guards.owner_of(task.result().token) for task in racing]
    assert len([owner for owner in owners if owner]) == 1


async def test_of_two_projects_that_race_for_an_id_one_gets_it(service: Service) -> None:
    caller = Caller(mode=Mode.LOCAL)

    async def race(project: str) -> str:
        try:
            return (await service.agents.register(caller, Wanted(id="x", project=project))).agent.project
        except Conflict:
            return ""

    async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
        racing = [tasks.create_task(race(project)) for project in "abcdefgh"]
    assert len([task.result() for task in racing if task.result()]) == 1
