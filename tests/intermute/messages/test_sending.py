"""A message is kept once, goes to everybody it names, and is told once."""

import asyncio
from typing import Any

import pytest

from storage.database import Database
from tests.intermute.calling import Http

HELLO = {"project": "p", "from": "ana", "to": ["ben"], "body": "hello"}


async def bodies(http: Http, agent: str, project: str = "p") -> list[str]:
    inbox = await http.get(f"/api/inbox/{agent}", project=project)
    return [message["body"] for message in inbox["messages"]]


async def registered(http: Http, *agents: str, project: str = "p") -> None:
    for agent in agents:
        answer = await http.post("/api/agents", {"id": agent, "name": agent, "project": project})
        assert answer.status == 200


async def policy(http: Http, agent: str, policy: str) -> None:
    answer = await http.post(f"/api/agents/{agent}/policy", {"policy": policy})
    assert answer.status == 200


async def test_a_message_goes_to_the_inbox_of_its_recipient(http: Http) -> None:
    sent = await http.post("/api/messages", HELLO)
    assert sent.status == 200
    assert sent.body == {"message_id": sent["message_id"], "cursor": 1, "delivery": "async"}
    inbox = await http.get("/api/inbox/ben", project="p")
    assert inbox.body == {
        "messages": [
            {
                "id": sent["message_id"],
                "thread_id": "",
                "project": "p",
                "from": "ana",
                "to": ["ben"],
                "body": "hello",
                "created_at": "2026-01-05T09:00:00Z",
                "cursor": 1,
            }
        ],
        "cursor": 1,
        "next_cursor": "1",
    }


async def test_everything_a_message_says_comes_back(http: Http) -> None:
    words = {
        "id": "m-1",
        "thread_id": "t-1",
        "subject": 'a "subject" with \\ and {braces}',
        "body": "<b>&\N{SNOWMAN}\n",
        "importance": "high",
        "ack_required": True,
        "cc": ["cat"],
    }
    await http.post("/api/messages", {**HELLO, **words, "topic": " Build/CI "})
    message = (await http.get("/api/inbox/ben", project="p"))["messages"][0]
    assert {name: message[name] for name in words} == words
    assert message["topic"] == "build/ci"


@pytest.mark.parametrize(
    "name", ['quote"d', "back\\slash", "{}", "a,b", "NULL", " spaced ", "\N{SNOWMAN}", '"']
)
async def test_a_recipient_may_have_any_name(http: Http, name: str) -> None:
    await http.post("/api/messages", {**HELLO, "to": [name, "ben"], "cc": [name + "2"]})
    message = (await http.get("/api/inbox/ben", project="p"))["messages"][0]
    assert (message["to"], message["cc"]) == ([name, "ben"], [name + "2"])


async def test_delivery_is_told_for_each_of_several_recipients(http: Http) -> None:
    sent = await http.post("/api/messages", {**HELLO, "to": ["ben", "cat"], "cc": ["dan"]})
    assert sent["delivery"] == {"ben": "async", "cat": "async"}


async def test_who_is_named_twice_gets_one_message(http: Http) -> None:
    await http.post("/api/messages", {**HELLO, "to": ["ben", "ben"], "cc": ["ben"], "bcc": ["ben"]})
    assert await bodies(http, "ben") == ["hello"]
    counts = await http.get("/api/inbox/ben/counts", project="p")
    assert counts.body == {"total": 1, "unread": 1}


async def test_who_writes_to_itself_gets_its_message_once(http: Http) -> None:
    await http.post("/api/messages", {**HELLO, "to": ["ana"], "thread_id": "t"})
    assert await bodies(http, "ana") == ["hello"]
    threads = await http.get("/api/threads", agent="ana", project="p")
    assert [thread["message_count"] for thread in threads["threads"]] == [1]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"from": " "}, "from_required"),
        ({"from": None}, "from_required"),
        ({"to": []}, "to_required"),
        ({"to": None}, "to_required"),
        ({"to": ["ben", " "]}, "blank_recipient"),
        ({"cc": [""]}, "blank_recipient"),
        ({"transport": "pigeon"}, "invalid_transport"),
        ({"to": "ben"}, "invalid_request"),
        ({"to": [7]}, "invalid_request"),
        ({"body": 7}, "invalid_request"),
        ({"ack_required": "yes"}, "invalid_request"),
        ({"body": "a\0b"}, "invalid_request"),
        ({"id": "x" * 201}, "invalid_request"),
        ({"to": ["x" * 201]}, "invalid_request"),
        ({"to": [f"a{number}" for number in range(1001)]}, "invalid_request"),
    ],
)
async def test_a_wrong_message_is_refused_with_the_reason(
    http: Http, change: dict[str, Any], code: str
) -> None:
    answer = await http.post("/api/messages", {**HELLO, **change})
    assert (answer.status, answer["error"]) == (400, code)
    assert await bodies(http, "ben") == []


async def test_a_message_without_words_is_a_message(http: Http) -> None:
    assert (await http.post("/api/messages", {"from": "ana", "to": ["ben"]})).status == 200
    assert await bodies(http, "ben", project="") == [""]


@pytest.mark.parametrize("blank", ["", " ", "\t\n"])
async def test_a_blank_id_is_none_for_no_address_could_name_it(http: Http, blank: str) -> None:
    sent = await http.post("/api/messages", {**HELLO, "id": blank})
    assert (await http.post(f"/api/messages/{sent['message_id']}/read", project="p")).status == 200


async def test_fault_06_sending_again_is_the_same_message(http: Http, database: Database) -> None:
    first = await http.post("/api/messages", {**HELLO, "id": "m-1", "thread_id": "t"})
    again = [await http.post("/api/messages", {**HELLO, "id": "m-1", "thread_id": "t"}) for _ in range(3)]
    assert [answer.body for answer in again] == [first.body] * 3
    assert await bodies(http, "ben") == ["hello"]
    assert (await http.get("/api/inbox/ben/counts", project="p")).body == {"total": 1, "unread": 1}
    threads = await http.get("/api/threads", agent="ben", project="p")
    assert threads["threads"][0]["message_count"] == 1
    assert await database.fetchval("SELECT count(*) FROM intermute.events") == 1


async def test_fault_06_of_many_who_send_the_same_at_once_one_is_kept(http: Http, database: Database) -> None:
    async with asyncio.TaskGroup() as tasks:
        sends = [
            tasks.create_task(http.post("/api/messages", {**HELLO, "id": "m-1", "body": f"try {number}"}))
            for number in range(20)
        ]
    assert {send.result().status for send in sends} == {200}
    assert len({send.result()["cursor"] for send in sends}) == 1
    assert len(await bodies(http, "ben")) == 1
    assert await database.fetchval("SELECT cursor FROM intermute.counter") == 1


async def test_the_newest_words_of_a_message_stand(http: Http) -> None:
    await http.post("/api/messages", {**HELLO, "id": "m-1"})
    await http.post("/api/messages/m-1/read", project="p", agent="ben")
    newer = {"body": "goodbye", "subject": "s", "importance": "low", "topic": "T", "ack_required": True}
    await http.post("/api/messages", {**HELLO, "id": "m-1", **newer})
    message = (await http.get("/api/inbox/ben", project="p"))["messages"][0]
    assert {name: message[name] for name in newer} == {**newer, "topic": "t"}
    assert (await http.get("/api/inbox/ben/counts", project="p")).body == {"total": 1, "unread": 0}
    stale = await http.get("/api/inbox/ben/stale-acks", project="p", ttl_seconds=0)
    assert [message["id"] for message in stale["messages"]] == ["m-1"]


@pytest.mark.parametrize(
    "change",
    [
        {"from": "eve"},
        {"to": ["cat"]},
        {"to": ["ben", "cat"]},
        {"to": ["cat"], "cc": ["ben"]},
        {"cc": ["cat"]},
        {"bcc": ["cat"]},
        {"thread_id": "other"},
    ],
)
async def test_an_id_is_not_taken_for_another_message(http: Http, change: dict[str, Any]) -> None:
    await http.post("/api/messages", {**HELLO, "id": "m-1"})
    answer = await http.post("/api/messages", {**HELLO, "id": "m-1", "body": "other", **change})
    assert (answer.status, answer["error"]) == (409, "message_id_taken")
    assert await bodies(http, "ben") == ["hello"]


async def test_an_id_is_free_in_another_project(http: Http) -> None:
    await http.post("/api/messages", {**HELLO, "id": "m-1"})
    other = await http.post("/api/messages", {**HELLO, "id": "m-1", "project": "q", "from": "eve"})
    assert other.status == 200
    assert await bodies(http, "ben", "q") == ["hello"]


async def test_fault_07_copies_are_delivered_and_counted(http: Http) -> None:
    await http.post("/api/messages", {**HELLO, "cc": ["cat"], "bcc": ["dan", "eve"]})
    for agent in ("ben", "cat", "dan", "eve"):
        assert await bodies(http, agent) == ["hello"]
        counts = await http.get(f"/api/inbox/{agent}/counts", project="p")
        assert counts.body == {"total": 1, "unread": 1}


async def test_fault_07_a_blind_copy_is_seen_by_who_got_it_and_by_the_sender(http: Http) -> None:
    await http.post(
        "/api/messages",
        {**HELLO, "to": ["ben", "ana"], "cc": ["cat"], "bcc": ["dan", "eve"], "topic": "t", "thread_id": "t"},
    )

    async def blind(agent: str) -> Any:
        return (await http.get(f"/api/inbox/{agent}", project="p"))["messages"][0].get("bcc")

    assert [await blind(agent) for agent in ("ben", "cat")] == [None, None]
    assert [await blind("dan"), await blind("eve")] == [["dan"], ["eve"]]
    assert await blind("ana") == ["dan", "eve"]
    topic = await http.get("/api/topics/p/t")
    assert "bcc" not in topic["messages"][0]
    assert "dan" not in (await http.get("/api/threads/t", project="p")).text
    found = await http.get("/api/messages/search", project="p", q="hello")
    assert "bcc" not in found["messages"][0]
    mine = await http.get("/api/topics/p/t", headers={"X-Agent-ID": "eve"})
    assert mine["messages"][0]["bcc"] == ["eve"]


async def test_who_takes_no_messages_gets_none_and_the_sender_is_told(http: Http) -> None:
    await registered(http, "ben", "cat", "dan")
    await policy(http, "ben", "block_all")
    await policy(http, "dan", "block_all")
    sent = await http.post("/api/messages", {**HELLO, "to": ["ben", "cat"], "bcc": ["dan"]})
    assert (sent.status, sent["denied"], sent["delivery"]) == (200, ["ben", "dan"], "async")
    assert [await bodies(http, agent) for agent in ("ben", "cat", "dan")] == [[], ["hello"], []]
    message = (await http.get("/api/inbox/cat", project="p"))["messages"][0]
    assert message["to"] == ["cat"]


async def test_a_message_to_nobody_who_takes_it_is_refused(http: Http, database: Database) -> None:
    await registered(http, "ben")
    await policy(http, "ben", "block_all")
    answer = await http.post("/api/messages", HELLO)
    assert (answer.status, answer["error"], answer["denied"]) == (403, "policy_denied", ["ben"])
    assert await database.fetchval("SELECT count(*) FROM intermute.events WHERE type LIKE 'message%'") == 0


async def test_a_message_that_was_sent_is_not_denied_when_it_is_sent_again(http: Http) -> None:
    await registered(http, "ben", "cat")
    await policy(http, "cat", "block_all")
    letter = {**HELLO, "id": "m-1", "to": ["ben", "cat"]}
    first = await http.post("/api/messages", letter)
    await policy(http, "ben", "block_all")
    await policy(http, "cat", "open")
    again = await http.post("/api/messages", letter)
    assert again.body == first.body
    assert again["denied"] == ["cat"]


async def test_who_takes_messages_from_contacts_takes_them_from_who_is_in_the_thread(http: Http) -> None:
    await registered(http, "ben")
    await http.post("/api/messages", {**HELLO, "from": "ben", "to": ["ana"], "thread_id": "t"})
    await policy(http, "ben", "contacts_only")
    assert (await http.post("/api/messages", HELLO)).status == 403
    assert (await http.post("/api/messages", {**HELLO, "thread_id": "t"})).status == 200


async def test_a_key_sends_in_its_own_project_only(alpha: Http, beta: Http) -> None:
    assert (await alpha.post("/api/messages", {**HELLO, "project": "beta"})).status == 403
    assert (await alpha.post("/api/messages", {**HELLO, "project": " "})).status == 400
    assert (await alpha.post("/api/messages", {**HELLO, "project": "alpha"})).status == 200
    assert await bodies(alpha, "ben", "") == ["hello"]
    assert await bodies(beta, "ben", "") == []
    assert await bodies(beta, "ben", "alpha") == []


async def test_live_delivery_that_is_turned_off_is_delivery_to_the_inbox(http: Http) -> None:
    for transport in ("live", "both"):
        sent = await http.post("/api/messages", {**HELLO, "transport": transport})
        assert (sent.status, sent["delivery"]) == (200, "async")
    assert await bodies(http, "ben") == ["hello", "hello"]


async def test_each_recipient_is_told_of_its_message(http: Http) -> None:
    sent = await http.post("/api/messages", {**HELLO, "to": ["ben"], "bcc": ["cat"]})
    for agent in ("ben", "cat"):
        events = await http.get("/api/events", project="p", agent=agent)
        (event,) = [event for event in events["events"] if event["type"] == "message.created"]
        assert (event["message_id"], event["cursor"]) == (sent["message_id"], sent["cursor"])
    everybody = await http.get("/api/events", project="p")
    assert "cat" not in everybody.text
