"""Messages for terminals: who is busy, who is denied, what waits."""

from typing import Any

import pytest

from intermute.live.envelope import wrap
from storage.database import Database
from tests.clock import HandClock
from tests.intermute.calling import Answer, Http


async def seat(http: Http, agent: str = "bob", *, focus: str = "at-prompt", live: str = "open") -> str:
    """An agent that sits at a terminal, which nobody can reach here."""
    token = (await http.post("/api/agents", {"id": agent, "project": "p"}))["token"]
    await http.put(f"/api/agents/{agent}/policy", {"live_contact_policy": live})
    body = {"project": "p", "window_uuid": f"w-{agent}", "agent_id": agent, "tmux_target": "work:0.0"}
    assert (await http.post("/api/windows", {**body, "registration_token": token})).status == 200
    await http.post(f"/api/agents/{agent}/heartbeat", {"focus_state": focus})
    return str(token)


async def send(http: Http, transport: str, *to: str, **rest: Any) -> Answer:
    body = {"project": "p", "from": "alice", "to": to or ["bob"], "body": "x", "transport": transport, **rest}
    return await http.post("/api/messages", body)


async def waiting(http: Http, agent: str = "bob") -> Any:
    answer = await http.get("/api/inbox/pokes", project="p", agent=agent)
    assert answer.status == 200
    return answer["pokes"]


async def stored(http: Http, agent: str = "bob") -> int:
    return len((await http.get(f"/api/inbox/{agent}", project="p"))["messages"])


@pytest.mark.parametrize("focus", ["thinking", "tool-use", "unknown"])
async def test_a_busy_agent_is_not_typed_to(http: Http, focus: str) -> None:
    await seat(http, focus=focus)
    answer = await send(http, "live")
    assert (answer.status, answer["error"]) == (503, "recipient_busy")
    assert (answer["agent"], answer["focus_state"]) == ("bob", focus)
    assert int(answer.headers["Retry-After"]) > 0
    assert (await stored(http), await waiting(http)) == (0, [])


async def test_a_prompt_seen_more_than_two_seconds_ago_is_no_longer_known(
    http: Http, clock: HandClock
) -> None:
    await seat(http)
    await clock.advance(2)
    assert (await send(http, "live"))["error"] == "delivery_failed"
    await clock.advance(0.1)
    answer = await send(http, "live")
    assert (answer["error"], answer["focus_state"]) == ("recipient_busy", "unknown")


async def test_a_busy_agent_finds_a_message_of_both_ways_later(http: Http, database: Database) -> None:
    await seat(http, focus="thinking")
    answer = await send(http, "both", id="m1", thread_id="t-1", body="rebase")
    assert (answer.status, answer["delivery"]) == (200, "deferred")
    assert await stored(http) == 1
    (poke,) = await waiting(http)
    assert poke == {
        "message_id": "m1",
        "sender": "alice",
        "body": wrap("alice", "t-1", "rebase"),
        "created_at": "Mon, 05 Jan 2026 09:00:00 GMT",
    }
    told = await database.fetch("SELECT type, audience, data FROM intermute.events ORDER BY cursor")
    assert [event["type"] for event in told] == ["message.created", "peer.window_poke"]
    assert told[1]["audience"] == ["bob"]
    assert told[1]["data"] == {"message_id": "m1", "from": "alice", "delivery": "deferred"}


async def test_a_poke_that_was_looked_at_does_not_come_back(http: Http) -> None:
    await seat(http, focus="thinking")
    await send(http, "both", id="m1")
    for message in ("m1", "m1", "never"):
        answer = await http.post(f"/api/inbox/pokes/{message}/ack", project="p", agent="bob")
        assert (answer.status, answer.body) == (200, {"status": "ok"})
    assert await waiting(http) == []
    again = await send(http, "both", id="m1")
    assert again.status == 200
    assert await waiting(http) == []
    assert await stored(http) == 1


async def test_a_terminal_that_cannot_be_reached_fails_live_and_defers_both(http: Http) -> None:
    await seat(http)
    answer = await send(http, "live")
    assert (answer.status, answer["error"], answer["delivery"]) == (503, "delivery_failed", "failed")
    assert (await stored(http), await waiting(http)) == (0, [])
    assert (await send(http, "both"))["delivery"] == "deferred"
    assert (await stored(http), len(await waiting(http))) == (1, 1)


async def test_an_agent_without_a_window_is_busy(http: Http) -> None:
    await seat(http)
    await http.request("DELETE", "/api/windows/w-bob", project="p")
    assert (await send(http, "live"))["error"] == "recipient_busy"
    assert (await send(http, "live", "stranger")).status == 403  # contacts only, and it has none


async def test_a_window_that_is_named_has_to_be_the_recipients(http: Http) -> None:
    await seat(http)
    await seat(http, "carol")
    assert (await send(http, "live", target_window_uuid="w-carol"))["error"] == "recipient_busy"
    assert (await send(http, "live", target_window_uuid="w-bob"))["error"] == "delivery_failed"


async def test_live_has_a_policy_of_its_own(http: Http) -> None:
    await seat(http, live="contacts_only")
    for transport in ("live", "both"):
        answer = await send(http, transport)
        assert (answer.status, answer["error"], answer["denied"]) == (403, "policy_denied", ["bob"])
    assert (await send(http, "async")).status == 200
    await http.post("/api/agents/bob/contacts", {"contact": "alice"})
    assert (await send(http, "live"))["error"] == "delivery_failed"


async def test_several_recipients_each_have_their_own_way(http: Http) -> None:
    await seat(http, "bob", focus="thinking")
    await seat(http, "carol", live="block_all")
    answer = await send(http, "both", "bob", "carol")
    assert (answer.status, answer["denied"]) == (200, ["carol"])
    assert answer["delivery"] in ("deferred", {"bob": "deferred"})
    assert (await stored(http, "bob"), await stored(http, "carol")) == (1, 0)


async def test_the_eleventh_of_a_minute_is_refused(http: Http) -> None:
    await seat(http)
    for _ in range(10):
        assert (await send(http, "live")).status == 503
    answer = await send(http, "live")
    assert (answer.status, answer["error"], answer["retry_after_seconds"]) == (429, "rate_limit", 60)
    assert answer.headers["Retry-After"] == "60"


async def test_a_message_too_long_for_a_terminal_waits_or_is_refused(http: Http) -> None:
    await seat(http)
    long = "x" * 40_000
    assert (await send(http, "live", body=long)).status == 413
    assert (await send(http, "both", body=long))["delivery"] == "deferred"


async def test_pokes_come_in_pages_oldest_first(http: Http, clock: HandClock) -> None:
    await seat(http, focus="thinking")
    for number in range(5):
        await send(http, "both", id=f"m{number}")
        await clock.advance(30)
    seen, cursor = [], ""
    for _ in range(3):
        page = await http.get("/api/inbox/pokes", project="p", agent="bob", limit=2, cursor=cursor)
        seen.append([poke["message_id"] for poke in page["pokes"]])
        cursor = page.body.get("next_cursor", "")
    assert seen == [["m0", "m1"], ["m2", "m3"], ["m4"]]
    assert cursor == ""


async def test_pokes_are_asked_for_by_project_and_agent(http: Http) -> None:
    for query in ({}, {"project": "p"}, {"agent": "bob"}):
        assert (await http.get("/api/inbox/pokes", **query)).status == 400
        assert (await http.post("/api/inbox/pokes/m/ack", **query)).status == 400


async def test_pokes_of_a_guarded_agent_are_its_own(http: Http) -> None:
    assert (await http.get("/api/inbox/pokes", project="p", agent="intercom:office")).status == 403
    assert (await http.post("/api/inbox/pokes/m/ack", project="p", agent="intercom:office")).status == 403


async def test_a_key_sees_the_pokes_of_its_project(http: Http, alpha: Http) -> None:
    await seat(http, focus="thinking")
    await send(http, "both")
    answer = await alpha.get("/api/inbox/pokes", project="p", agent="bob")
    assert (answer.status, answer["pokes"]) == (200, [])
