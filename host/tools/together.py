"""The tools of several parts of the host as those of one."""

from collections.abc import Mapping, Sequence
from typing import Any

from container.agent import ToolDeclaration, ToolResult
from host.people.registry import Group
from host.phrases import one_line
from host.tools.toolbox import CurrentTurn, MoreTools, failed


class Together:
    """Implements `MoreTools`. No two parts have a tool of the same name."""

    def __init__(self, *parts: MoreTools) -> None:
        self._parts = parts

    def offered(self, group: Group) -> Sequence[ToolDeclaration]:
        return [tool for part in self._parts for tool in part.offered(group)]

    def has(self, name: str) -> bool:
        return any(part.has(name) for part in self._parts)

    async def call(
        self, lane: str, group: Group, current_turn: CurrentTurn, name: str, arguments: Mapping[str, Any]
    ) -> ToolResult:
        for part in self._parts:
            if part.has(name):
                return await part.call(lane, group, current_turn, name, arguments)
        return failed(f"There is no tool {one_line(name, 60)!r}.")
