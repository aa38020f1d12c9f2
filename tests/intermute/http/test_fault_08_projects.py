"""Fault 8 of the original: the key of one project reads and changes nothing of another, on any path."""

from typing import Any

import pytest

from tests.intermute.calling import Answer, Http

Call = tuple[str, str, dict[str, Any] | None, dict[str, Any]]

#: what beta asks of alpha's things, by their ids or by the name of the project
CALLS: list[Call] = [
    ("POST", "/api/agents", {"id": "spy", "name": "Spy", "project": "alpha"}, {}),
    ("GET", "/api/agents", None, {"project": "alpha"}),
    ("GET", "/api/agents/presence", None, {"project": "alpha"}),
    ("GET", "/api/agents/ann", None, {}),
    ("DELETE", "/api/agents/ann", None, {}),
    ("POST", "/api/agents/ann/heartbeat", {"focus_state": "thinking"}, {}),
    ("PATCH", "/api/agents/ann/metadata", {"metadata": {"repo": "stolen"}}, {}),
    ("GET", "/api/agents/ann/policy", None, {}),
    ("POST", "/api/agents/ann/policy", {"policy": "block_all"}, {}),
    ("GET", "/api/agents/ann/contacts", None, {}),
    ("POST", "/api/agents/ann/contacts", {"contact": "spy"}, {}),
    ("POST", "/api/messages", {"project": "alpha", "from": "spy", "to": ["ann"], "body": "secret"}, {}),
    ("POST", "/api/broadcast", {"project": "alpha", "from": "spy", "topic": "t", "body": "secret"}, {}),
    ("GET", "/api/inbox/ann", None, {"project": "alpha"}),
    ("GET", "/api/inbox/ann/counts", None, {"project": "alpha"}),
    ("GET", "/api/inbox/ann/stale-acks", None, {"project": "alpha", "ttl_seconds": "0"}),
    ("POST", "/api/messages/m1/ack", {"agent": "ann"}, {"project": "alpha"}),
    ("POST", "/api/messages/m1/read", {"agent": "ann"}, {"project": "alpha"}),
    ("GET", "/api/messages/search", None, {"project": "alpha", "q": "secret"}),
    ("GET", "/api/topics/alpha/plans", None, {}),
    ("GET", "/api/threads", None, {"project": "alpha", "agent": "ann"}),
    ("GET", "/api/threads/t1", None, {"project": "alpha"}),
    ("POST", "/api/reservations", {"project": "alpha", "agent_id": "spy", "path_pattern": "x"}, {}),
    ("GET", "/api/reservations", None, {"project": "alpha"}),
    ("GET", "/api/reservations", None, {"agent": "ann"}),
    ("GET", "/api/reservations/check", None, {"project": "alpha", "pattern": "secret.go"}),
    ("GET", "/api/windows", None, {"project": "alpha"}),
    ("DELETE", "/api/windows/w1", None, {"project": "alpha"}),
    ("GET", "/api/inbox/pokes", None, {"project": "alpha", "agent": "ann"}),
    ("GET", "/api/events", None, {"project": "alpha"}),
]


@pytest.fixture
async def reservation(http: Http) -> str:
    """Alpha's things, all of them with the word secret; the id of what ann holds."""
    agent = {"id": "ann", "name": "Ann secret", "project": "alpha", "metadata": {"repo": "secret"}}
    await http.post("/api/agents", agent)
    message = {
        "id": "m1",
        "from": "bob",
        "to": ["ann"],
        "thread_id": "t1",
        "topic": "plans",
        "body": "secret",
    }
    await http.post("/api/messages", {"project": "alpha", "ack_required": True, **message})
    held = {"project": "alpha", "agent_id": "ann", "path_pattern": "secret.go", "exclusive": True}
    return str((await http.post("/api/reservations", held))["id"])


async def everything_of_alpha(http: Http) -> list[str]:
    answers: list[Answer] = [
        await http.get("/api/agents", project="alpha"),
        await http.get("/api/agents/ann/policy"),
        await http.get("/api/inbox/ann", project="alpha"),
        await http.get("/api/inbox/ann/counts", project="alpha"),
        await http.get("/api/reservations", project="alpha"),
    ]
    assert all(answer.status == 200 for answer in answers)
    return [answer.text for answer in answers]


@pytest.mark.parametrize("call", CALLS, ids=[f"{method} {path}" for method, path, _, _ in CALLS])
async def test_fault_08_no_path_leads_to_another_project(
    http: Http, beta: Http, reservation: str, call: Call
) -> None:
    before = await everything_of_alpha(http)
    method, path, body, query = call
    answer = await beta.request(method, path, body, **query)
    assert answer.status in {200, 403, 404}
    assert "secret" not in answer.text
    assert "m1" not in answer.text
    assert await everything_of_alpha(http) == before


@pytest.mark.parametrize(
    ("method", "tail"), [("GET", ""), ("DELETE", ""), ("POST", "/renew"), ("POST", "/transfer")]
)
async def test_fault_08_no_id_leads_to_a_reservation_of_another_project(
    http: Http, beta: Http, reservation: str, method: str, tail: str
) -> None:
    before = await everything_of_alpha(http)
    body = {"to": "spy", "agent_id": "spy", "ttl_minutes": 5} if method == "POST" else None
    answer = await beta.request(method, f"/api/reservations/{reservation}{tail}", body)
    assert answer.status in {400, 403, 404}
    assert "secret" not in answer.text
    assert await everything_of_alpha(http) == before


@pytest.mark.parametrize("path", ["/ws/agents/ann", "/ws/events"])
async def test_fault_08_no_socket_opens_to_another_project(beta: Http, reservation: str, path: str) -> None:
    upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
    key = {"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}
    answer = await beta.get(path, project="alpha", headers={**upgrade, **key})
    assert (answer.status, answer["error"]) == (403, "project_mismatch")


async def test_fault_08_what_an_agent_wants_is_asked_in_its_own_project_only(
    http: Http, alpha: Http, beta: Http
) -> None:
    await http.post("/api/agents", {"id": "ann", "project": "alpha"})
    await alpha.post("/api/agents/ann/policy", {"policy": "block_all"})
    message = {"from": "eve", "to": ["ann"], "body": "hello"}
    assert (await alpha.post("/api/messages", {"project": "alpha", **message})).status == 403
    sent = await beta.post("/api/messages", {"project": "beta", **message})
    assert (sent.status, sent.body.get("denied")) == (200, None)
