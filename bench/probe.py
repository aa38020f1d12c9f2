"""Runs inside a container: times MCP tool calls over the mounted socket; one figure a line, in ms."""

import json
import socket
import sys
import time

wire = socket.socket(socket.AF_UNIX)
wire.connect("/run/intercom/tools.sock")
lines = wire.makefile("rwb")


def say(message: dict[str, object]) -> None:
    lines.write(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")
    lines.flush()


def ask(number: int, method: str, params: dict[str, object]) -> dict[str, object]:
    say({"id": number, "method": method, "params": params})
    while True:
        answer: dict[str, object] = json.loads(lines.readline())
        if answer.get("id") == number:
            return answer


client = {"name": "probe", "version": "1"}
ask(0, "initialize", {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": client})
say({"method": "notifications/initialized"})
for number in range(1, int(sys.argv[1]) + 1):
    begun = time.perf_counter()
    answer = ask(number, "tools/call", {"name": "demarch_sprint_phase", "arguments": {}})
    took = time.perf_counter() - begun
    result = answer.get("result")
    if not isinstance(result, dict) or result.get("isError"):
        raise SystemExit(str(answer))
    sys.stdout.write(f"{took * 1000:.3f}\n")
    time.sleep(0.025)  # the host answers 50 calls a second of one container
