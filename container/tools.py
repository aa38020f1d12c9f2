"""The host's end of MCP: an agent's tools, served on each connection to its tools.sock."""

import asyncio
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Self

import anyio
import mcp_types as types
import structlog
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.shared.message import ServerMessageMetadata, SessionMessage
from pydantic import ValidationError

from container.agent import ToolBox, ToolResult
from container.wire import GARBAGE, LONGEST_LINE, Allowance, Line, LineTooLong

PARALLEL = 8  #: calls of one agent that run at once
UNANSWERED = 64  #: requests of one connection taken in before the first is answered
CALLS_A_SECOND, CALLS_AT_ONCE = 50, 100
LINES_A_SECOND, LINES_AT_ONCE = 200, 400

log = structlog.get_logger()


class ToolServer:
    """One MCP server for one agent, whose tools are those of the ToolBox it was given."""

    def __init__(
        self,
        tools: ToolBox,
        calls: asyncio.TaskGroup,
        name: str = "intercom",
        *,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """`calls` is where calls run: one that has begun ends, whatever becomes of the agent that asked."""
        self._tools = tools
        self._calls = calls
        self._running = asyncio.Semaphore(PARALLEL)
        self._allowance = Allowance(CALLS_A_SECOND, CALLS_AT_ONCE, now)
        self._server: Server[dict[str, Any]] = Server(
            name, on_list_tools=self._list_tools, on_call_tool=self._call_tool
        )

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection to its end. Nothing an agent does on it raises."""
        line = Line(reader, writer, allowance=Allowance(LINES_A_SECOND, LINES_AT_ONCE))
        stream = _Messages(line)
        try:
            await self._server.run(stream, stream, self._server.create_initialization_options())
        except Exception:  # one bad connection must not end the agent's others
            log.exception("tools.connection_failed")

    async def _list_tools(
        self, _context: ServerRequestContext[dict[str, Any]], _params: types.PaginatedRequestParams | None
    ) -> types.ListToolsResult:
        return types.ListToolsResult(
            tools=[
                types.Tool(name=tool.name, description=tool.description, input_schema=dict(tool.input_schema))
                for tool in self._tools.declarations()
            ]
        )

    async def _call_tool(
        self, _context: ServerRequestContext[dict[str, Any]], params: types.CallToolRequestParams
    ) -> types.CallToolResult:
        if pause := self._allowance.take():
            text = f"Too many calls: {CALLS_A_SECOND} a second are allowed. Try again in {pause:.1f} s."
            return _result(ToolResult(text=text, failed=True))
        async with self._running:
            call = self._calls.create_task(self._call(params.name, params.arguments or {}))
            return _result(await asyncio.shield(call))

    async def _call(self, name: str, arguments: Mapping[str, Any]) -> ToolResult:
        try:
            return await self._tools.call(name, arguments)
        except Exception:  # a fault of ours is an answer to the agent, not its end
            log.exception("tool.failed", tool=name[:100])
            return ToolResult(text="The tool failed on the host. Nothing more is known here.", failed=True)


def _result(result: ToolResult) -> types.CallToolResult:
    """Claude Code shows its model nothing but the data when there is some, so the text stands in it too."""
    return types.CallToolResult(
        content=[types.TextContent(type="text", text=result.text)],
        structured_content={"text": result.text, **result.data} if result.data else None,
        is_error=result.failed,
    )


class _Messages:
    """A connection as the two streams of messages the SDK reads and writes, without tasks in between."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._room = asyncio.Semaphore(UNANSWERED)
        self._garbage = 0

    async def receive(self) -> SessionMessage:
        try:
            return await self.__anext__()
        except StopAsyncIteration:
            raise anyio.EndOfStream from None

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> SessionMessage:
        while True:
            message = await self._read()
            if message is None:
                continue
            if not isinstance(message, types.JSONRPCRequest):
                return SessionMessage(message)
            await self._room.acquire()
            return SessionMessage(message, ServerMessageMetadata(on_request_unanswered=self._leave))

    async def send(self, item: SessionMessage, /) -> None:
        message = item.message
        if isinstance(message, types.JSONRPCResponse | types.JSONRPCError) and message.id is not None:
            self._room.release()
        try:
            await self._line.send(message.model_dump_json(by_alias=True, exclude_unset=True).encode())
        except ConnectionError as error:
            raise anyio.BrokenResourceError from error

    async def aclose(self) -> None:
        """Reading and writing end together, with the connection: whoever serves it closes it."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        return None

    async def _leave(self) -> None:
        self._room.release()

    async def _read(self) -> types.JSONRPCMessage | None:
        """The next message; None for what is no message. Ends the iteration at the end of the connection."""
        try:
            line = await self._line.receive()
        except LineTooLong:
            await self._complain(f"A line may have {LONGEST_LINE // 1024 // 1024} MiB at most.")
            raise StopAsyncIteration from None
        if line is None:
            raise StopAsyncIteration
        try:
            message = types.jsonrpc_message_adapter.validate_json(line, by_name=False)
        except ValidationError:
            self._garbage += 1
            await self._complain("That is not a JSON-RPC message.")
            if self._garbage >= GARBAGE:
                raise StopAsyncIteration from None
            return None
        self._garbage = 0
        return message

    async def _complain(self, text: str) -> None:
        error = types.JSONRPCError(
            jsonrpc="2.0", id=None, error=types.ErrorData(code=types.INVALID_REQUEST, message=text)
        )
        try:
            await self.send(SessionMessage(error))
        except anyio.BrokenResourceError:
            raise StopAsyncIteration from None
