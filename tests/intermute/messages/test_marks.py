"""Marks are put by who got the message, once, and told to the project alone."""

import asyncio

import pytest

from tests.clock import HandClock
from tests.intermute.calling import Http


async def send(http: Http, *to: str, id: str = "m-1", project: str = "p") -> None:  # noqa: A002 - its name there
    letter = {"project": project, "id": id, "from": "ana", "to": list(to), "body": "x", "ack_required": True}
    assert (await http.post("/api/messages", letter)).status == 200


async def marks(http: Http, project: str = "p") -> list[str]:
    events = (await http.get("/api/events", project=project))["events"]
    return [event["type"] for event in events if event["type"] in ("message.read", "message.ack")]


@pytest.mark.parametrize("action", ["ack", "read"])
async def test_a_mark_answers_with_nothing(http: Http, action: str) -> None:
    await send(http, "ben")
    answer = await http.post(f"/api/messages/m-1/{action}", {"agent": "ben"}, project="p")
    assert (answer.status, answer.text) == (200, "")
    assert await marks(http) == [f"message.{action}"]


async def test_an_acknowledgement_does_not_say_that_it_was_read(http: Http) -> None:
    await send(http, "ben")
    await http.post("/api/messages/m-1/ack", project="p", agent="ben")
    assert (await http.get("/api/inbox/ben/counts", project="p"))["unread"] == 1
    assert (await http.get("/api/inbox/ben/stale-acks", project="p", ttl_seconds=0))["count"] == 0


async def test_the_first_mark_stands_and_is_told_once(http: Http, clock: HandClock) -> None:
    await send(http, "ben")
    await http.post("/api/messages/m-1/read", project="p", agent="ben")
    await clock.advance(60)
    assert (await http.post("/api/messages/m-1/read", project="p", agent="ben")).status == 200
    stale = await http.get("/api/inbox/ben/stale-acks", project="p", ttl_seconds=0)
    assert stale["messages"][0]["read_at"] == "2026-01-05T09:00:00Z"
    assert await marks(http) == ["message.read"]


async def test_of_many_marks_at_once_each_is_put(http: Http) -> None:
    for number in range(20):
        await send(http, "ben", "cat", id=f"m-{number}")
    async with asyncio.TaskGroup() as tasks:
        for number in range(20):
            for agent in ("ben", "cat"):
                for action in ("read", "ack", "read"):
                    path = f"/api/messages/m-{number}/{action}"
                    tasks.create_task(http.post(path, project="p", agent=agent))
    for agent in ("ben", "cat"):
        assert (await http.get(f"/api/inbox/{agent}/counts", project="p")).body == {"total": 20, "unread": 0}
        assert (await http.get(f"/api/inbox/{agent}/stale-acks", project="p", ttl_seconds=0))["count"] == 0
    told = await marks(http)
    assert (told.count("message.read"), told.count("message.ack")) == (40, 40)


async def test_fault_12_a_mark_on_no_message_is_refused(http: Http) -> None:
    for body in ({}, {"agent": "ben"}):
        answer = await http.post("/api/messages/none/ack", body, project="p")
        assert (answer.status, answer["error"]) == (404, "not_found")
    assert await marks(http) == []


async def test_fault_12_a_mark_of_somebody_else_is_refused(http: Http) -> None:
    await send(http, "ben")
    for agent in ("ana", "eve"):
        answer = await http.post("/api/messages/m-1/read", {"agent": agent}, project="p")
        assert (answer.status, answer["error"]) == (404, "not_a_recipient")
    assert (await http.get("/api/inbox/ben/counts", project="p"))["unread"] == 1
    assert await marks(http) == []


async def test_fault_12_a_mark_stays_in_its_project(http: Http, alpha: Http) -> None:
    await send(http, "ben", project="beta")
    assert (await alpha.post("/api/messages/m-1/read", {"agent": "ben"}, project="beta")).status == 404
    assert (await http.post("/api/messages/m-1/read", {"agent": "ben"})).status == 404
    await http.post("/api/messages/m-1/read", {"agent": "ben"}, project="beta")
    assert await marks(http, "beta") == ["message.read"]
    assert await marks(http, "alpha") == []
    assert await marks(http, "") == []


async def test_who_marks_without_a_name_is_the_one_recipient(http: Http) -> None:
    await send(http, "ben")
    assert (await http.post("/api/messages/m-1/read", {}, project="p")).status == 200
    assert (await http.get("/api/inbox/ben/counts", project="p"))["unread"] == 0


async def test_who_marks_without_a_name_may_say_it_in_a_header(http: Http) -> None:
    await send(http, "ben", "cat")
    await http.post("/api/messages/m-1/read", project="p", headers={"X-Agent-ID": "cat"})
    assert (await http.get("/api/inbox/cat/counts", project="p"))["unread"] == 0
    assert (await http.get("/api/inbox/ben/counts", project="p"))["unread"] == 1


async def test_a_mark_of_nobody_on_a_message_to_several_is_told_only(http: Http) -> None:
    await send(http, "ben", "cat")
    assert (await http.post("/api/messages/m-1/read", {}, project="p")).status == 200
    assert await marks(http) == ["message.read"]
    for agent in ("ben", "cat"):
        assert (await http.get(f"/api/inbox/{agent}/counts", project="p"))["unread"] == 1


async def test_what_is_told_of_a_mark_names_nobody(http: Http) -> None:
    letter = {"project": "p", "id": "m-1", "from": "ana", "to": ["ben"], "bcc": ["dan"], "body": "x"}
    await http.post("/api/messages", letter)
    await http.post("/api/messages/m-1/read", project="p", agent="dan")
    events = await http.get("/api/events", project="p", agent="ben")
    assert "dan" not in events.text


async def test_there_are_two_marks_and_one_way_to_put_them(http: Http) -> None:
    await send(http, "ben")
    assert (await http.post("/api/messages/m-1/burn", {"agent": "ben"}, project="p")).status == 404
    assert (await http.get("/api/messages/m-1/ack", project="p")).status == 405
