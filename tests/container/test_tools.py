"""The host's end of MCP against clients that do as they like, over the real sockets."""

import asyncio
import json
import socket
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from container.agent import ToolResult
from container.sandbox import SandboxUnavailable
from container.sockets import MOST_TOOL_CONNECTIONS, SocketFolder, check_length
from container.tools import PARALLEL, ToolServer
from tests.container.scene import Toolbox

Message = dict[str, Any]
HELLO = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}


class Client:
    """An MCP client of a few lines."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self._id = 0

    @classmethod
    @asynccontextmanager
    async def to(cls, path: Path, *, hello: bool = True) -> AsyncIterator["Client"]:
        client = cls(*await asyncio.open_unix_connection(path, limit=1 << 24))
        try:
            if hello:
                await client.ask("initialize", HELLO)
                client.tell(method="notifications/initialized")
            yield client
        finally:
            client.writer.transport.abort()

    def tell(self, **message: Any) -> None:
        self.writer.write(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")

    def start(self, method: str, params: Mapping[str, Any] | None = None) -> int:
        self._id += 1
        self.tell(id=self._id, method=method, params=dict(params or {}))
        return self._id

    async def hear(self) -> Message:
        """The next message, or {} at the end."""
        try:
            async with asyncio.timeout(10):
                line = await self.reader.readline()
        except ConnectionResetError:
            return {}
        found: Message = json.loads(line) if line else {}
        return found

    async def ask(self, method: str, params: Mapping[str, Any] | None = None) -> Message:
        self.start(method, params)
        return await self.hear()

    async def call(self, name: str = "demarch_next_work", **arguments: Any) -> Message:
        return await self.ask("tools/call", {"name": name, "arguments": arguments})


@asynccontextmanager
async def served(
    folder: Path, tools: Toolbox, now: Callable[[], float] = time.monotonic
) -> AsyncIterator[Path]:
    """A ToolServer behind its socket; the socket's path."""
    async with (
        asyncio.TaskGroup() as calls,
        SocketFolder.open(folder / "s", "k") as sockets,
        asyncio.TaskGroup() as group,
    ):
        serving = group.create_task(sockets.serve_tools(ToolServer(tools, calls, now=now).serve))
        yield sockets.path / "tools.sock"
        serving.cancel()


async def test_tools_are_listed_and_called(folder: Path) -> None:
    tools = Toolbox("demarch_next_work")
    async with served(folder, tools) as path, Client.to(path) as client:
        listed = await client.ask("tools/list")
        assert [tool["name"] for tool in listed["result"]["tools"]] == ["demarch_next_work"]
        result = (await client.call(limit=3))["result"]
    assert tools.calls == [("demarch_next_work", {"limit": 3})]
    assert result["content"] == [{"type": "text", "text": "answer of demarch_next_work"}]
    assert result["structuredContent"] == {
        "text": "answer of demarch_next_work",  # some agents show their model nothing but this
        "name": "demarch_next_work",
    }
    assert result.get("isError") is False


async def test_a_failed_call_is_a_result_and_not_an_error(folder: Path) -> None:
    tools = Toolbox("x", answers={"x": ToolResult(text="Too long.", failed=True)})
    async with served(folder, tools) as path, Client.to(path) as client:
        result = (await client.call("x"))["result"]
    assert (result["isError"], result["content"][0]["text"]) == (True, "Too long.")


async def test_a_fault_of_the_host_is_told_without_its_details(folder: Path) -> None:
    class Broken(Toolbox):
        async def call(self, name: str, arguments: Mapping[str, Any]) -> ToolResult:
            raise RuntimeError("password=x")

    async with served(folder, Broken()) as path, Client.to(path) as client:
        result = (await client.call("x"))["result"]
        assert result["isError"]
        assert "password" not in json.dumps(result)
        assert (await client.ask("ping"))["result"] == {}


async def test_garbage_is_answered_and_the_connection_goes_on(folder: Path) -> None:
    async with served(folder, Toolbox()) as path, Client.to(path) as client:
        for line in (b"garbage\n", b"[1]\n", b"\xff\n", b"\n"):
            client.writer.write(line)
        refusals = [await client.hear() for _ in range(3)]
        assert {refusal["error"]["code"] for refusal in refusals} == {-32600}
        assert (await client.call())["result"]["isError"] is False
        client.writer.write(b"garbage\n" * 500)
        client.writer.write_eof()
        async with asyncio.timeout(10):
            assert (await client.reader.read()).count(b"\n") <= 100


async def test_a_line_of_ten_megabytes_is_refused_and_ends_that_connection_only(folder: Path) -> None:
    async with served(folder, Toolbox()) as path, Client.to(path) as loud, Client.to(path) as other:
        loud.writer.write(b'{"jsonrpc":"2.0","id":7,"method":"' + b"x" * 10_000_000)
        refusal = await loud.hear()  # nothing, when the end of the connection overtook it
        assert not refusal or "8 MiB" in refusal["error"]["message"]
        assert await loud.hear() == {}
        assert (await other.call())["result"]["isError"] is False


async def test_a_thousand_connections_are_bounded_and_the_first_keeps_working(folder: Path) -> None:
    async with served(folder, Toolbox()) as path, Client.to(path) as first:
        others = await asyncio.to_thread(_crowd, path, 1000)
        try:
            assert (await first.call())["result"]["isError"] is False
            async with asyncio.timeout(10):
                while sum(map(_held, others)) >= MOST_TOOL_CONNECTIONS:  # noqa: ASYNC110 - no event tells
                    await asyncio.sleep(0.01)
            assert (await first.call())["result"]["isError"] is False
        finally:
            for one in others:
                one.close()
        assert await _let_in(path)


def _crowd(path: Path, number: int) -> list[socket.socket]:
    """Call so often, at once; those of them the system let through."""
    through = []
    for _ in range(number):
        one = socket.socket(socket.AF_UNIX)
        one.setblocking(False)
        try:
            one.connect(str(path))
        except BlockingIOError:  # more wait already than may
            one.close()
        else:
            through.append(one)
    return through


def _held(one: socket.socket) -> bool:
    """Whether the host has not hung up."""
    try:
        return one.recv(1, socket.MSG_PEEK) != b""
    except BlockingIOError:
        return True
    except ConnectionError:
        return False


async def test_calls_beyond_the_rate_are_told_to_wait(folder: Path) -> None:
    async with served(folder, Toolbox(), now=lambda: 0.0) as path, Client.to(path) as client:
        for _ in range(140):
            client.start("tools/call", {"name": "x", "arguments": {}})
        answers = [await client.hear() for _ in range(140)]
    refused = [answer for answer in answers if answer["result"]["isError"]]
    assert len(refused) == 40
    assert "Too many calls" in refused[0]["result"]["content"][0]["text"]


async def test_only_so_many_calls_of_an_agent_run_at_once(folder: Path) -> None:
    tools = Toolbox()
    tools.may_answer.clear()
    async with served(folder, tools) as path, Client.to(path) as client, Client.to(path) as second:
        for _ in range(PARALLEL):
            client.start("tools/call", {"name": "x", "arguments": {}})
            second.start("tools/call", {"name": "x", "arguments": {}})
        assert (await client.ask("ping"))["result"] == {}
        assert (await second.ask("ping"))["result"] == {}
        assert len(tools.calls) == PARALLEL
        tools.may_answer.set()
        for _ in range(PARALLEL):
            assert (await client.hear())["result"]
            assert (await second.hear())["result"]
    assert len(tools.calls) == 2 * PARALLEL


async def test_a_client_that_asks_without_end_and_never_reads_is_not_read_without_end(folder: Path) -> None:
    tools = Toolbox()
    tools.may_answer.clear()
    async with served(folder, tools) as path, Client.to(path) as client:
        with pytest.raises(TimeoutError):
            await _flood(client)
        tools.may_answer.set()


async def _flood(client: Client) -> None:
    async with asyncio.timeout(1):
        while True:
            client.start("tools/call", {"name": "x", "arguments": {"x": "x" * 50_000}})
            await client.writer.drain()


async def _let_in(path: Path) -> bool:
    """Whether a new connection is served, as soon as the host noticed that the others are gone."""
    async with asyncio.timeout(10):
        while True:
            with suppress(ConnectionError):  # hung up on while it spoke: as good as not let in
                async with Client.to(path, hello=False) as client:
                    if await client.ask("initialize", HELLO):
                        return True


async def test_a_call_ends_although_its_caller_went_away(folder: Path) -> None:
    tools = Toolbox()
    tools.may_answer.clear()
    async with served(folder, tools) as path:
        async with Client.to(path) as client:
            client.start("tools/call", {"name": "x", "arguments": {}})
            await tools.called.wait()
        tools.may_answer.set()
    assert tools.answered == 1


async def test_a_second_session_connection_is_refused(folder: Path) -> None:
    async with SocketFolder.open(folder / "s", "k") as sockets:
        path = sockets.path / "session.sock"
        _, first = await asyncio.open_unix_connection(path)
        async with asyncio.timeout(5):
            await asyncio.shield(sockets.session)
            assert await _turned_away(path)
        first.transport.abort()


async def _turned_away(path: Path) -> bool:
    try:
        reader, writer = await asyncio.open_unix_connection(path)
    except ConnectionRefusedError:
        return True
    try:
        return await reader.read() == b""
    except ConnectionResetError:  # it was still waiting when the door was shut
        return True
    finally:
        writer.transport.abort()


async def test_sockets_are_open_to_the_sandbox_and_their_place_to_nobody(folder: Path) -> None:
    async with SocketFolder.open(folder / "s", "k") as sockets:
        path = sockets.path
        modes = [place.stat().st_mode & 0o777 for place in (folder / "s", path, path / "tools.sock")]
        assert modes == [0o700, 0o755, 0o666]
    assert not path.exists()


def test_a_folder_with_too_long_a_path_is_said_so() -> None:
    with pytest.raises(SandboxUnavailable, match="bytes at most"):
        check_length(Path("/" + "x" * 90))
