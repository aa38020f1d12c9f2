"""Follow-ups to an agent that takes them into the turn that runs."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from container.agent import StopReason
from container.conversation import Conversation
from container.sandbox import AgentDied
from tests.container.peer import FOLDER, TOOLS, Peer, wire
from tests.container.scene import Listener


@asynccontextmanager
async def steered() -> AsyncIterator[tuple[Conversation, Peer, asyncio.TaskGroup]]:
    async with asyncio.timeout(10), wire() as (conversation, peer), asyncio.TaskGroup() as group:
        starting = group.create_task(conversation.start(TOOLS, FOLDER))
        meta = {"steering": {"supported": True}}
        peer.say(id=(await peer.hear())["id"], result={"protocolVersion": 1, "_meta": meta})
        peer.say(id=(await peer.hear())["id"], result={"sessionId": "s"})
        await starting
        yield conversation, peer, group


async def test_a_follow_up_joins_the_running_turn_and_ends_with_it() -> None:
    first, second = Listener(), Listener()
    async with steered() as (conversation, peer, group):
        assert conversation.takes_followups
        turn = group.create_task(conversation.prompt("make a plan", first))
        prompt = await peer.hear()
        joined = group.create_task(conversation.prompt("a short one", second))
        steer = await peer.hear()
        assert steer["method"] == "_session/steering"
        assert steer["params"] == {
            "sessionId": "s",
            "prompt": [{"type": "text", "text": "a short one"}],
            "_meta": {"steering": {"idleBehavior": "promptRequired"}},
        }
        peer.say(id=steer["id"], result={"outcome": "injected"})
        peer.text("a short plan")
        assert not joined.done()
        peer.say(id=prompt["id"], result={"stopReason": "end_turn"})
        assert (await turn, await joined) == (StopReason.END, StopReason.END)
    assert (first.said, second.said) == ("a short plan", "")


@pytest.mark.parametrize(
    "refusal",
    [{"result": {"outcome": "promptRequired"}}, {"result": 7}, {"error": {"code": -32600, "message": "no"}}],
)
async def test_a_follow_up_that_came_too_late_is_a_prompt_of_its_own(refusal: dict[str, object]) -> None:
    first, second = Listener(), Listener()
    async with steered() as (conversation, peer, group):
        turn = group.create_task(conversation.prompt("one", first))
        prompt = await peer.hear()
        late = group.create_task(conversation.prompt("two", second))
        peer.say(id=(await peer.hear())["id"], **refusal)
        peer.text("about one")
        peer.say(id=prompt["id"], result={"stopReason": "end_turn"})
        await turn
        again = await peer.hear()
        assert (again["method"], again["params"]["prompt"][0]["text"]) == ("session/prompt", "two")
        peer.text("about two")
        peer.say(id=again["id"], result={"stopReason": "refusal"})
        assert await late is StopReason.REFUSED
    assert (first.said, second.said) == ("about one", "about two")


async def test_a_follow_up_that_was_taken_and_left_unread_is_a_prompt_of_its_own() -> None:
    first, second = Listener(), Listener()
    async with steered() as (conversation, peer, group):
        turn = group.create_task(conversation.prompt("one", first))
        prompt = await peer.hear()
        peer.text("about one")
        late = group.create_task(conversation.prompt("two", second))
        peer.say(id=(await peer.hear())["id"], result={"outcome": "injected"})
        peer.say(id=prompt["id"], result={"stopReason": "end_turn"})
        await turn
        again = await peer.hear()
        assert (again["method"], again["params"]["prompt"][0]["text"]) == ("session/prompt", "two")
        peer.text("about two")
        peer.say(id=again["id"], result={"stopReason": "end_turn"})
        assert await late is StopReason.END
    assert (first.said, second.said) == ("about one", "about two")


async def test_a_follow_up_that_still_waits_when_people_stop_the_turn_is_not_asked() -> None:
    async with steered() as (conversation, peer, group):
        turn = group.create_task(conversation.prompt("one", Listener()))
        prompt = await peer.hear()
        late = group.create_task(conversation.prompt("two", Listener()))
        peer.say(id=(await peer.hear())["id"], result={"outcome": "promptRequired"})
        await conversation.cancel()
        assert (await peer.hear())["method"] == "session/cancel"
        peer.say(id=prompt["id"], result={"stopReason": "cancelled"})
        assert (await turn, await late) == (StopReason.CANCELLED, StopReason.CANCELLED)
        again = group.create_task(conversation.prompt("three", Listener()))
        prompt = await peer.hear()
        assert prompt["params"]["prompt"][0]["text"] == "three"
        peer.say(id=prompt["id"], result={"stopReason": "end_turn"})
        assert await again is StopReason.END


async def test_an_agent_that_queues_prompts_is_sent_prompts() -> None:
    async with wire() as (conversation, peer), asyncio.TaskGroup() as group:
        starting = group.create_task(conversation.start(TOOLS, FOLDER))
        can, meta = {"_meta": {"promptQueueing": True}}, {"steering": {"supported": True}}
        hello = {"protocolVersion": 1, "agentCapabilities": can, "_meta": meta}
        peer.say(id=(await peer.hear())["id"], result=hello)
        peer.say(id=(await peer.hear())["id"], result={"sessionId": "s"})
        await starting
        turns = [group.create_task(conversation.prompt("x", Listener())) for _ in range(2)]
        for _ in turns:
            asked = await peer.hear()
            assert asked["method"] == "session/prompt"
            peer.say(id=asked["id"], result={"stopReason": "end_turn"})


async def test_the_first_prompt_is_no_follow_up() -> None:
    async with steered() as (conversation, peer, group):
        turn = group.create_task(conversation.prompt("one", Listener()))
        prompt = await peer.hear()
        assert prompt["method"] == "session/prompt"
        peer.say(id=prompt["id"], result={"stopReason": "end_turn"})
        await turn


async def test_a_follow_up_dies_with_the_turn_it_joined() -> None:
    async with steered() as (conversation, peer, group):
        turns = [group.create_task(_died(conversation)) for _ in range(2)]
        await peer.hear()
        peer.say(id=(await peer.hear())["id"], result={"outcome": "injected"})
        await asyncio.sleep(0)
        peer.writer.transport.close()
        assert [await turn for turn in turns] == ["The agent's connection ended."] * 2


async def _died(conversation: Conversation) -> str:
    with pytest.raises(AgentDied) as caught:
        await conversation.prompt("x", Listener())
    return str(caught.value)
