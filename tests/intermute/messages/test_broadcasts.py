"""A broadcast goes to everybody who is registered in the project and takes it, not too often."""

from typing import Any

import pytest

from tests.clock import HandClock
from tests.intermute.calling import Answer, Http

NEWS = {"project": "p", "from": "ana", "topic": "News", "body": "hello"}


async def registered(http: Http, *agents: str, project: str = "p") -> None:
    for agent in agents:
        answer = await http.post("/api/agents", {"id": agent, "name": agent, "project": project})
        assert answer.status == 200


async def blocked(http: Http, agent: str) -> None:
    assert (await http.post(f"/api/agents/{agent}/policy", {"policy": "block_all"})).status == 200


async def speak(http: Http, **change: Any) -> Answer:
    return await http.post("/api/broadcast", {**NEWS, **change})


async def test_everybody_else_in_the_project_gets_it(http: Http) -> None:
    await registered(http, "ana", "ben", "cat")
    await registered(http, "eve", project="q")
    sent = await speak(http, subject="s")
    assert sent.body == {"message_id": sent["message_id"], "cursor": sent["cursor"], "delivered": 2}
    for agent in ("ben", "cat"):
        (message,) = (await http.get(f"/api/inbox/{agent}", project="p"))["messages"]
        assert (message["topic"], message["subject"], message["to"]) == ("news", "s", ["ben", "cat"])
    for agent in ("ana", "eve"):
        assert (await http.get(f"/api/inbox/{agent}"))["messages"] == []
    topic = await http.get("/api/topics/p/news")
    assert [message["id"] for message in topic["messages"]] == [sent["message_id"]]


async def test_who_is_alone_speaks_to_nobody(http: Http) -> None:
    await registered(http, "ana")
    assert (await speak(http)).body == {"message_id": "", "cursor": 0, "delivered": 0}


async def test_who_takes_no_messages_gets_no_broadcast(http: Http) -> None:
    await registered(http, "ana", "ben", "cat", "dan")
    await blocked(http, "ben")
    await blocked(http, "dan")
    sent = await speak(http)
    assert (sent.status, sent["delivered"], sent["denied"]) == (200, 1, ["ben", "dan"])
    await blocked(http, "cat")
    refused = await speak(http)
    assert (refused.status, refused["error"]) == (403, "policy_denied")
    assert refused["denied"] == ["ben", "cat", "dan"]


@pytest.mark.parametrize("name", ["from", "topic", "body"])
async def test_a_broadcast_says_who_what_and_on_what(http: Http, name: str) -> None:
    for value in (None, "", " "):
        answer = await speak(http, **{name: value})
        assert (answer.status, answer["error"]) == (400, f"{name}_required")


async def test_a_sender_speaks_ten_times_a_minute(http: Http, clock: HandClock) -> None:
    await registered(http, "ben")
    for _ in range(10):
        assert (await speak(http)).status == 200
        await clock.advance(1)
    refused = await speak(http)
    assert (refused.status, refused["error"]) == (429, "rate_limit")
    assert (refused.headers["Retry-After"], refused["retry_after"]) == ("50", 50)
    assert (await speak(http, **{"from": "cat"})).status == 200
    assert (await speak(http, project="q")).status == 200
    await clock.advance(49)
    assert (await speak(http)).status == 429
    await clock.advance(1)
    assert (await speak(http)).status == 200
    assert len((await http.get("/api/inbox/ben", project="p"))["messages"]) == 12


async def test_a_clock_that_was_turned_back_holds_nobody_up(http: Http, clock: HandClock) -> None:
    await registered(http, "ben")
    for _ in range(10):
        await speak(http)
    clock._now = clock.now().replace(year=2025)
    assert (await speak(http)).status == 200


async def test_the_same_broadcast_is_sent_once_and_counted_once(http: Http) -> None:
    await registered(http, "ben")
    first = await speak(http, id="b-1")
    await registered(http, "cat")
    for _ in range(12):
        assert (await speak(http, id="b-1")).body == first.body
    assert len((await http.get("/api/inbox/ben", project="p"))["messages"]) == 1
    assert (await http.get("/api/inbox/cat", project="p"))["messages"] == []
    other = await speak(http, id="b-1", **{"from": "eve"})
    assert (other.status, other["error"]) == (409, "message_id_taken")


async def test_a_key_speaks_in_its_own_project_only(alpha: Http) -> None:
    assert (await speak(alpha, project="beta")).status == 403
    assert (await speak(alpha, project="")).status == 400
    assert (await speak(alpha, project="alpha")).status == 200
