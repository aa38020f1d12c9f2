"""The embedded kernel, driven as the terminal drives it."""

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

import pytest

from demarch.embedded import EmbeddedKernel, artifacts, budgets, dependencies, moves, portfolios, runs
from demarch.embedded.artifacts import NewVerdict
from demarch.embedded.ledger import Change
from demarch.embedded.runs import NewRun
from demarch.gates import tier_of
from demarch.kernel import Outcome
from storage.ids import NewId

Work = Callable[[Change], Awaitable[Any]]


class EmbeddedWorld:
    name = "embedded"

    def __init__(self, kernel: EmbeddedKernel, new_id: NewId, folder: Path) -> None:
        self.kernel = kernel
        self.folder = folder
        self._new_id = new_id

    async def _do(self, work: Work) -> Any:
        """One write of the terminal; what it gave."""
        given: list[Any] = []

        async def change(change: Change) -> Outcome:
            given.append(await work(change))
            return Outcome(text="done", data={})

        await self.kernel.change(change, actor="agency", key=str(self._new_id()))
        return given[-1]

    async def run(
        self,
        goal: str = "refactor auth",
        *,
        phases: Sequence[str] | None = None,
        gates: dict[str, list[dict[str, str]]] | None = None,
        token_budget: int | None = None,
        enforce: bool = False,
    ) -> str:
        about: dict[str, Any] = {} if phases is None else {"phases": phases}
        new = NewRun(goal=goal, gates=gates, token_budget=token_budget, enforce=enforce, **about)
        return str((await self._do(lambda change: runs.create(change, new)))["id"])

    async def portfolio(self, goal: str, projects: int) -> tuple[str, Sequence[str]]:
        new = NewRun(goal=goal)
        names = [f"project-{number}" for number in range(projects)]
        row, children = await self._do(lambda change: portfolios.create(change, new, names))
        return str(row["id"]), [str(child["id"]) for child in children]

    async def attempt(self, run_id: str, *, priority: int = 1) -> None:
        async def work(change: Change) -> object:
            return await moves.advance(change, await runs.lock_active(change, run_id), tier=tier_of(priority))

        await self._do(work)

    async def skip(self, run_id: str, phase: str) -> None:
        async def work(change: Change) -> object:
            return await moves.skip(change, await runs.lock_active(change, run_id), phase, "not needed")

        await self._do(work)

    async def roll_back(self, run_id: str, phase: str) -> None:
        async def work(change: Change) -> object:
            return await moves.rollback(change, await runs.lock(change, run_id), phase, "once more")

        await self._do(work)

    async def artifact(self, run_id: str, phase: str, path: str = "docs/plan.md") -> str:
        row = await self._do(
            lambda change: artifacts.add(change, run_id, phase=phase, path=path, type_="file", content=None)
        )
        return str(row["id"])

    async def agent(self, run_id: str) -> str:
        async def work(change: Change) -> str:
            row = await runs.lock_active(change, run_id)
            await portfolios.make_room(change, row)
            return await runs.add_agent(change, row, "codex", "worker")

        return str(await self._do(work))

    async def agent_done(self, agent_id: str) -> None:
        await self._do(lambda change: runs.update_agent(change, agent_id, "completed"))

    async def verdict(self, run_id: str, *, clean: bool = True) -> None:
        new = NewVerdict(
            reviewer="flux", verdict="clean" if clean else "needs-changes", findings=0 if clean else 2
        )
        await self._do(lambda change: artifacts.add_verdict(change, run_id, new))

    async def spend(self, run_id: str, tokens: int) -> None:
        await self._do(lambda change: budgets.spend(change, run_id, tokens, 0, "codex"))

    async def depend(self, issue_id: str, other: str) -> None:
        await self._do(lambda change: dependencies.add(change, issue_id, other, "blocks"))

    async def noted(self, run_id: str) -> Sequence[str]:
        told = await self.kernel.events({}, 1000)
        return [event.type for event in told if (event.source, event.run_id) == ("interspect", run_id)]

    async def propose(self, discovery_id: str) -> NoReturn:
        pytest.skip("nothing in the embedded kernel ranks discoveries")
