"""Earlier sessions are opened again where the agent can, and a new one where it cannot."""

import asyncio
from typing import Any

import pytest

from container.agent import StopReason
from container.conversation import Conversation
from container.sandbox import AgentDied, AgentRefused
from tests.container.peer import FOLDER, TOOLS, Peer, talking, wire
from tests.container.scene import Listener


async def _hello(peer: Peer, **capabilities: Any) -> None:
    hello = await peer.hear()
    peer.say(id=hello["id"], result={"protocolVersion": 1, "agentCapabilities": capabilities})


async def test_a_session_is_loaded_and_what_is_repeated_is_not_said_again() -> None:
    heard = Listener()
    async with wire() as (conversation, peer), asyncio.TaskGroup() as group:
        starting = group.create_task(conversation.start(TOOLS, FOLDER, resume="old"))
        await _hello(peer, loadSession=True)
        load = await peer.hear()
        assert load["method"] == "session/load"
        assert (load["params"]["sessionId"], load["params"]["cwd"]) == ("old", FOLDER)
        assert load["params"]["mcpServers"][0]["args"] == ["tools", "/x"]
        for number in range(50):
            peer.text(f"said long ago {number}")
        peer.update("tool_call", toolCallId="1", title="done long ago", status="completed")
        peer.say(id=load["id"], result={})
        await starting
        assert (conversation.session, conversation.resumed) == ("old", True)
        turn = group.create_task(conversation.prompt("hello", heard))
        asked = await peer.hear()
        assert asked["params"]["sessionId"] == "old"
        peer.text("new")
        peer.say(id=asked["id"], result={"stopReason": "end_turn"})
        assert await turn is StopReason.END
    assert heard.log == ["new"]


async def test_a_session_that_is_gone_is_replaced_by_a_new_one() -> None:
    async with wire() as (conversation, peer), asyncio.TaskGroup() as group:
        starting = group.create_task(conversation.start(TOOLS, FOLDER, resume="old"))
        await _hello(peer, loadSession=True)
        load = await peer.hear()
        peer.say(id=load["id"], error={"code": -32602, "message": "no such session"})
        new = await peer.hear()
        assert (new["method"], new["params"]["cwd"]) == ("session/new", FOLDER)
        peer.say(id=new["id"], result={"sessionId": "new"})
        await starting
        assert (conversation.session, conversation.resumed) == ("new", False)


async def test_an_agent_that_cannot_load_is_not_asked_to_and_has_no_session_to_keep() -> None:
    async with wire() as (conversation, peer), asyncio.TaskGroup() as group:
        starting = group.create_task(conversation.start(TOOLS, FOLDER, resume="old"))
        await _hello(peer)
        new = await peer.hear()
        assert new["method"] == "session/new"
        peer.say(id=new["id"], result={"sessionId": "new"})
        await starting
        assert (conversation.session, conversation.resumed) == ("", False)


async def test_an_agent_that_dies_while_it_loads_is_not_asked_again() -> None:
    async with wire() as (conversation, peer), asyncio.TaskGroup() as group:
        starting = group.create_task(_dies(conversation))
        await _hello(peer, loadSession=True)
        await peer.hear()
        peer.writer.transport.abort()
        assert await starting == "The agent's connection ended."


async def test_an_agent_that_opens_no_session_is_refused() -> None:
    async with wire() as (conversation, peer), asyncio.TaskGroup() as group:
        starting = group.create_task(_refused(conversation))
        await _hello(peer, loadSession=True)
        for _ in range(2):
            peer.say(id=(await peer.hear())["id"], error={"code": -32000, "message": "log in first"})
        assert await starting == "The agent refused: log in first"


async def test_a_new_session_can_be_loaded_later() -> None:
    async with talking(loadSession=True) as (conversation, _, _group):
        assert (conversation.session, conversation.resumed) == ("s", False)


async def _dies(conversation: Conversation) -> str:
    with pytest.raises(AgentDied) as caught:
        await conversation.start(TOOLS, FOLDER, resume="old")
    return str(caught.value)


async def _refused(conversation: Conversation) -> str:
    with pytest.raises(AgentRefused) as caught:
        await conversation.start(TOOLS, FOLDER, resume="old")
    return str(caught.value)
