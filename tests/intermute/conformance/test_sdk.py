"""Everything the unmodified Go client does, with the statuses it insists on and decoded as it decodes."""

from typing import Any

import aiohttp
import pytest

from tests.intermute.calling import Http
from tests.intermute.conformance.go import Failed
from tests.intermute.conformance.sdk import KINDS, Sdk
from tests.intermute.conftest import elsewhere


@pytest.fixture
def sdk(http: Http) -> Sdk:
    return Sdk(http.session, http.url, "alpha")


async def test_agents_register_beat_and_are_listed(sdk: Sdk) -> None:
    first = await sdk.register(name="Ann", capabilities=["review", "go"], metadata={"repo": "intercom"})
    second = await sdk.register(name="Bob")
    assert first["agent_id"] != second["agent_id"]
    await sdk.heartbeat(first["agent_id"])
    listed = {agent["agent_id"]: agent for agent in await sdk.list_agents()}
    assert listed[first["agent_id"]]["metadata"] == {"repo": "intercom"}
    assert set(listed) == {first["agent_id"], second["agent_id"]}
    found = await sdk.list_agents(["review", "other"])
    assert [agent["name"] for agent in found] == ["Ann"]


async def test_it_may_name_the_agent_it_was_before(sdk: Sdk) -> None:
    assert (await sdk.register(agent_id="ann", name="Ann"))["agent_id"] == "ann"
    assert (await sdk.register(agent_id="ann", name="Ann"))["agent_id"] == "ann"
    assert len(await sdk.list_agents()) == 1


async def test_messages_are_sent_read_and_answered(sdk: Sdk) -> None:
    sent = await sdk.send("ann", ["bob"], "a <b> & c", subject="hello", thread_id="t", ack_required=True)
    page = await sdk.inbox_since("bob", 0)
    (message,) = page["messages"]
    assert (message["id"], message["cursor"]) == (sent["message_id"], sent["cursor"])
    assert (message["from_"], message["to"], message["body"]) == ("ann", ["bob"], "a <b> & c")
    assert page["cursor"] == sent["cursor"] > 0
    assert (await sdk.inbox_since("bob", page["cursor"]))["messages"] == []
    assert await sdk.counts("bob") == {"total": 1, "unread": 1}
    (stale,) = (await sdk.stale_acks("bob", ttl_seconds="0"))["messages"]
    assert (stale["id"], stale["kind"], stale["read_at"]) == (sent["message_id"], "to", None)
    await sdk.mark(sent["message_id"], "read")
    await sdk.mark(sent["message_id"], "ack")
    assert await sdk.counts("bob") == {"total": 1, "unread": 0}
    assert (await sdk.stale_acks("bob", ttl_seconds="0"))["messages"] == []


async def test_threads_are_listed_from_the_newest_on(sdk: Sdk) -> None:
    for number in range(3):
        await sdk.send("ann", ["bob"], f"hello {number}", thread_id=f"t/{number}")
    page = await sdk.threads("ann", 0)
    assert [thread["thread_id"] for thread in page["threads"]] == ["t/2", "t/1", "t/0"]
    assert page["cursor"] == page["threads"][-1]["last_cursor"]
    assert (await sdk.threads("ann", page["cursor"]))["threads"] == []
    said = await sdk.thread("t/1", 0)
    assert [message["body"] for message in said["messages"]] == ["hello 1"]
    assert said["cursor"] == said["messages"][-1]["cursor"]


async def test_lists_of_nothing_are_lists(sdk: Sdk) -> None:
    assert await sdk.list_agents() == []
    assert await sdk.inbox_since("nobody", 7) == {"messages": [], "cursor": 7}
    assert await sdk.counts("nobody") == {"total": 0, "unread": 0}
    assert await sdk.threads("nobody", 0) == {"threads": [], "cursor": 0}
    for plural in KINDS:
        assert await sdk.list(plural) == []


async def test_fault_01_the_original_client_can_reserve_and_release(sdk: Sdk) -> None:
    """It takes no status but 200 for either, and never says which agent it speaks for."""
    held = await sdk.reserve("ann", "src/*.go", True, reason="refactoring", ttl_minutes=5)
    assert (held["agent_id"], held["path_pattern"], held["exclusive"]) == ("ann", "src/*.go", True)
    assert held["is_active"]
    assert [each["id"] for each in await sdk.active_reservations()] == [held["id"]]
    with pytest.raises(Failed) as refused:
        await sdk.reserve("bob", "src/main.go", True)
    assert refused.value.status == 409
    await sdk.release(held["id"])
    assert await sdk.active_reservations() == []
    (past,) = await sdk.agent_reservations("ann")
    assert (past["id"], past["is_active"] or False) == (held["id"], False)
    assert past["released_at"]
    assert await sdk.agent_reservations("bob") == []


async def test_fault_01_whoever_leaves_the_id_out_gets_a_201(http: Http) -> None:
    wish = {"agent_id": "ann", "project": "alpha", "path_pattern": "src/*.go", "exclusive": True}
    answer = await http.post("/api/reservations", wish)
    assert answer.status == 201
    released = f"/api/reservations/{answer['id']}"
    assert (await http.delete(released, headers={"X-Agent-ID": "bob"})).status == 403
    assert (await http.delete(released, headers={"X-Agent-ID": "ann"})).status == 200
    assert (await http.delete(released, headers={"X-Agent-ID": "ann"})).status == 404


async def test_fault_01_a_key_may_release_what_its_project_holds_and_nothing_else(url: str, sdk: Sdk) -> None:
    held = await sdk.reserve("ann", "src/**", True)
    async with aiohttp.ClientSession(headers=elsewhere("key-of-beta")) as session:
        with pytest.raises(Failed) as refused:
            await Sdk(session, url, "beta").release(held["id"])
        assert refused.value.status in (403, 404)
    async with aiohttp.ClientSession(headers=elsewhere("key-of-alpha")) as session:
        await Sdk(session, url, "alpha").release(held["id"])


MEMBERS: dict[str, dict[str, Any]] = {
    "specs": {"title": "One", "vision": "v", "users": "u", "problem": "p"},
    "epics": {"title": "One", "spec_id": "s", "description": "d"},
    "stories": {"title": "One", "epic_id": "e", "acceptance_criteria": ["a", "b"]},
    "tasks": {"title": "One", "story_id": "s", "agent": "ann", "session_id": "x"},
    "insights": {
        "title": "One",
        "source": "s",
        "category": "c",
        "body": "b",
        "url": "http://x",
        "score": 0.75,
    },
    "sessions": {"name": "One", "agent": "ann", "task_id": "t"},
    "cujs": {
        "title": "One",
        "spec_id": "s",
        "persona": "p",
        "steps": [{"order": 1, "action": "open", "expected": "is open", "alternatives": ["knock"]}],
        "success_criteria": ["in"],
        "error_recovery": ["out"],
    },
}
VERSIONED = [plural for plural in KINDS if plural not in ("insights", "sessions")]
STATUSES = {
    "specs": "draft",
    "epics": "open",
    "stories": "todo",
    "tasks": "pending",
    "sessions": "running",
    "cujs": "draft",
}


@pytest.mark.parametrize("plural", KINDS)
async def test_entities_are_made_read_listed_and_deleted(sdk: Sdk, plural: str) -> None:
    made = await sdk.create(plural, **MEMBERS[plural])
    assert made["id"]
    assert made["project"] == "alpha"
    assert {name: made[name] for name in MEMBERS[plural]} == MEMBERS[plural]
    assert made.get("status") == STATUSES.get(plural)
    assert made["created_at" if plural != "sessions" else "started_at"].year > 1
    assert await sdk.get(plural, made["id"]) == made
    assert await sdk.list(plural) == [made]
    await sdk.delete(plural, made["id"])
    await sdk.delete(plural, made["id"])
    with pytest.raises(Failed) as gone:
        await sdk.get(plural, made["id"])
    assert gone.value.status == 404


@pytest.mark.parametrize("plural", VERSIONED)
async def test_whoever_changes_an_old_version_gets_a_conflict(sdk: Sdk, plural: str) -> None:
    made = await sdk.create(plural, **MEMBERS[plural])
    assert made["version"] == 1
    sent = {"id": made["id"], "version": 1, "status": STATUSES[plural], **MEMBERS[plural], "title": "Two"}
    changed = await sdk.update(plural, **sent)
    assert (changed["version"], changed["title"]) == (2, "Two")
    assert changed["created_at"] == made["created_at"]
    with pytest.raises(Failed) as old:
        await sdk.update(plural, **sent)
    assert old.value.status == 409


@pytest.mark.parametrize("plural", VERSIONED)
async def test_an_id_that_is_taken_is_a_conflict(sdk: Sdk, plural: str) -> None:
    await sdk.create(plural, id="one", **MEMBERS[plural])
    with pytest.raises(Failed) as taken:
        await sdk.create(plural, id="one", **MEMBERS[plural])
    assert taken.value.status == 409


async def test_the_last_word_about_a_session_stands(sdk: Sdk) -> None:
    made = await sdk.create("sessions", **MEMBERS["sessions"])
    changed = await sdk.update("sessions", id=made["id"], **MEMBERS["sessions"], status="idle")
    assert changed["status"] == "idle"
    assert [each["id"] for each in await sdk.list("sessions", status="idle")] == [made["id"]]


async def test_a_task_is_assigned_and_found_by_its_agent(sdk: Sdk) -> None:
    made = await sdk.create("tasks", title="One")
    given = await sdk.act("tasks", made["id"], "assign", agent="bob")
    assert (given["agent"], given["status"], given["version"]) == ("bob", "running", 2)
    assert await sdk.list("tasks", agent="bob", status="running") == [given]
    assert await sdk.list("tasks", agent="ann") == []


async def test_insights_and_journeys_are_linked(sdk: Sdk) -> None:
    spec = await sdk.create("specs", title="One")
    insight = await sdk.create("insights", **{**MEMBERS["insights"], "spec_id": ""})
    await sdk.act("insights", insight["id"], "link", spec_id=spec["id"])
    assert [each["id"] for each in await sdk.list("insights", spec=spec["id"])] == [insight["id"]]
    journey = await sdk.create("cujs", **MEMBERS["cujs"])
    await sdk.act("cujs", journey["id"], "link", feature_id="feature")
    (link,) = await sdk.links(journey["id"])
    assert (link["cuj_id"], link["feature_id"], link["project"]) == (journey["id"], "feature", "alpha")
    assert link["linked_at"].year > 1
    await sdk.act("cujs", journey["id"], "unlink", feature_id="feature")
    assert await sdk.links(journey["id"]) == []


@pytest.mark.parametrize("plural", KINDS)
async def test_a_key_sees_only_the_entities_of_its_project(url: str, plural: str) -> None:
    async with aiohttp.ClientSession(headers=elsewhere("key-of-alpha")) as session:
        made = await Sdk(session, url, "alpha").create(plural, **MEMBERS[plural])
    async with aiohttp.ClientSession(headers=elsewhere("key-of-beta")) as session:
        other = Sdk(session, url, "beta")
        assert await other.list(plural) == []
        with pytest.raises(Failed) as hidden:
            await other.get(plural, made["id"])
        assert hidden.value.status == 404
