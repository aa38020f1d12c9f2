"""The host's end of ACP against agents that are scripted line by line."""

import asyncio

import pytest

from container.agent import Permission, PermissionRequest, StopReason
from container.conversation import Conversation
from container.sandbox import AgentDied, AgentRefused, StartFailed
from tests.container.peer import FOLDER, OPTIONS, TOOLS, Message, talking, wire
from tests.container.scene import Listener


@pytest.mark.parametrize(
    ("meta", "expected"),
    [
        ({}, False),
        ({"promptQueueing": True}, True),
        ({"claudeCode": {"promptQueueing": True}}, True),
        ({"claudeCode": "yes"}, False),
    ],
)
async def test_follow_ups_are_taken_when_the_agent_says_so(meta: Message, expected: bool) -> None:
    async with talking(_meta=meta) as (conversation, _, _group):
        assert conversation.takes_followups is expected


async def test_a_turn_streams_in_order_and_ignores_what_it_does_not_know() -> None:
    heard = Listener()
    async with talking() as (conversation, peer, group):
        turn = group.create_task(conversation.prompt("hello", heard))
        asked = await peer.hear()
        assert asked["params"]["prompt"] == [{"type": "text", "text": "hello"}]
        peer.update("agent_thought_chunk", content={"type": "text", "text": "hm"})
        peer.update("tool_call", toolCallId="1", title="looking\nup", status="pending")
        peer.update("an_update_of_next_year", content=7)
        peer.update("tool_call_update", toolCallId="1", status="completed")
        peer.text("one")
        peer.text("two")
        peer.say(id=asked["id"], result={"stopReason": "end_turn"})
        assert await turn is StopReason.END
    assert heard.log == [("looking up", False), ("looking up", True), "one", "two"]


async def test_updates_of_a_turn_its_caller_gave_up_reach_nobody() -> None:
    first, second = Listener(), Listener()
    async with talking() as (conversation, peer, group):
        turn = group.create_task(conversation.prompt("first", first))
        one = await peer.hear()
        turn.cancel()
        await asyncio.wait({turn})
        following = group.create_task(conversation.prompt("second", second))
        two = await peer.hear()
        peer.text("late words about the first")
        peer.say(id=one["id"], result={"stopReason": "end_turn"})
        peer.text("about the second")
        peer.say(id=two["id"], result={"stopReason": "max_tokens"})
        assert await following is StopReason.LIMIT
    assert (first.said, second.said) == ("", "about the second")


@pytest.mark.parametrize(
    ("answer", "option"), [(Permission.ALLOW, "once"), (Permission.REJECT, "no")]
)  # fmt: skip
async def test_permission_is_given_for_this_once_only(answer: Permission, option: str) -> None:
    heard = Listener(answer)
    async with talking() as (conversation, peer, group):
        turn = group.create_task(conversation.prompt("do it", heard))
        asked = await peer.hear()
        call = {"toolCallId": "1", "title": "run tests", "rawInput": {"x": 1}}
        params = {"sessionId": "s", "toolCall": call, "options": OPTIONS, "_meta": {"options": []}}
        peer.say(id="p", method="session/request_permission", params=params)
        reply = await peer.hear()
        assert reply["id"] == "p"
        assert reply["result"] == {"outcome": {"outcome": "selected", "optionId": option}}
        peer.say(id="q", method="session/request_permission", params={**params, "options": OPTIONS[:1]})
        assert (await peer.hear())["result"] == {"outcome": {"outcome": "cancelled"}}
        peer.say(id=asked["id"], result={"stopReason": "end_turn"})
        await turn
    assert (heard.asked[0].title, heard.asked[0].kind) == ("run tests", "other")


async def test_a_permission_outside_of_a_turn_is_refused() -> None:
    async with talking() as (_, peer, _group):
        params = {"sessionId": "s", "toolCall": {"toolCallId": "1"}, "options": OPTIONS}
        peer.say(id=5, method="session/request_permission", params=params)
        reply = await peer.hear()
        assert reply["result"] == {"outcome": {"outcome": "selected", "optionId": "no"}}


async def test_cancelling_answers_open_permissions_first() -> None:
    class Undecided(Listener):
        async def permission(self, request: PermissionRequest) -> Permission:
            asking.set()
            await asyncio.Event().wait()
            return Permission.ALLOW

    asking = asyncio.Event()
    async with talking() as (conversation, peer, group):
        turn = group.create_task(conversation.prompt("do it", Undecided()))
        asked = await peer.hear()
        params = {"sessionId": "s", "toolCall": {"toolCallId": "1"}, "options": OPTIONS}
        peer.say(id=5, method="session/request_permission", params=params)
        await asking.wait()
        await conversation.cancel()
        told = [await peer.hear(), await peer.hear()]
        assert {"outcome": {"outcome": "cancelled"}} in [message.get("result") for message in told]
        assert "session/cancel" in [message.get("method") for message in told]
        peer.say(id=asked["id"], result={"stopReason": "cancelled"})
        assert await turn is StopReason.CANCELLED


@pytest.mark.parametrize("method", ["fs/read_text_file", "fs/write_text_file", "terminal/create", "_x", "x"])
async def test_the_hosts_files_and_terminals_are_not_for_agents(method: str) -> None:
    async with talking() as (_, peer, _group):
        peer.say(id=9, method=method, params={"sessionId": "s", "path": "/etc/passwd", "command": "sh"})
        assert (await peer.hear())["error"]["code"] == -32601


async def test_messages_are_told_apart_where_the_agent_numbers_them() -> None:
    heard = Listener()
    async with talking() as (conversation, peer, group):
        turn = group.create_task(conversation.prompt("hello", heard))
        asked = await peer.hear()
        for message, text in (("a", "one"), ("a", " and"), ("b", "two"), ("", "!"), ("b", "?")):
            content = {"type": "text", "text": text}
            peer.update("agent_message_chunk", content=content, messageId=message or None)
        peer.update("tool_call", toolCallId="1", title="x", status="completed")
        peer.update("agent_message_chunk", content={"type": "text", "text": "three"}, messageId="c")
        peer.say(id=asked["id"], result={"stopReason": "end_turn"})
        await turn
    assert heard.log == ["one", " and", "\n\n", "two", "!", "?", ("x", True), "three"]


async def test_words_of_an_agents_own_are_passed_over(caplog: pytest.LogCaptureFixture) -> None:
    async with talking() as (conversation, peer, group):
        turn = group.create_task(conversation.prompt("x", Listener()))
        asked = await peer.hear()
        peer.say(method="_auth/status_update", params={"status": "fine"})
        peer.say(method="made/up")
        peer.say(id=asked["id"], result={"stopReason": "end_turn"})
        assert await turn is StopReason.END
    assert not caplog.records


async def test_an_error_is_told_and_the_conversation_goes_on() -> None:
    async with talking() as (conversation, peer, group):
        turn = group.create_task(_refused(conversation))
        asked = await peer.hear()
        error = {"code": -32000, "message": "Authentication\nrequired", "data": {"details": "no key"}}
        peer.say(id=asked["id"], error=error)
        assert await turn == "The agent refused: Authentication required: no key"
        turn = group.create_task(_refused(conversation))
        peer.say(id=(await peer.hear())["id"], result={"stopReason": "because"})
        assert "not in the protocol" in await turn


async def test_the_end_of_the_connection_ends_all_turns() -> None:
    async with talking() as (conversation, peer, group):
        turns = [group.create_task(_died(conversation)) for _ in range(2)]
        await peer.hear()
        await peer.hear()
        peer.writer.transport.abort()
        assert [await turn for turn in turns] == ["The agent's connection ended."] * 2
        assert await _died(conversation) == "The agent's connection ended."


async def test_some_garbage_is_overlooked_and_too_much_is_not() -> None:
    async with talking() as (conversation, peer, group):
        turn = group.create_task(conversation.prompt("x", Listener()))
        asked = await peer.hear()
        peer.writer.write(b"Warning: something\n[]\n\xff\xfe\n" + b'{"id":{}}\n')
        peer.say(id=asked["id"], result={"stopReason": "end_turn"})
        assert await turn is StopReason.END
        dying = group.create_task(_died(conversation))
        await peer.hear()
        peer.writer.write(b"garbage\n" * 200)
        assert "again and again" in await dying


async def test_a_line_of_ten_megabytes_ends_it() -> None:
    async with talking() as (conversation, peer, group):
        turn = group.create_task(_died(conversation))
        await peer.hear()
        peer.writer.write(b'{"x": "' + b"x" * 10_000_000)
        assert "8 MiB" in await turn


async def test_an_agent_of_another_protocol_version_is_not_started() -> None:
    async with wire() as (conversation, peer), asyncio.TaskGroup() as group:
        starting = group.create_task(_not_started(conversation))
        peer.say(id=(await peer.hear())["id"], result={"protocolVersion": 2})
        assert "version 2" in await starting


async def test_more_prompts_than_anybody_sends_are_refused() -> None:
    async with talking() as (conversation, peer, group):
        turns = [group.create_task(_died(conversation)) for _ in range(32)]
        for _ in turns:
            await peer.hear()
        assert await _refused(conversation) == "Too many messages are waiting for this agent."
        peer.writer.transport.abort()


async def _refused(conversation: Conversation) -> str:
    with pytest.raises(AgentRefused) as caught:
        await conversation.prompt("x", Listener())
    return str(caught.value)


async def _died(conversation: Conversation) -> str:
    with pytest.raises(AgentDied) as caught:
        await conversation.prompt("x", Listener())
    return str(caught.value)


async def _not_started(conversation: Conversation) -> str:
    with pytest.raises(StartFailed) as caught:
        await conversation.start(TOOLS, FOLDER)
    return str(caught.value)
