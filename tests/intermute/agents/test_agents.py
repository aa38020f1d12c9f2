"""The list of agents, their signs of life, and what they say about themselves."""

import pytest

from intermute.service import Service
from storage.database import Database
from tests.clock import HandClock
from tests.intermute.agents import rows
from tests.intermute.calling import Http


async def register(http: Http, id_: str, **said: object) -> str:
    answer = await http.post("/api/agents", {"id": id_, "name": id_, "project": "p", **said})
    assert answer.status == 200
    return str(answer["token"])


def ids(answer: object) -> list[str]:
    return [agent["agent_id"] for agent in answer["agents"]]  # type: ignore[index]


@pytest.mark.parametrize(
    ("capability", "found"),
    [
        ("review:architecture", {"arch", "both"}),
        ("review:architecture,review:security", {"arch", "both", "safety"}),
        ("research:docs", set()),
        ("", {"arch", "both", "safety", "none"}),
        ("review:architecture,", {"arch", "both"}),
        (" review:architecture , ,", {"arch", "both"}),
    ],
)
async def test_agents_are_found_by_any_of_their_capabilities(
    http: Http, capability: str, found: set[str]
) -> None:
    await register(http, "arch", capabilities=["review:architecture", "review:code"])
    await register(http, "safety", capabilities=["review:safety", "review:security"])
    await register(http, "both", capabilities=["review:architecture", "review:safety"])
    await register(http, "none", capabilities=[])
    assert set(ids(await http.get("/api/agents", project="p", capability=capability))) == found


async def test_a_program_here_sees_all_projects_and_a_key_its_own(http: Http, alpha: Http) -> None:
    await register(http, "a")
    await register(http, "b", project="alpha")
    await register(http, "c", project="")
    assert set(ids(await http.get("/api/agents"))) == {"a", "b", "c"}
    assert ids(await http.get("/api/agents", project="p")) == ["a"]
    for path in ("/api/agents", "/api/agents/presence"):
        assert ids(await alpha.get(path)) == ["b"]
        assert ids(await alpha.get(path, project="alpha")) == ["b"]
        assert (await alpha.get(path, project="p")).status == 403


async def test_those_seen_last_come_first_in_pages(http: Http, clock: HandClock) -> None:
    for name in ("a", "b", "c", "d", "e"):
        await register(http, name)
        await clock.advance(20)
    await http.post("/api/agents/b/heartbeat")
    seen, cursor = [], ""
    while True:
        page = await http.get("/api/agents", project="p", limit=2, cursor=cursor)
        seen += ids(page)
        cursor = page.body.get("next_cursor", "")
        if not cursor:
            break
    assert seen == ["b", "e", "d", "c", "a"]


async def test_a_cursor_that_is_none_of_ours_is_refused(http: Http) -> None:
    for cursor in ("x", "1", ".", "1.", "-1.a", "9" * 18 + ".a", "१.a"):
        answer = await http.get("/api/agents", cursor=cursor)
        assert (answer.status, answer["error"]) == (400, "invalid_cursor")


@pytest.mark.parametrize("path", ["/api/agents", "/api/agents/presence"])
async def test_fault_18_who_was_silent_for_long_is_no_longer_listed(
    http: Http, clock: HandClock, path: str
) -> None:
    await register(http, "old")
    await clock.advance(24 * 3600 + 1)
    await register(http, "new")
    assert ids(await http.get(path, project="p")) == ["new"]
    assert ids(await http.get(path, project="p", all="true")) == ["new", "old"]
    assert (await http.get("/api/agents/old"))["alive"] is False
    await http.post("/api/agents/old/heartbeat")
    assert set(ids(await http.get(path, project="p"))) == {"new", "old"}


async def test_an_agent_is_alive_for_the_time_its_locks_are_kept(http: Http, clock: HandClock) -> None:
    await register(http, "a")
    for seconds, alive in ((300, True), (1, False)):
        await clock.advance(seconds)
        assert (await http.get("/api/agents/a"))["alive"] is alive


async def test_a_clock_that_was_turned_back_makes_nobody_dead(
    http: Http, clock: HandClock, database: Database
) -> None:
    await register(http, "a")
    await database.execute("UPDATE intermute.agents SET last_seen = last_seen + interval '3 days'")
    assert (await http.get("/api/agents/a"))["alive"] is True
    assert ids(await http.get("/api/agents", project="p")) == ["a"]


async def test_a_heartbeat_is_a_sign_of_life_with_or_without_a_body(
    http: Http, clock: HandClock, database: Database
) -> None:
    await register(http, "a")
    for body in (None, {}, {"focus_state": ""}, {"focus_state": "thinking"}):
        await clock.advance(60)
        answer = await http.post("/api/agents/a/heartbeat", body)
        assert (answer.status, answer.body) == (200, {"agent_id": "a"})
        assert await rows.seen(database, "a") == clock.now()
    assert (await http.get("/api/agents/a"))["focus_state"] == "thinking"
    await http.post("/api/agents/a/heartbeat", {})
    assert (await http.get("/api/agents/a"))["focus_state"] == "thinking"
    await clock.advance(3)
    await http.post("/api/agents/a/heartbeat", {})
    assert (await http.get("/api/agents/a"))["focus_state"] == "unknown"


async def test_a_heartbeat_of_nonsense_is_refused(http: Http) -> None:
    await register(http, "a")
    answer = await http.post("/api/agents/a/heartbeat", {"focus_state": "asleep"})
    assert (answer.status, answer["error"]) == (400, "invalid focus_state")
    assert (await http.post("/api/agents/a/heartbeat", data=b"{")).status == 400
    assert (await http.post("/api/agents/nobody/heartbeat", {"focus_state": "unknown"})).status == 404


async def test_a_key_reaches_no_agent_of_another_project(http: Http, alpha: Http, beta: Http) -> None:
    await alpha.post("/api/agents", {"id": "a", "project": "alpha", "metadata": {"k": "v"}})
    before = (await http.get("/api/agents/a")).body
    assert (await beta.get("/api/agents/a")).status == 404
    assert (await beta.post("/api/agents/a/heartbeat", {"focus_state": "at-prompt"})).status == 404
    assert (await beta.request("PATCH", "/api/agents/a/metadata", {"metadata": {"k": "w"}})).status == 404
    assert (await beta.post("/api/agents/a/policy", {"policy": "block_all"})).status == 404
    assert (await beta.get("/api/agents/a/contacts")).status == 404
    assert (await beta.post("/api/agents/a/contacts", {"contact": "eve"})).status == 404
    assert (await beta.request("DELETE", "/api/agents/a/contacts/x")).status == 404
    assert (await beta.request("DELETE", "/api/agents/a")).status == 404
    assert (await http.get("/api/agents/a")).body == before
    assert (await alpha.post("/api/agents/a/heartbeat", {"focus_state": "at-prompt"})).status == 200


async def test_metadata_is_merged(http: Http, clock: HandClock, database: Database) -> None:
    await register(http, "a", metadata={"key1": "old", "key2": "kept"})
    await clock.advance(60)
    answer = await http.request("PATCH", "/api/agents/a/metadata", {"metadata": {"key1": "new", "key3": "x"}})
    assert answer.status == 200
    assert answer["metadata"] == {"key1": "new", "key2": "kept", "key3": "x"}
    assert await rows.seen(database, "a") == clock.now()


async def test_metadata_of_who_had_none_begins_with_the_merge(http: Http) -> None:
    await register(http, "a")
    answer = await http.request("PATCH", "/api/agents/a/metadata", {"metadata": {"k": "v"}})
    assert answer["metadata"] == {"k": "v"}


async def test_metadata_that_cannot_be_merged_changes_nothing(http: Http) -> None:
    await register(http, "a", metadata={str(number): "x" for number in range(200)})
    path = "/api/agents/a/metadata"
    empty: list[dict[str, object]] = [{}, {"metadata": {}}, {"metadata": None}]
    for body in empty:
        answer = await http.request("PATCH", path, body)
        assert (answer.status, answer["error"]) == (400, "metadata map required")
    for wrong in ({"more": "x"}, {"0": "x" * 300_000}, {"0": 1}):
        assert (await http.request("PATCH", path, {"metadata": wrong})).status == 400
    assert len((await http.get("/api/agents/a"))["metadata"]) == 200
    assert (
        await http.request("PATCH", "/api/agents/nobody/metadata", {"metadata": {"k": "v"}})
    ).status == 404
    assert (await http.post(path, {"metadata": {"k": "v"}})).status == 405


async def test_presence_is_what_agents_say_they_work_on(http: Http) -> None:
    said = {
        "agent_kind": " claude ",
        "status": " busy ",
        "repo": " intercom ",
        "files_touched": '["a.py", " ", " b.py "]',
        "objective": "ship",
        "active_bead_confidence": "high",
        "active_bead_id": " b-1\n",
        "thread_id": "t",
    }
    await register(http, "a", metadata=said, status="active")
    await register(http, "b", metadata={"files_touched": "no list"}, status=" idle ")
    await register(http, "c")
    agents = {agent["agent_id"]: agent for agent in (await http.get("/api/agents/presence"))["agents"]}
    assert agents["a"] == {
        "agent_id": "a",
        "kind": "claude",
        "status": "busy",
        "last_seen": "2026-01-05T09:00:00Z",
        "repo": "intercom",
        "files": ["a.py", "b.py"],
        "objective": "ship",
        "confidence": "high",
        "active_bead_id": "b-1",
        "thread_id": "t",
    }
    assert (agents["b"]["files"], agents["b"]["status"], agents["b"]["confidence"]) == ([], "idle", "unknown")
    assert ids(await http.get("/api/agents/presence", repo=" intercom ")) == ["a"]
    assert ids(await http.get("/api/agents/presence", repo="intercom", active_bead_id="b-1")) == ["a"]
    assert ids(await http.get("/api/agents/presence", active_bead_id="b-2")) == []


@pytest.mark.parametrize("files", ["[1]", "{}", "[" * 10_000, "null", '"a"', "["])
async def test_files_that_are_no_list_of_names_are_none(http: Http, files: str) -> None:
    await register(http, "a", metadata={"files_touched": files})
    (agent,) = (await http.get("/api/agents/presence"))["agents"]
    assert agent["files"] == []


async def test_a_removed_agent_leaves_nothing_of_its_own(http: Http, database: Database) -> None:
    token = await register(http, "a")
    await register(http, "b")
    await http.post("/api/agents/a/contacts", {"contact": "b"})
    await http.post("/api/agents/b/contacts", {"contact": "a"})
    body = {"project": "p", "window_uuid": "w", "agent_id": "a", "registration_token": token}
    assert (await http.post("/api/windows", body)).status == 200
    await database.execute(
        "INSERT INTO intermute.pokes (project, agent, message_id, sender, body, created_at)"
        " VALUES ('p', 'a', 'm', 'b', 'x', now())"
    )
    assert (await http.request("DELETE", "/api/agents/a")).status == 204
    assert (await http.request("DELETE", "/api/agents/a")).status == 404
    assert ids(await http.get("/api/agents", project="p")) == ["b"]
    left = await database.fetchval(
        "SELECT (SELECT count(*) FROM intermute.contacts WHERE agent = 'a')"
        " + (SELECT count(*) FROM intermute.windows) + (SELECT count(*) FROM intermute.pokes)"
    )
    assert left == 0
    assert (await http.get("/api/agents/b/contacts"))["contacts"] == ["a"]


async def test_a_request_of_an_agent_is_a_sign_of_its_life(
    http: Http, clock: HandClock, database: Database, service: Service
) -> None:
    await register(http, "a")
    await clock.advance(60)
    service.guards.touch("a")
    while await rows.seen(database, "a") != clock.now():
        pass


async def test_a_key_keeps_no_agent_of_another_project_alive(
    alpha: Http, beta: Http, clock: HandClock, database: Database
) -> None:
    await alpha.post("/api/agents", {"id": "a", "project": "alpha"})
    await beta.post("/api/agents", {"id": "b", "project": "beta"})
    before = clock.now()
    await clock.advance(60)
    for sender in ("a", "b"):
        letter = {"project": "beta", "from": sender, "to": ["c"], "body": "x"}
        assert (await beta.post("/api/messages", letter)).status == 200
    while await rows.seen(database, "b") != clock.now():
        pass
    assert await rows.seen(database, "a") == before
    letter = {"project": "alpha", "from": "a", "to": ["c"], "body": "x"}
    assert (await alpha.post("/api/messages", letter)).status == 200
    while await rows.seen(database, "a") != clock.now():
        pass


async def test_a_removed_agent_lets_go_of_its_files(http: Http) -> None:
    await register(http, "a")
    body = {"agent_id": "a", "project": "p", "path_pattern": "src/**", "exclusive": True}
    assert (await http.post("/api/reservations", body)).status == 201
    assert (await http.request("DELETE", "/api/agents/a")).status == 204
    body = {"agent_id": "b", "project": "p", "path_pattern": "src/main.py", "exclusive": True}
    assert (await http.post("/api/reservations", body)).status == 201
