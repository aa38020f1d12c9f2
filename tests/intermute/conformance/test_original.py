"""What the original's own tests of its HTTP interface hold true, in our words."""

import asyncio
from collections.abc import Mapping
from typing import Any

import aiohttp
import pytest

from tests.intermute.calling import Http
from tests.intermute.conftest import elsewhere

COLLECTIONS = ("specs", "epics", "stories", "tasks", "insights", "sessions", "cujs")
MESSAGE = {"project": "p", "from": "ann", "to": ["bob"], "body": "hello"}
WISH = {"agent_id": "ann", "project": "p", "path_pattern": "src/*.go", "exclusive": True}
WINDOW = "6d7f3b52-0000-4000-8000-000000000001"


def ids(answer: Any, name: str = "agent_id", of: str = "agents") -> list[str]:
    return [each[name] for each in answer[of]]


async def register(http: Http, name: str, **more: Any) -> Any:
    answer = await http.post("/api/agents", {"name": name, "project": "p", **more})
    assert answer.status == 200
    return answer


@pytest.mark.parametrize("plural", COLLECTIONS)
async def test_a_collection_is_not_deleted(http: Http, plural: str) -> None:
    answer = await http.delete(f"/api/{plural}")
    assert answer.status == 405
    assert "GET" in answer.headers["Allow"]


async def test_health_is_for_everybody_and_only_asked_for(http: Http, url: str) -> None:
    assert (await http.get("/health")).body["status"] == "ok"
    assert (await http.post("/health")).status == 405
    async with aiohttp.ClientSession(headers={"X-Forwarded-For": "192.0.2.7"}) as stranger:
        assert (await Http(stranger, url).get("/health")).status == 200
        assert (await Http(stranger, url).get("/api/agents")).status == 401


async def test_a_registration_gives_an_id_a_session_a_name_and_a_token(http: Http) -> None:
    answer = await register(http, "")
    assert answer["agent_id"]
    assert answer["session_id"]
    assert answer["name"]
    assert len(answer["token"]) >= 32
    assert answer["cursor"] == 0
    wrong = await http.post("/api/agents", {"name": "x", "project": "p", "session_id": "abc"})
    assert (wrong.status, wrong["code"]) == (400, "invalid_session_id")
    assert "abc" in wrong["error"] + wrong["message"]


@pytest.mark.parametrize(
    ("wanted", "count"), [("go", 2), ("go,rust", 3), ("cobol", 0), ("", 4), ("go,", 2)], ids=str
)
async def test_agents_are_found_by_any_of_their_capabilities(http: Http, wanted: str, count: int) -> None:
    able: Mapping[str, list[str]] = {"a": ["go"], "b": ["go", "review"], "c": ["rust"], "d": []}
    for name, capabilities in able.items():
        await register(http, name, capabilities=capabilities)
    listed = await http.get("/api/agents", project="p", capability=wanted)
    assert len(listed["agents"]) == count


async def test_metadata_is_merged_and_shown_as_presence(http: Http) -> None:
    agent = (await register(http, "Ann", metadata={"repo": " intercom ", "x": "1"}))["agent_id"]
    await register(http, "Bob", metadata={"repo": "other"})
    more = {"metadata": {"active_bead_id": "b-1", "files_touched": '["a.go", " ", "b.go"]', "status": "busy"}}
    patched = await http.patch(f"/api/agents/{agent}/metadata", more)
    assert patched.status == 200
    assert patched["metadata"]["x"] == "1"
    assert patched["metadata"]["active_bead_id"] == "b-1"
    shown = await http.get("/api/agents/presence", project="p", repo="intercom", active_bead_id="b-1")
    (presence,) = shown["agents"]
    assert (presence["agent_id"], presence["repo"], presence["status"]) == (agent, "intercom", "busy")
    assert (presence["files"], presence["confidence"]) == (["a.go", "b.go"], "unknown")
    assert (await http.patch("/api/agents/nobody/metadata", more)).status == 404
    assert (await http.patch(f"/api/agents/{agent}/metadata", {"metadata": {}})).status == 400


async def test_a_heartbeat_tells_where_the_attention_is(http: Http) -> None:
    agent = (await register(http, "Ann"))["agent_id"]
    assert (await http.post(f"/api/agents/{agent}/heartbeat", {"focus_state": "at-prompt"})).status == 200
    assert (await http.post(f"/api/agents/{agent}/heartbeat")).body["agent_id"] == agent
    wrong = await http.post(f"/api/agents/{agent}/heartbeat", {"focus_state": "asleep"})
    assert wrong.status == 400
    assert (await http.post("/api/agents/nobody/heartbeat")).status == 404


@pytest.mark.parametrize("missing", [{"from": ""}, {"to": []}, {"from": None}, {"to": None}], ids=str)
async def test_a_message_has_a_sender_and_a_recipient(http: Http, missing: Mapping[str, Any]) -> None:
    assert (await http.post("/api/messages", {**MESSAGE, **missing})).status == 400


async def test_an_inbox_of_five_is_read_by_pages_of_two(http: Http) -> None:
    for _ in range(5):
        assert (await http.post("/api/messages", MESSAGE)).status == 200
    cursor = 0
    sizes: list[int] = []
    while len(sizes) < 3:
        page = await http.get("/api/inbox/bob", project="p", since_cursor=cursor, limit=2)
        sizes.append(len(page["messages"]))
        cursor = page["cursor"]
    assert sizes == [2, 2, 1]


async def test_what_is_asked_of_a_message_is_one_of_two_things(http: Http) -> None:
    sent = (await http.post("/api/messages", MESSAGE))["message_id"]
    for action in ("read", "ack"):
        path = f"/api/messages/{sent}/{action}"
        assert (await http.get(path, project="p")).status == 405
        assert (await http.post(path, {"agent": "bob"}, project="p")).status == 200
    assert (await http.post(f"/api/messages/{sent}/burn", project="p")).status == 404


async def test_a_thread_has_a_reader_and_a_name(http: Http) -> None:
    assert (await http.get("/api/threads", project="p")).status == 400
    assert (await http.post("/api/threads", project="p")).status == 405


async def test_a_broadcast_goes_to_all_others_ten_times_a_minute(http: Http) -> None:
    ann = (await register(http, "Ann"))["agent_id"]
    said = {"project": "p", "from": ann, "topic": "Build", "body": "red"}
    alone = await http.post("/api/broadcast", said)
    assert (alone.status, alone["delivered"]) == (200, 0)
    bob = (await register(http, "Bob"))["agent_id"]
    sent = await http.post("/api/broadcast", said)
    assert (sent.status, sent["delivered"]) == (200, 1)
    assert [m["body"] for m in (await http.get(f"/api/inbox/{bob}", project="p"))["messages"]] == ["red"]
    assert [m["body"] for m in (await http.get("/api/topics/p/BUILD"))["messages"]] == ["red"]
    for name in ("from", "topic", "body"):
        assert (await http.post("/api/broadcast", {**said, name: ""})).status == 400
    statuses = [(await http.post("/api/broadcast", said)) for _ in range(9)]
    assert [each.status for each in statuses] == [200] * 8 + [429]
    assert int(statuses[-1].headers["Retry-After"]) > 0


async def test_who_takes_nothing_is_denied_by_name(http: Http) -> None:
    bob = (await register(http, "Bob"))["agent_id"]
    assert (await http.post(f"/api/agents/{bob}/policy", {"policy": "block_all"})).status == 200
    denied = await http.post("/api/messages", {**MESSAGE, "to": [bob]})
    assert (denied.status, denied["error"], denied["denied"]) == (403, "policy_denied", [bob])
    partly = await http.post("/api/messages", {**MESSAGE, "to": [bob, "carol"]})
    assert (partly.status, partly["denied"]) == (200, [bob])


async def test_reservations_are_listed_of_somebody_or_somewhere(http: Http) -> None:
    assert (await http.get("/api/reservations")).status == 400
    held = await http.post("/api/reservations", WISH)
    assert held.status == 201
    shared = {**WISH, "agent_id": "bob", "exclusive": False}
    assert (await http.post("/api/reservations", shared)).status == 409
    docs = {**WISH, "path_pattern": "docs/*.md", "exclusive": False}
    assert (await http.post("/api/reservations", docs)).status == 201
    assert (await http.post("/api/reservations", {**docs, "agent_id": "bob"})).status == 201
    listed = await http.get("/api/reservations", project="p")
    assert len(listed["reservations"]) == 3
    free = await http.get("/api/reservations/check", project="p", pattern="lib/x.go")
    assert free["conflicts"] is None


async def test_windows_are_an_agents_by_its_token(http: Http) -> None:
    agent = await register(http, "Ann")
    window = {"project": "p", "window_uuid": WINDOW, "agent_id": agent["agent_id"]}
    mine = {**window, "registration_token": agent["token"]}
    made = await http.post("/api/windows", {**mine, "tmux_target": "main:1.0"})
    assert made.status == 200
    assert made["display_name"] == agent["agent_id"]
    again = await http.post("/api/windows", {**mine, "display_name": "Ann's"})
    assert (again["id"], again["display_name"]) == (made["id"], "Ann's")
    assert (await http.post("/api/windows", window)).status == 403
    assert (await http.post("/api/windows", {**mine, "tmux_target": "main; rm"})).status == 400
    assert (await http.post("/api/windows", {"project": "p"})).status == 400
    assert (await http.get("/api/windows")).status == 400
    assert ids(await http.get("/api/windows", project="p"), "window_uuid", "windows") == [WINDOW]
    assert (await http.get("/api/windows", project="other")).body["windows"] == []
    gone = await http.delete(f"/api/windows/{WINDOW}", project="p")
    assert (gone.status, gone["status"]) == (200, "expired")
    assert (await http.get("/api/windows", project="p")).body["windows"] == []


@pytest.mark.parametrize(
    ("key", "project", "status"),
    [
        ("", "alpha", 401),
        ("wrong", "alpha", 401),
        ("key-of-alpha", "beta", 403),
        ("key-of-alpha", "alpha", 101),
    ],
)
async def test_who_may_listen_from_elsewhere(url: str, key: str, project: str, status: int) -> None:
    async with aiohttp.ClientSession(headers=elsewhere(key)) as session:
        asked = session.ws_connect(f"{url}/ws/agents/bob", params={"project": project})
        if status == 101:
            async with asked as socket:
                assert not socket.closed
        else:
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await asked
            assert refused.value.status == status


async def test_ten_sockets_hear_five_messages_each(http: Http) -> None:
    path = f"{http.url}/ws/agents/bob"
    sockets = [await http.session.ws_connect(path, params={"project": "p"}) for _ in range(10)]
    other = await http.session.ws_connect(path, params={"project": "other"})
    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        for _ in range(5):
            tasks.create_task(http.post("/api/messages", MESSAGE))
        heard = [[await socket.receive_json() for _ in range(5)] for socket in sockets]
    assert all(frame["type"] == "message.created" for frames in heard for frame in frames)
    assert len({tuple(frame["message_id"] for frame in frames) for frames in heard}) == 1
    await http.post("/api/messages", {**MESSAGE, "project": "other"})
    async with asyncio.timeout(10):
        assert (await other.receive_json())["project"] == "other"
    for socket in (*sockets, other):
        await socket.close()
