"""A message is kept once, goes to everybody it names, and is told once."""

from tests.intermute.calling import Http


async def test_a_message_goes_to_the_inbox_of_its_recipient(http: Http) -> None:
    sent = await http.post("/api/messages", {"project": "p", "from": "ana", "to": ["ben"], "body": "hello"})
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
