"""The local agent as a program: raw ACP on its stdio, with a tool server that is no good."""

import asyncio
import json
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from container.process import IMAGE

Message = dict[str, Any]
HEAVY = {
    "asyncio",
    "typing",
    "dataclasses",
    "argparse",
    "logging",
    "inspect",
    "subprocess",
    "threading",
    "socket",
}


class Speaker:
    """The host's side, line by line."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self.stdin, self.stdout = process.stdin, process.stdout
        self.process = process

    def say(self, **message: Any) -> None:
        self.stdin.write(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")

    async def hear(self) -> Message:
        async with asyncio.timeout(10):
            found: Message = json.loads(await self.stdout.readline())
        return found

    async def ask(self, method: str, **params: Any) -> Message:
        self.say(id="q", method=method, params=params)
        return await self.answer("q")

    async def answer(self, request: str) -> Message:
        while (message := await self.hear()).get("id") != request:
            assert message["method"] == "session/update"
        return message

    async def session(self, *command: str) -> str:
        servers = [{"name": "x", "command": command[0], "args": command[1:], "env": []}] if command else []
        opened = await self.ask("session/new", cwd="/tmp", mcpServers=servers)
        return str(opened["result"]["sessionId"])

    def prompt(self, session: str, request: str, text: str) -> None:
        params = {"sessionId": session, "prompt": [{"type": "text", "text": text}]}
        self.say(id=request, method="session/prompt", params=params)

    async def said(self, request: str) -> tuple[str, str]:
        """What it said until it answered the prompt, and how the turn ended."""
        text = ""
        while (message := await self.hear()).get("id") != request:
            text += message["params"]["update"].get("content", {}).get("text", "")
        return text, message["result"]["stopReason"]


@asynccontextmanager
async def speaking() -> AsyncIterator[Speaker]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-I", "-S", str(IMAGE / "local_agent.py"), stdin=PIPE, stdout=PIPE, limit=1 << 24
    )
    try:
        yield Speaker(process)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        async with asyncio.timeout(10):
            assert await process.wait() == 0


async def test_it_says_what_it_can_do() -> None:
    async with speaking() as agent:
        result = (await agent.ask("initialize", protocolVersion=1))["result"]
    assert result["protocolVersion"] == 1
    assert result["agentCapabilities"]["loadSession"] is False
    assert result["agentCapabilities"]["_meta"]["promptQueueing"] is True


@pytest.mark.parametrize(
    ("method", "params", "code"),
    [
        ("session/load", {}, -32601),
        ("nonsense", {}, -32601),
        ("session/prompt", {"sessionId": "none", "prompt": []}, -32602),
        ("session/new", {"cwd": "/", "mcpServers": [{"command": "/no/such"}]}, -32603),
    ],
)
async def test_what_it_cannot_do_is_an_error(method: str, params: Message, code: int) -> None:
    async with speaking() as agent:
        assert (await agent.ask(method, **params))["error"]["code"] == code


async def test_garbage_is_answered_and_it_goes_on() -> None:
    async with speaking() as agent:
        agent.stdin.write(b"garbage\n[1]\n" + b"x" * 10_000_000 + b"\n")
        assert [(await agent.hear())["error"]["code"] for _ in range(3)] == [-32700, -32700, -32600]
        assert "result" in await agent.ask("initialize", protocolVersion=1)


async def test_help_is_ten_lines_and_mentions_models() -> None:
    async with speaking() as agent:
        agent.prompt(await agent.session(), "1", "help")
        text, reason = await agent.said("1")
    assert (text.count("\n") + 1, reason) == (10, "end_turn")
    assert "model runtime" in text


async def test_without_tools_it_says_so() -> None:
    async with speaking() as agent:
        agent.prompt(await agent.session(), "1", "status")
        assert await agent.said("1") == ("I was given no tools.", "end_turn")


_TOOLLESS = """#!{python}
import json, sys
for line in sys.stdin:
    asked = json.loads(line)
    if "id" in asked:
        result = {{"tools": []}} if asked["method"] == "tools/list" else {{}}
        print(json.dumps({{"jsonrpc": "2.0", "id": asked["id"], "result": result}}), flush=True)
"""


async def test_a_tool_that_is_not_offered_is_said_in_words(tmp_path: Path) -> None:
    server = tmp_path / "tools"
    server.write_text(_TOOLLESS.format(python=sys.executable))
    server.chmod(0o755)
    async with speaking() as agent:
        agent.prompt(await agent.session(str(server)), "1", "start a run to write the handbook")
        text, _ = await agent.said("1")
    assert text == (
        "I cannot do that here (start run): I may only read in this group, or /status says what is missing."
    )


async def test_tools_that_end_are_told_and_started_again() -> None:
    async with speaking() as agent:
        session = await agent.session("/bin/true")
        for request in ("1", "2"):
            agent.prompt(session, request, "status")
            text, reason = await agent.said(request)
            assert text.startswith("I can not reach the tools")
            assert reason == "end_turn"


async def test_prompts_wait_for_each_other_and_a_stop_ends_them_all() -> None:
    async with speaking() as agent:
        session = await agent.session()
        for number in range(3):
            agent.prompt(session, str(number), f"wait {number * 60} seconds")
        agent.say(method="session/cancel", params={"sessionId": session})
        reasons = [(await agent.said(str(number)))[1] for number in range(3)]
        assert reasons == ["end_turn", "cancelled", "cancelled"]
        agent.prompt(session, "last", "help")
        assert (await agent.said("last"))[1] == "end_turn"


async def test_a_hundred_prompts_are_answered_in_their_order() -> None:
    async with speaking() as agent:
        session = await agent.session()
        agent.prompt(session, "first", "wait 1 second")
        for number in range(99):
            agent.prompt(session, str(number), "help")
        for request in ("first", *map(str, range(99))):
            assert (await agent.said(request))[1] == "end_turn"


async def test_it_ends_in_the_middle_of_a_turn_when_the_host_is_gone() -> None:
    async with speaking() as agent:
        agent.prompt(await agent.session(), "1", "wait 60 seconds")
        await agent.hear()


async def test_it_imports_nothing_heavy() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-I", "-S", "-X", "importtime", str(IMAGE / "local_agent.py"),
        stdin=asyncio.subprocess.DEVNULL, stderr=PIPE,
    )  # fmt: skip
    _, told = await process.communicate()
    imported = {line.rpartition("|")[2].strip() for line in told.decode().splitlines()}
    assert not imported & HEAVY
    assert "local.serving" in imported
