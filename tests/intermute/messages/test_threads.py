"""Threads are listed for who takes part, newest first, and read from the beginning."""

from typing import Any

from tests.clock import HandClock
from tests.intermute.calling import Http


async def send(http: Http, thread: str, body: str, **rest: Any) -> int:
    letter = {"project": "p", "from": "ana", "to": ["ben"], "thread_id": thread, "body": body, **rest}
    answer = await http.post("/api/messages", letter)
    assert answer.status == 200
    return int(answer["cursor"])


async def test_everybody_who_wrote_or_got_a_message_takes_part(http: Http, clock: HandClock) -> None:
    await send(http, "t", "first", cc=["cat"], bcc=["dan"])
    await clock.advance(1.5)
    last = await send(http, "t", "second", **{"from": "ben", "to": ["ana"]})
    for agent, count, words, sender in (
        ("ana", 2, "second", "ben"),
        ("ben", 2, "second", "ben"),
        ("cat", 1, "first", "ana"),
        ("dan", 1, "first", "ana"),
    ):
        threads = (await http.get("/api/threads", agent=agent, project="p"))["threads"]
        assert [(t["thread_id"], t["message_count"], t["last_body"], t["last_from"]) for t in threads] == [
            ("t", count, words, sender)
        ]
    thread = (await http.get("/api/threads", agent="ana", project="p", cursor=0))["threads"][0]
    assert (thread["last_cursor"], thread["last_at"]) == (last, "2026-01-05T09:00:01Z")
    assert (await http.get("/api/threads", agent="eve", project="p"))["threads"] == []


async def test_older_threads_are_behind_the_cursor(http: Http) -> None:
    for number in range(5):
        await send(http, f"t-{number}", "x")
    await send(http, "t-0", "again")
    names, cursor = [], 0
    while True:
        page = await http.get("/api/threads", agent="ben", project="p", cursor=cursor, limit=2)
        if not page["threads"]:
            break
        names += [thread["thread_id"] for thread in page["threads"]]
        cursor = page["cursor"]
    assert names == ["t-0", "t-4", "t-3", "t-2", "t-1"]
    assert page["cursor"] == cursor


async def test_the_end_of_a_thread_is_cut_between_characters(http: Http) -> None:
    await send(http, "t", "x" + "\N{SNOWMAN}" * 200)
    thread = (await http.get("/api/threads", agent="ben", project="p"))["threads"][0]
    assert thread["last_body"] == "x" + "\N{SNOWMAN}" * 66


async def test_a_thread_is_read_from_its_beginning(http: Http) -> None:
    cursors = [await send(http, "a/b c", str(number)) for number in range(3)]
    await send(http, "other", "x")
    thread = await http.get("/api/threads/a%2Fb%20c", project="p")
    assert [(message["body"], message["cursor"]) for message in thread["messages"]] == list(
        zip("012", cursors, strict=True)
    )
    assert (thread["thread_id"], thread["cursor"]) == ("a/b c", cursors[-1])
    assert set(thread["messages"][0]) == {
        "id", "thread_id", "project", "from", "to", "body", "created_at", "cursor",
    }  # fmt: skip
    rest = await http.get("/api/threads/a%2Fb%20c", project="p", cursor=cursors[0], limit=1)
    assert [message["body"] for message in rest["messages"]] == ["1"]


async def test_a_thread_nobody_knows_is_empty(http: Http) -> None:
    thread = await http.get("/api/threads/none", project="p", cursor=7)
    assert thread.body == {"thread_id": "none", "messages": [], "cursor": 7}


async def test_whose_threads_must_be_said(http: Http) -> None:
    for agent in ("", " "):
        answer = await http.get("/api/threads", agent=agent, project="p")
        assert (answer.status, answer["error"]) == (400, "agent_required")
    assert (await http.get("/api/threads/", project="p")).status == 400
    assert (await http.post("/api/threads", {})).status == 405


async def test_threads_of_two_projects_have_nothing_in_common(http: Http, alpha: Http) -> None:
    await send(http, "t", "mine", project="alpha")
    await send(http, "t", "theirs", project="beta")
    thread = await alpha.get("/api/threads/t", project="beta")
    assert [message["body"] for message in thread["messages"]] == ["mine"]
    threads = await alpha.get("/api/threads", agent="ben", project="beta")
    assert [(t["message_count"], t["last_body"]) for t in threads["threads"]] == [(1, "mine")]
