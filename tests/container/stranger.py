"""An ACP agent that the program has never heard of: what it is asked to try it tries, and tells the outcome.

It runs in an image of its own, with nothing but the standard library. A prompt is a Python expression.
"""

import json
import os
import pathlib
import socket
import ssl
import sys
import urllib.request

SESSIONS = pathlib.Path("/home/agent/.stranger")


def reach(port: int) -> str:
    """What answers on a loopback port."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/anthropic", timeout=10) as answer:
            return str(answer.read().decode())
    except OSError as error:
        return f"no: {error}"


def get(url: str, authority: str) -> str:
    """What answers there, by the proxy of the environment if there is one."""
    try:
        trusting = ssl.create_default_context(cadata=authority)
        with urllib.request.urlopen(url, timeout=10, context=trusting) as answer:  # noqa: S310 - in a sandbox
            return str(answer.read().decode())
    except OSError as error:
        return f"no: {error}"


def answer(method: str, params: dict[str, object]) -> dict[str, object]:
    if method == "initialize":
        return {"protocolVersion": 1, "agentCapabilities": {"loadSession": True}, "authMethods": []}
    if method == "session/new":
        (SESSIONS / "one").write_text("kept")
        return {"sessionId": "one"}
    if method == "session/load":
        return {} if (SESSIONS / str(params["sessionId"])).is_file() else {"sessionId": ""}
    return {"stopReason": "end_turn"}


def say(message: dict[str, object]) -> None:
    sys.stdout.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
    sys.stdout.flush()


def main() -> None:
    for line in sys.stdin:
        call = json.loads(line)
        method, params = call.get("method"), call.get("params") or {}
        if method == "session/prompt":
            names = {"reach": reach, "get": get, "os": os, "socket": socket, "pathlib": pathlib}
            text = str(eval(params["prompt"][-1]["text"], names))  # noqa: S307 - in a sandbox, for a test
            content = {"type": "text", "text": text}
            update = {"sessionUpdate": "agent_message_chunk", "content": content}
            say({"method": "session/update", "params": {"sessionId": params["sessionId"], "update": update}})
        if "id" in call and method:
            say({"id": call["id"], "result": answer(method, params)})


if __name__ == "__main__":
    main()
