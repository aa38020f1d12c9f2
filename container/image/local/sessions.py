"""One conversation: its tools and its turns, answered one after the other."""

import time
from collections import deque
from collections.abc import Callable

from .answers import Call, Pause, Say, Steps, answer
from .tools import Answer, Tools

Send = Callable[[dict[str, object]], None]

_MOST_WAITING = 100  #: prompts
_CHUNK = 2000  #: characters streamed at once, cut between lines


class Session:
    """Runs the turns' generators: streams what they say, calls what they call."""

    def __init__(self, name: str, servers: list[object], send: Send) -> None:
        self.name = name
        self.tools = _tools(servers)
        self.deadline: float | None = None
        self._send = send
        self._waiting: deque[tuple[object, str]] = deque()
        self._request: object = None
        self._steps: Steps | None = None
        self._call: str | None = None
        self._calls = 0
        if self.tools is not None:
            self.tools.start()

    def prompt(self, request: object, text: str) -> None:
        if len(self._waiting) >= _MOST_WAITING:
            self._send({"id": request, "error": {"code": -32600, "message": "Too many prompts are waiting."}})
            return
        self._waiting.append((request, text))
        self._next()

    def cancel(self) -> None:
        """End the running turn and those that wait: whoever says stop means all of it."""
        waiting = [request for request, _ in self._waiting]
        self._waiting.clear()
        if self._steps is not None:
            self._steps.close()
            if self._call is not None and self.tools is not None:
                self.tools.cancel()
                self._finish_call("failed")
            self._end("cancelled")
        for request in waiting:
            self._send({"id": request, "result": {"stopReason": "cancelled"}})

    def hear(self, data: bytes) -> None:
        """Take what the tools wrote."""
        told = self.tools.hear(data) if self.tools is not None else None
        if told is not None and self._call is not None:
            self._answered(told)

    def tick(self, now: float) -> None:
        if self.deadline is not None and now >= self.deadline:
            self.deadline = None
            self._go(None)
            self._next()

    def _next(self) -> None:
        """Start turns until one has to wait or none is left."""
        while self._steps is None and self._waiting:
            self._request, text = self._waiting.popleft()
            self._steps = answer(text)
            self._go(None)

    def _go(self, value: Answer | None) -> None:
        """Run the turn until it waits for a tool, for time, or is over."""
        while self._steps is not None:
            try:
                step = self._steps.send(value)
            except StopIteration:
                self._end("end_turn")
                return
            value = None
            match step:
                case Say():
                    self._say(step.text)
                case Pause():
                    self.deadline = time.monotonic() + step.seconds
                    return
                case Call():
                    value = self._start_call(step)
                    if value is None:
                        return

    def _end(self, reason: str) -> None:
        request, self._request, self._steps, self.deadline = self._request, None, None, None
        self._send({"id": request, "result": {"stopReason": reason}})

    def _start_call(self, step: Call) -> Answer | None:
        self._calls += 1
        self._call = f"call-{self._calls}"
        start = {"title": step.title, "kind": "other", "status": "in_progress", "rawInput": step.arguments}
        self._update("tool_call", {"toolCallId": self._call, **start})
        if self.tools is None:
            told: Answer | None = Answer("I was given no tools.", failed=True)
        else:
            told = self.tools.call(step.tool, step.arguments)
        if told is not None:
            self._finish_call("failed" if told.failed else "completed")
        return told

    def _answered(self, told: Answer) -> None:
        self._finish_call("failed" if told.failed else "completed")
        self._go(told)
        self._next()

    def _finish_call(self, status: str) -> None:
        call, self._call = self._call, None
        self._update("tool_call_update", {"toolCallId": call, "status": status})

    def _say(self, text: str) -> None:
        for piece in pieces(text):
            self._update("agent_message_chunk", {"content": {"type": "text", "text": piece}})

    def _update(self, kind: str, update: dict[str, object]) -> None:
        params = {"sessionId": self.name, "update": {"sessionUpdate": kind, **update}}
        self._send({"method": "session/update", "params": params})


def pieces(text: str, size: int = _CHUNK) -> list[str]:
    """Cut a long text, between lines where there are any."""
    found = []
    while len(text) > size:
        end = text.rfind("\n", 0, size) + 1 or size
        found.append(text[:end])
        text = text[end:]
    return [*found, text] if text else found


def _tools(servers: list[object]) -> Tools | None:
    """The first stdio server the host offers; there is no need for a second."""
    for server in servers:
        if isinstance(server, dict) and isinstance(server.get("command"), str):
            words, pairs = server.get("args"), server.get("env")
            rows = [row for row in pairs if isinstance(row, dict)] if isinstance(pairs, list) else []
            environment = {str(row.get("name")): str(row.get("value")) for row in rows}
            arguments = [str(word) for word in words] if isinstance(words, list) else []
            command = [str(server["command"]), *arguments]
            return Tools(command, environment)
    return None
