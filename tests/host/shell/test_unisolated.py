"""Without isolation only the main group's built-in agent starts."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from container.agent import Agent, Fittings, Runtime, ToolBox, ToolDeclaration, ToolResult
from container.sandbox import SandboxUnavailable
from host.conversation.unisolated import MainOnly


class Reached(Exception):
    """The launcher behind was asked."""


class Launcher:
    async def launch(
        self, key: str, runtime: Runtime, tools: ToolBox, fittings: Fittings | None = None
    ) -> Agent:
        raise Reached

    async def sweep(self, keep: Sequence[str] = ()) -> int:
        return len(keep)


class NoTools:
    def declarations(self) -> Sequence[ToolDeclaration]:
        return ()

    async def call(self, name: str, arguments: Mapping[str, Any]) -> ToolResult:
        return ToolResult(text=name, data=arguments)


LOCAL = Runtime(name="local", image="", command=())
CLAUDE = Runtime(name="claude", image="", command=())


async def launch(key: str, runtime: Runtime) -> None:
    launcher = MainOnly(Launcher(), lambda key: key.partition("/")[0] == "main")
    await launcher.launch(key, runtime, NoTools())


@pytest.mark.parametrize("key", ["main", "main/42"])
async def test_the_main_groups_built_in_agent_starts(key: str) -> None:
    with pytest.raises(Reached):
        await launch(key, LOCAL)


async def test_another_group_is_told_that_it_needs_docker() -> None:
    with pytest.raises(SandboxUnavailable, match="needs Docker"):
        await launch("engineering", LOCAL)


async def test_another_agent_is_told_that_it_needs_docker() -> None:
    with pytest.raises(SandboxUnavailable, match="claude"):
        await launch("main", CLAUDE)


async def test_sweeping_is_passed_on() -> None:
    assert await MainOnly(Launcher(), lambda _: True).sweep(["main"]) == 1
