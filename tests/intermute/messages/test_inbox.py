"""An inbox is read page by page, counted, and says what still waits for an acknowledgement."""

from datetime import timedelta
from typing import Any

from tests.clock import HandClock
from tests.intermute.calling import Http


async def send(http: Http, body: str, **rest: Any) -> int:
    letter = {"project": "p", "from": "ana", "to": ["ben"], "body": body, **rest}
    answer = await http.post("/api/messages", letter)
    assert answer.status == 200
    return int(answer["cursor"])


async def test_pages_follow_each_other_by_cursor(http: Http) -> None:
    for number in range(5):
        await send(http, str(number))
    seen, cursor, pages = [], 0, []
    while True:
        page = await http.get("/api/inbox/ben", project="p", since_cursor=cursor, limit=2)
        if not page["messages"]:
            break
        pages.append(len(page["messages"]))
        seen += [message["body"] for message in page["messages"]]
        cursor = page["cursor"]
    assert pages == [2, 2, 1]
    assert seen == ["0", "1", "2", "3", "4"]
    assert (page["cursor"], page["next_cursor"]) == (cursor, str(cursor))


async def test_the_cursor_may_be_called_cursor(http: Http) -> None:
    first = await send(http, "1")
    await send(http, "2")
    page = await http.get("/api/inbox/ben", project="p", cursor=str(first))
    assert [message["body"] for message in page["messages"]] == ["2"]


async def test_a_cursor_or_limit_that_cannot_be_read_is_the_default(http: Http) -> None:
    await send(http, "1")
    for cursor, limit in (("x", "y"), ("-1", "0"), ("9" * 40, "-3")):
        page = await http.get("/api/inbox/ben", project="p", since_cursor=cursor, limit=limit)
        assert (page.status, len(page["messages"])) == (200, 1)


async def test_a_local_program_that_names_no_project_sees_all_of_them(http: Http) -> None:
    for number, project in enumerate(["p", "q", "", "p", "r", "q"]):
        await send(http, str(number), project=project)
    first = await http.get("/api/inbox/ben", limit=4)
    rest = await http.get("/api/inbox/ben", limit=4, since_cursor=first["cursor"])
    assert [message["body"] for message in first["messages"]] == ["0", "1", "2", "3"]
    assert [(message["body"], message["project"]) for message in rest["messages"]] == [("4", "r"), ("5", "q")]
    assert (await http.get("/api/inbox/nobody")).body == {"messages": [], "cursor": 0, "next_cursor": "0"}


async def test_a_key_sees_its_own_project_whatever_it_names(http: Http, alpha: Http) -> None:
    await send(http, "mine", project="alpha", thread_id="t", ack_required=True)
    await send(http, "theirs", project="beta", thread_id="t", ack_required=True)
    page = await alpha.get("/api/inbox/ben", project="beta")
    assert [message["body"] for message in page["messages"]] == ["mine"]
    assert (await alpha.get("/api/inbox/ben/counts", project="beta")).body == {"total": 1, "unread": 1}
    stale = await alpha.get("/api/inbox/ben/stale-acks", project="beta", ttl_seconds=0)
    assert (stale["project"], stale["count"]) == ("alpha", 1)


async def test_counts_go_down_as_messages_are_read(http: Http) -> None:
    for number in range(3):
        await send(http, "x", id=f"m-{number}")
    assert (await http.get("/api/inbox/ben/counts", project="p")).body == {"total": 3, "unread": 3}
    await http.post("/api/messages/m-1/read", project="p", agent="ben")
    assert (await http.get("/api/inbox/ben/counts", project="p")).body == {"total": 3, "unread": 2}
    assert (await http.get("/api/inbox/nobody/counts", project="p")).body == {"total": 0, "unread": 0}


async def test_what_waits_for_an_acknowledgement_is_listed_oldest_first(http: Http, clock: HandClock) -> None:
    await send(http, "old", id="old", ack_required=True, subject="s", to=["cat"], cc=["ben"])
    await send(http, "plain")
    await clock.advance(10)
    await send(http, "done", id="done", ack_required=True)
    await http.post("/api/messages/done/ack", project="p", agent="ben")
    await clock.advance(10)
    await send(http, "young", id="young", ack_required=True)
    await http.post("/api/messages/young/read", project="p", agent="ben")
    stale = await http.get("/api/inbox/ben/stale-acks", project="p", ttl_seconds=0)
    assert [message["id"] for message in stale["messages"]] == ["old", "young"]
    assert stale["messages"][0] == {
        "id": "old",
        "thread_id": "",
        "project": "p",
        "from": "ana",
        "to": ["cat"],
        "subject": "s",
        "body": "old",
        "created_at": "2026-01-05T09:00:00Z",
        "kind": "cc",
        "read_at": None,
        "age_seconds": 20,
    }
    assert stale["messages"][1]["read_at"] == "2026-01-05T09:00:20Z"
    older = await http.get("/api/inbox/ben/stale-acks", project="p", ttl_seconds=20)
    assert (older["ttl_seconds"], older["count"], older["messages"][0]["id"]) == (20, 1, "old")


async def test_fault_23_what_waits_for_an_acknowledgement_has_pages(http: Http) -> None:
    for number in range(5):
        await send(http, "x", id=f"m-{number}", ack_required=True)
    seen: list[list[str]] = []
    cursor = ""
    for _ in range(4):
        page = await http.get("/api/inbox/ben/stale-acks", project="p", ttl_seconds=0, limit=2, cursor=cursor)
        seen.append([message["id"] for message in page["messages"]])
        cursor = page.body.get("next_cursor", "")
    assert seen == [["m-0", "m-1"], ["m-2", "m-3"], ["m-4"], []]


async def test_nothing_is_stale_before_its_time(http: Http, clock: HandClock) -> None:
    await send(http, "x", ack_required=True)
    await clock.advance(timedelta(minutes=29, seconds=59).total_seconds())
    stale = await http.get("/api/inbox/ben/stale-acks", project="p")
    assert stale.body == {"project": "p", "agent": "ben", "ttl_seconds": 1800, "count": 0, "messages": []}
    await clock.advance(1)
    assert (await http.get("/api/inbox/ben/stale-acks", project="p", ttl_seconds="soon"))["count"] == 1


async def test_a_topic_is_read_in_the_cursors_of_everything(http: Http) -> None:
    await send(http, "other", topic="other")
    first = await send(http, "1", topic="Build/CI")
    await http.post("/api/agents", {"id": "x", "name": "x", "project": "p"})
    second = await send(http, "2", topic="build/ci ", to=["cat"])
    page = await http.get("/api/topics/p/BUILD/ci")
    assert [(message["body"], message["cursor"]) for message in page["messages"]] == [
        ("1", first),
        ("2", second),
    ]
    assert page["cursor"] == second
    rest = await http.get("/api/topics/p/build/ci", since_cursor=first, limit=5)
    assert [message["body"] for message in rest["messages"]] == ["2"]


async def test_fault_13_a_topic_and_an_inbox_have_the_same_cursors(http: Http) -> None:
    await http.post("/api/messages/none/ack", project="p", agent="ben")
    for number in range(3):
        await send(http, str(number), topic="t", id=f"m-{number}")
        await http.post(f"/api/messages/m-{number}/read", project="p", agent="ben")
    inbox = (await http.get("/api/inbox/ben", project="p"))["messages"]
    topic = (await http.get("/api/topics/p/t"))["messages"]
    assert topic == inbox
    behind = await http.get("/api/topics/p/t", since_cursor=inbox[1]["cursor"])
    assert [message["body"] for message in behind["messages"]] == ["2"]


async def test_a_key_reads_no_topic_of_another_project(http: Http, alpha: Http) -> None:
    await send(http, "x", project="beta", topic="t")
    assert (await alpha.get("/api/topics/beta/t")).status == 403
    assert (await alpha.get("/api/topics/alpha/t"))["messages"] == []
