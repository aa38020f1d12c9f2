"""Without isolation only the main group's agent may run, and only the built-in one."""

from collections.abc import Callable, Sequence

from container.agent import Agent, Fittings, Launcher, Runtime, ToolBox
from container.sandbox import SandboxUnavailable

BUILT_IN = "local"


class MainOnly:
    """A `Launcher` that refuses every other group and every other agent."""

    def __init__(self, launcher: Launcher, is_main: Callable[[str], bool]) -> None:
        self._launcher = launcher
        self._is_main = is_main

    async def launch(
        self, key: str, runtime: Runtime, tools: ToolBox, fittings: Fittings | None = None
    ) -> Agent:
        if not self._is_main(key):
            raise SandboxUnavailable(
                "Only the main group is served while agents are not isolated; this group needs Docker."
            )
        if runtime.name != BUILT_IN:
            raise SandboxUnavailable(
                f"The agent “{runtime.name}” needs Docker; without it there is “local” only."
            )
        return await self._launcher.launch(key, runtime, tools, fittings)

    async def sweep(self, keep: Sequence[str] = ()) -> int:
        return await self._launcher.sweep(keep)
