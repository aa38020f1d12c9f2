"""What the tests of agents need on the host's side: tools that answer, and a listener that remembers."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from container.agent import Permission, PermissionRequest, ToolDeclaration, ToolResult
from container.sandbox import Sandbox

OBJECT = {"type": "object", "properties": {}}


async def exited(sandbox: Sandbox, sandbox_id: str) -> int:
    """Its exit status, once it has one."""
    async with asyncio.timeout(10):
        while True:
            status = await sandbox.exit_status(sandbox_id)
            if status is not None:
                return status
            await asyncio.sleep(0.02)


async def emptied(sandbox: Sandbox) -> None:
    """Wait until nothing of the install is left."""
    async with asyncio.timeout(10):
        while True:
            if not await sandbox.running():
                return
            await asyncio.sleep(0.02)


class Toolbox:
    """Tools that answer with what they were called with, unless a test says otherwise."""

    def __init__(self, *names: str, answers: Mapping[str, ToolResult] | None = None) -> None:
        self._names = names or ("demarch_sprint_phase", "demarch_next_work", "demarch_create_issue")
        self._answers = answers or {}
        self.calls: list[tuple[str, Mapping[str, Any]]] = []
        self.called = asyncio.Event()
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.answered = 0

    def declarations(self) -> Sequence[ToolDeclaration]:
        return [ToolDeclaration(name=name, description="a tool", input_schema=OBJECT) for name in self._names]

    async def call(self, name: str, arguments: Mapping[str, Any]) -> ToolResult:
        self.calls.append((name, dict(arguments)))
        self.called.set()
        await self.may_answer.wait()
        self.answered += 1
        return self._answers.get(name, ToolResult(text=f"answer of {name}", data={"name": name}))


class Listener:
    """Remembers a turn, and lets a test wait for what is said in it."""

    def __init__(self, permission: Permission = Permission.REJECT) -> None:
        self.log: list[str | tuple[str, bool]] = []
        self.asked: list[PermissionRequest] = []
        self._permission = permission
        self._said = asyncio.Condition()
        self._news = asyncio.Event()

    @property
    def said(self) -> str:
        return "".join(entry for entry in self.log if isinstance(entry, str))

    def text(self, chunk: str) -> None:
        self.log.append(chunk)
        self._news.set()

    def tool(self, call_id: str, title: str, *, finished: bool, kind: str = "other") -> None:
        assert call_id
        self.log.append((title, finished))
        self._news.set()

    async def permission(self, request: PermissionRequest) -> Permission:
        self.asked.append(request)
        return self._permission

    async def heard(self, text: str) -> None:
        async with asyncio.timeout(10):
            while text not in self.said:
                self._news.clear()
                await self._news.wait()
