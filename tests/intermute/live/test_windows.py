"""Windows of agents over HTTP."""

from typing import Any

import pytest

from intermute.agents.registration import Wanted
from intermute.caller import Caller, Mode
from intermute.service import Service
from tests.clock import HandClock
from tests.intermute.calling import Answer, Http


async def register(http: Http, id_: str, project: str = "p") -> str:
    return str((await http.post("/api/agents", {"id": id_, "project": project}))["token"])


async def put(http: Http, agent: str, token: str, uuid: str = "w", **rest: Any) -> Answer:
    body = {"project": "p", "window_uuid": uuid, "agent_id": agent, "registration_token": token, **rest}
    return await http.post("/api/windows", body)


def uuids(answer: Answer) -> list[str]:
    return [window["window_uuid"] for window in answer["windows"]]


async def test_a_window_is_opened_and_listed(http: Http) -> None:
    token = await register(http, "amy")
    answer = await put(http, "amy", token, display_name="Amy", tmux_target="work:0.0")
    assert answer.status == 200
    assert answer.body == {
        "id": answer["id"],
        "project": "p",
        "window_uuid": "w",
        "agent_id": "amy",
        "display_name": "Amy",
        "tmux_target": "work:0.0",
        "created_at": "2026-01-05T09:00:00Z",
        "last_active_at": "2026-01-05T09:00:00Z",
    }
    assert (await http.get("/api/windows", project="p")).body == {"windows": [answer.body]}


async def test_a_window_used_again_stays_the_same(http: Http, clock: HandClock) -> None:
    token = await register(http, "amy")
    first = await put(http, "amy", token, tmux_target="work")
    await clock.advance(60)
    second = await put(http, "amy", token, display_name="Renamed")
    assert (second["id"], second["created_at"]) == (first["id"], first["created_at"])
    assert (second["display_name"], second["last_active_at"]) == ("Renamed", "2026-01-05T09:01:00Z")
    assert "tmux_target" not in second.body
    assert uuids(await http.get("/api/windows", project="p")) == ["w"]


async def test_a_window_is_called_like_its_agent_by_default(http: Http) -> None:
    assert (await put(http, "amy", await register(http, "amy")))["display_name"] == "amy"


@pytest.mark.parametrize("missing", ["project", "window_uuid", "agent_id"])
async def test_a_window_without_a_part_is_refused(http: Http, missing: str) -> None:
    answer = await put(http, "amy", await register(http, "amy"), **{missing: ""})
    assert (answer.status, answer["error"]) == (400, "project, window_uuid, and agent_id are required")


async def test_a_target_that_is_none_is_refused(http: Http) -> None:
    answer = await put(http, "amy", await register(http, "amy"), tmux_target="bad;target")
    assert (answer.status, answer["error"]) == (400, "invalid tmux_target")
    assert (await http.post("/api/windows", data=b"{"))["error"] == "invalid JSON"


async def test_a_window_takes_its_agents_own_token(http: Http) -> None:
    await register(http, "amy")
    other = await register(http, "bob")
    for token in ("", "nonsense", other):
        answer = await put(http, "amy", token)
        assert (answer.status, answer["error"]) == (403, "agent_token_mismatch")
    assert (await put(http, "nobody", other)).status == 403
    assert uuids(await http.get("/api/windows", project="p")) == []


async def test_an_agent_with_its_own_socket_needs_no_token(http: Http, service: Service) -> None:
    host = Caller(mode=Mode.HOST, project="p", agent="intercom:office")
    done = await service.agents.register(host, Wanted(id="intercom:office", project="p"))
    headers = {"X-Agent-ID": "intercom:office", "X-Agent-Token": done.token}
    body = {"project": "p", "window_uuid": "w", "agent_id": "intercom:office"}
    assert (await http.post("/api/windows", body, headers=headers)).status == 200
    assert (await put(http, "amy", await register(http, "amy"))).status == 403  # it is the office's
    assert (await http.request("DELETE", "/api/windows/w", project="p")).status == 403
    assert (await http.request("DELETE", "/api/windows/w", project="p", headers=headers)).status == 200


async def test_a_window_goes_on_to_the_next_agent_in_it(http: Http) -> None:
    await put(http, "amy", await register(http, "amy"))
    answer = await put(http, "bob", await register(http, "bob"))
    assert (answer.status, answer["agent_id"]) == (200, "bob")


async def test_an_ended_window_is_not_listed_and_may_be_opened_again(http: Http, clock: HandClock) -> None:
    token = await register(http, "amy")
    first = await put(http, "amy", token)
    for uuid in ("w", "w", "never"):
        answer = await http.request("DELETE", f"/api/windows/{uuid}", project="p")
        assert (answer.status, answer.body) == (200, {"status": "expired"})
    assert uuids(await http.get("/api/windows", project="p")) == []
    await clock.advance(3600)
    again = await put(http, "amy", token)
    assert again["id"] == first["id"]
    assert "expires_at" not in again.body
    assert uuids(await http.get("/api/windows", project="p")) == ["w"]


async def test_the_project_is_named(http: Http) -> None:
    for answer in (await http.get("/api/windows"), await http.request("DELETE", "/api/windows/w")):
        assert (answer.status, answer["error"]) == (400, "project query param required")


async def test_windows_are_their_projects(http: Http, alpha: Http, beta: Http) -> None:
    token = await register(alpha, "amy", "alpha")
    assert (await put(alpha, "amy", token, project="alpha")).status == 200
    assert uuids(await alpha.get("/api/windows")) == ["w"]
    assert uuids(await beta.get("/api/windows")) == []
    assert uuids(await http.get("/api/windows", project="p")) == []
    assert (await beta.get("/api/windows", project="alpha")).status == 403
    assert (await beta.request("DELETE", "/api/windows/w", project="alpha")).status == 403
    assert (await put(beta, "amy", token, project="alpha")).status == 403
    assert (await put(beta, "amy", token, project="beta")).status == 403
    assert uuids(await alpha.get("/api/windows", project="alpha")) == ["w"]


async def test_windows_come_in_pages_used_last_first(http: Http, clock: HandClock) -> None:
    token = await register(http, "amy")
    for uuid in "abcde":
        await put(http, "amy", token, uuid)
        await clock.advance(1)
    seen, cursor = [], ""
    for _ in range(3):
        page = await http.get("/api/windows", project="p", limit=2, cursor=cursor)
        seen.append(uuids(page))
        cursor = page.body.get("next_cursor", "")
    assert seen == [["e", "d"], ["c", "b"], ["a"]]
    assert cursor == ""


async def test_an_agent_keeps_the_windows_it_used_last(http: Http, clock: HandClock) -> None:
    token = await register(http, "amy")
    for number in range(52):
        await put(http, "amy", token, f"w{number}")
        await clock.advance(1)
    kept = uuids(await http.get("/api/windows", project="p"))
    assert kept == [f"w{number}" for number in range(51, 1, -1)]
