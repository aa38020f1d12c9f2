"""Live delivery is off unless an operator turns it on."""

import pytest

from intermute.limits import LiveRules
from tests.intermute.calling import Http


@pytest.fixture
def rules() -> LiveRules:
    return LiveRules()


async def test_without_live_delivery_every_message_is_for_the_inbox(http: Http) -> None:
    await http.post("/api/agents", {"id": "bob", "project": "p"})
    for transport in ("live", "both"):
        body = {"project": "p", "from": "alice", "to": ["bob"], "body": "x", "transport": transport}
        answer = await http.post("/api/messages", body)
        assert (answer.status, answer["delivery"]) == (200, "async")
    assert len((await http.get("/api/inbox/bob", project="p"))["messages"]) == 2
    assert (await http.get("/api/inbox/pokes", project="p", agent="bob"))["pokes"] == []
