"""The agent's end of ACP: one select loop over the host's stream and the tool servers."""

import contextlib
import os
import select
import time

from . import grammar
from .sessions import Session
from .wire import CHUNK, Lines, parse, write

PROTOCOL = 1
MOST_SESSIONS = 8

_CAPABILITIES: dict[str, object] = {
    "loadSession": False,
    "promptCapabilities": {"image": False, "audio": False, "embeddedContext": False},
    # A prompt may be sent while another runs; it is answered after it, in order.
    "_meta": {"promptQueueing": True, "claudeCode": {"promptQueueing": True}},
}
Params = dict[str, object]


class Refusal(Exception):
    """A request that is answered with a JSON-RPC error."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class LocalAgent:
    """Serves one host until it goes away."""

    def __init__(self, incoming: int = 0, outgoing: int = 1) -> None:
        self._incoming = incoming
        self._outgoing = outgoing
        self._lines = Lines()
        self._sessions: dict[str, Session] = {}
        self._methods = {"initialize": _initialize, "session/new": self._new, "session/prompt": self._prompt}

    def run(self) -> None:
        while self.once():
            pass

    def once(self) -> bool:
        """Wait for something to happen and do what follows from it; False when the host is gone."""
        tools = {s.tools.descriptor: s for s in self._sessions.values() if s.tools and s.tools.running}
        deadlines = [s.deadline for s in self._sessions.values() if s.deadline is not None]
        patience = max(0.0, min(deadlines) - time.monotonic()) if deadlines else None
        ready, _, _ = select.select([self._incoming, *tools], [], [], patience)
        for descriptor in ready:
            if descriptor == self._incoming:
                data = os.read(descriptor, CHUNK)
                if not data:
                    return False
                self._hear(data)
            else:
                tools[descriptor].hear(os.read(descriptor, CHUNK))
        for session in self._sessions.values():
            session.tick(time.monotonic())
        return True

    def _hear(self, data: bytes) -> None:
        dropped = self._lines.dropped
        for line in self._lines.feed(data):
            message = parse(line)
            if message is None:
                self._fail(None, Refusal(-32700, "That is not a JSON object."))
            elif "method" in message:
                self._dispatch(message)
        if self._lines.dropped > dropped:
            self._fail(None, Refusal(-32600, "That line is too long."))

    def _dispatch(self, message: dict[str, object]) -> None:
        method, request = str(message["method"]), message.get("id")
        params = message.get("params")
        params = params if isinstance(params, dict) else {}
        if "id" not in message:
            if method == "session/cancel":
                self._cancel(params)
            return
        try:
            handler = self._methods.get(method)
            if handler is None:
                raise Refusal(-32601, f"There is no method {method[:100]}.")
            result = handler(params, request)
        except Refusal as refusal:
            self._fail(request, refusal)
            return
        if result is not None:
            self._send({"id": request, "result": result})
        if method == "session/new":
            grammar.warm()  # while the host makes up its mind

    def _new(self, params: Params, _: object) -> Params:
        if len(self._sessions) >= MOST_SESSIONS:
            raise Refusal(-32600, f"There are {MOST_SESSIONS} sessions already.")
        name = f"local-{len(self._sessions) + 1}"
        servers = params.get("mcpServers")
        try:
            self._sessions[name] = Session(name, servers if isinstance(servers, list) else [], self._send)
        except OSError as error:
            raise Refusal(-32603, f"The tools do not start: {error.strerror}.") from None
        return {"sessionId": name}

    def _prompt(self, params: Params, request: object) -> None:
        """Answered later, when the turn is over."""
        session = self._sessions.get(str(params.get("sessionId")))
        if session is None:
            raise Refusal(-32602, "There is no such session.")
        blocks = params.get("prompt")
        if not isinstance(blocks, list):
            raise Refusal(-32602, "A prompt is a list of blocks.")
        texts = [str(b.get("text", "")) for b in blocks if isinstance(b, dict) and b.get("type") == "text"]
        session.prompt(request, "\n".join(texts))

    def _cancel(self, params: Params) -> None:
        session = self._sessions.get(str(params.get("sessionId")))
        if session is not None:
            session.cancel()

    def _fail(self, request: object, refusal: Refusal) -> None:
        self._send({"id": request, "error": {"code": refusal.code, "message": refusal.message}})

    def _send(self, message: dict[str, object]) -> None:
        write(self._outgoing, {"jsonrpc": "2.0", **message})


def _initialize(_params: Params, _request: object) -> Params:
    return {
        "protocolVersion": PROTOCOL,
        "agentCapabilities": _CAPABILITIES,
        "agentInfo": {"name": "local", "version": "1"},
        "authMethods": [],
    }


def main() -> None:
    with contextlib.suppress(BrokenPipeError, ConnectionResetError, KeyboardInterrupt):
        LocalAgent().run()  # until the host is gone, and our purpose with it
