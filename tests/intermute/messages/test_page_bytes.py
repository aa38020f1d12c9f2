"""A page is bounded in bytes too: long messages make it shorter, and the cursor goes on where it ended."""

import pytest

from tests.intermute.calling import Http

LONG = 1_000_000
PATHS = {
    "/api/inbox/bob": {"project": "p"},
    "/api/inbox/bob?all": {},
    "/api/topics/p/plans": {},
    "/api/threads/t1": {"project": "p"},
}


@pytest.mark.parametrize("path", PATHS)
async def test_long_messages_make_pages_shorter_and_none_is_left_out(http: Http, path: str) -> None:
    message = {"project": "p", "from": "ann", "to": ["bob"], "topic": "plans", "thread_id": "t1"}
    for number in range(11):
        sent = {**message, "id": f"m{number}", "body": "x" * LONG}
        assert (await http.post("/api/messages", sent)).status == 200
    query, seen, cursor, pages = PATHS[path], [], 0, 0
    since = "cursor" if "threads" in path else "since_cursor"
    while True:
        page = await http.get(path.partition("?")[0], **query, **{since: cursor}, limit=1000)
        assert page.status == 200
        if not page["messages"]:
            break
        assert len(page["messages"]) <= 5
        seen += [message["id"] for message in page["messages"]]
        cursor, pages = page["cursor"], pages + 1
    assert seen == [f"m{number}" for number in range(11)]
    assert pages == 3


async def test_one_message_always_fits(http: Http) -> None:
    sent = {"project": "p", "from": "ann", "to": ["bob"], "body": "x" * 1_048_000}
    assert (await http.post("/api/messages", sent)).status == 200
    assert len((await http.get("/api/inbox/bob", project="p"))["messages"]) == 1


async def test_what_waits_for_an_ack_and_what_is_found_are_bounded_as_well(http: Http) -> None:
    message = {"project": "p", "from": "ann", "to": ["bob"], "subject": "needle", "ack_required": True}
    for number in range(7):
        sent = {**message, "id": f"m{number}", "body": "x" * LONG}
        assert (await http.post("/api/messages", sent)).status == 200
    stale = await http.get("/api/inbox/bob/stale-acks", project="p", ttl_seconds=0, limit=1000)
    assert [each["id"] for each in stale["messages"]] == ["m0", "m1", "m2", "m3", "m4"]
    found = await http.get("/api/messages/search", project="p", q="needle", limit=1000)
    assert [each["id"] for each in found["messages"]] == ["m6", "m5", "m4", "m3", "m2"]
