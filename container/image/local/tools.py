"""The agent's end of MCP: starts the tool server it was given and calls tools, one call at a time."""

import contextlib
import os
import signal

from . import phrases
from .intents import Arguments
from .wire import Lines, parse, write

VERSION = "2025-06-18"

#: other names a tool may have for what a sentence says
_SYNONYMS = {
    "title": ("goal", "name"),
    "text": ("message", "content"),
    "run_id": ("runId", "run", "id", "gate_id"),
    "artifact_id": ("artifactId", "id"),
    "issue_type": ("issueType", "type"),
    "summary": ("description", "text"),
    "notes": ("note",),
}


class Answer:
    """What a tool said: a text made to be shown to people, the same as data, and whether it failed."""

    __slots__ = ("data", "failed", "text")

    def __init__(self, text: str, data: object = None, *, failed: bool = False) -> None:
        self.text = text
        self.data: dict[str, object] = data if isinstance(data, dict) else {}
        self.failed = failed


class Tools:
    """One MCP server over the stdio of a child process. Sans-IO but for its two pipes."""

    def __init__(self, command: list[str], environment: dict[str, str]) -> None:
        self._command = command
        self._environment = environment
        self._lines = Lines()
        self._next = 0
        self._listed: dict[str, dict[str, object]] | None = None
        self._waiting: tuple[str, Arguments] | None = None  #: a call that waits for the list of tools
        self._called: int | None = None
        self._child = self._to = self.descriptor = -1

    @property
    def running(self) -> bool:
        return self._child > 0

    def start(self) -> None:
        """Start the server and say hello to it. Raises OSError."""
        inward, self._to = os.pipe()
        self.descriptor, outward = os.pipe()
        try:
            self._child = os.posix_spawnp(
                self._command[0],
                self._command,
                self._environment,
                file_actions=((os.POSIX_SPAWN_DUP2, inward, 0), (os.POSIX_SPAWN_DUP2, outward, 1)),
            )
        except OSError:
            self.stop()
            raise
        finally:
            os.close(inward)
            os.close(outward)
        client = {"name": "local", "version": "1"}
        hello: Arguments = {"protocolVersion": VERSION, "capabilities": {}, "clientInfo": client}
        with contextlib.suppress(BrokenPipeError):  # it has ended already, as reading from it will show
            self._request("initialize", hello)

    def stop(self) -> None:
        """Close the pipes, which ends the server, and forget everything it said."""
        for descriptor in (self._to, self.descriptor):
            if descriptor >= 0:
                os.close(descriptor)
        if self._child > 0:
            os.kill(self._child, signal.SIGTERM)
            os.waitpid(self._child, 0)
        self._child = self._to = self.descriptor = -1
        self._listed = self._waiting = self._called = None
        self._lines = Lines()

    def call(self, name: str, arguments: Arguments) -> Answer | None:
        """Call a tool. None: the answer comes out of `hear`. An Answer: there is nothing to wait for."""
        try:
            if not self.running:
                self.start()
            if self._listed is None:
                self._waiting = (name, arguments)
                return None
            return self._send(name, arguments)
        except OSError as error:
            self.stop()
            return Answer(phrases.unreachable(error.strerror or phrases.GONE), failed=True)

    def cancel(self) -> None:
        """Stop waiting for the call under way."""
        called, self._called, self._waiting = self._called, None, None
        if called is not None and self.running:
            try:
                self._notify("notifications/cancelled", {"requestId": called})
            except OSError:
                self.stop()

    def hear(self, data: bytes) -> Answer | None:
        """Take what the server wrote; the answer to the call under way, if it is in there."""
        if not data:
            return self._ended()
        answer = None
        try:
            for line in self._lines.feed(data):
                message = parse(line)
                if message is not None:
                    answer = self._take(message) or answer
        except OSError:  # it ended while we answered it
            return self._ended()
        return answer

    def _ended(self) -> Answer | None:
        waited = self._called is not None or self._waiting is not None
        self.stop()
        return Answer(phrases.unreachable(phrases.GONE), failed=True) if waited else None

    def _take(self, message: dict[str, object]) -> Answer | None:
        if "method" in message:
            if "id" in message:  # a ping, or something we never offered
                pong = message["method"] == "ping"
                refusal = {"code": -32601, "message": "Method not found"}
                write(
                    self._to,
                    {
                        "jsonrpc": "2.0",
                        "id": message["id"],
                        **({"result": {}} if pong else {"error": refusal}),
                    },
                )
            return None
        if message.get("id") == 1:
            self._greeted(message)
            return None
        if message.get("id") == 2:
            return self._told_tools(message)
        if self._called is not None and message.get("id") == self._called:
            self._called = None
            return _read(message)
        return None

    def _greeted(self, message: dict[str, object]) -> None:
        if "error" in message:
            raise ConnectionError(phrases.GONE)
        self._notify("notifications/initialized")
        self._request("tools/list")

    def _told_tools(self, message: dict[str, object]) -> Answer | None:
        result = message.get("result")
        rows = result.get("tools") if isinstance(result, dict) else None
        self._listed = {str(row.get("name")): row for row in rows or () if isinstance(row, dict)}
        if self._waiting is None:
            return None
        (name, arguments), self._waiting = self._waiting, None
        return self._send(name, arguments)

    def _send(self, name: str, arguments: Arguments) -> Answer | None:
        tool = (self._listed or {}).get(name)
        if tool is None:
            return Answer(phrases.no_tool(name))
        self._called = self._request(
            "tools/call", {"name": name, "arguments": fit(arguments, tool.get("inputSchema"))}
        )
        return None

    def _request(self, method: str, params: dict[str, object] | None = None) -> int:
        self._next = self._next + 1 if self.running and method != "initialize" else 1
        write(self._to, {"jsonrpc": "2.0", "id": self._next, "method": method, "params": params or {}})
        return self._next

    def _notify(self, method: str, params: dict[str, object] | None = None) -> None:
        write(self._to, {"jsonrpc": "2.0", "method": method, "params": params or {}})


def fit(arguments: Arguments, schema: object) -> Arguments:
    """Give the arguments the names the tool declares for them."""
    properties = schema.get("properties") if isinstance(schema, dict) else None
    if not isinstance(properties, dict):
        return arguments
    return {_name(said, properties): value for said, value in arguments.items()}


def _name(said: str, properties: dict[str, object]) -> str:
    if said in properties:
        return said
    return next((name for name in _SYNONYMS.get(said, ()) if name in properties), said)


def _read(message: dict[str, object]) -> Answer:
    error, result = message.get("error"), message.get("result")
    if isinstance(error, dict):
        return Answer(phrases.failed(str(error.get("message"))), failed=True)
    if not isinstance(result, dict):
        return Answer(phrases.failed("the answer was empty."), failed=True)
    parts = result.get("content")
    texts = (
        [str(part.get("text", "")) for part in parts or () if isinstance(part, dict)]
        if isinstance(parts, list)
        else []
    )
    text = "\n".join(filter(None, texts))
    if result.get("isError"):
        return Answer(phrases.failed(text), result.get("structuredContent"), failed=True)
    return Answer(text, result.get("structuredContent"))
