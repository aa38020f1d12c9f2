"""The agent's side of the wire, in the hands of a test."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from container.conversation import Conversation
from container.wire import AgentStream, Line

Message = dict[str, Any]
TOOLS = ("bridge", "tools", "/x")
FOLDER = "/workspace/group"
OPTIONS = [
    {"optionId": "always", "name": "Always", "kind": "allow_always"},
    {"optionId": "once", "name": "Once", "kind": "allow_once"},
    {"optionId": "no", "name": "No", "kind": "reject_once"},
]


class Peer:
    """The agent's side of the wire, in the hands of the test."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self.writer = writer

    async def hear(self) -> Message:
        async with asyncio.timeout(5):
            found: Message = json.loads(await self._reader.readline())
        return found

    def say(self, **message: Any) -> None:
        self.writer.write(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")

    def update(self, kind: str, /, **update: Any) -> None:
        params = {"sessionId": "s", "update": {"sessionUpdate": kind, **update}}
        self.say(method="session/update", params=params)

    def text(self, text: str) -> None:
        self.update("agent_message_chunk", content={"type": "text", "text": text})

    def permission(self, name: str, options: Sequence[Message] = OPTIONS, **call: Any) -> None:
        params = {"sessionId": "s", "toolCall": {"toolCallId": "1", **call}, "options": options}
        self.say(id=name, method="session/request_permission", params=params)

    async def greet(self, **capabilities: Any) -> None:
        hello = await self.hear()
        self.say(id=hello["id"], result={"protocolVersion": 1, "agentCapabilities": capabilities})
        opened = await self.hear()
        assert opened["params"]["mcpServers"][0]["args"] == ["tools", "/x"]
        self.say(id=opened["id"], result={"sessionId": "s"})


@asynccontextmanager
async def wire(*tools: str) -> AsyncIterator[tuple[Conversation, Peer]]:
    ours, theirs = socket.socketpair()
    reader, writer = await asyncio.open_connection(sock=ours)
    peer = Peer(*await asyncio.open_connection(sock=theirs, limit=1 << 25))
    async with asyncio.TaskGroup() as group:
        conversation = Conversation(AgentStream(Line(reader, writer)), group, frozenset(tools))
        try:
            yield conversation, peer
        finally:
            await conversation.close()
            peer.writer.transport.abort()


@asynccontextmanager
async def talking(
    *tools: str, **capabilities: Any
) -> AsyncIterator[tuple[Conversation, Peer, asyncio.TaskGroup]]:
    """A conversation with an agent of these capabilities, for which `tools` are the host's own."""
    async with wire(*tools) as (conversation, peer), asyncio.TaskGroup() as group:
        greeting = group.create_task(peer.greet(**capabilities))
        await conversation.start(TOOLS, FOLDER)
        await greeting
        yield conversation, peer, group
