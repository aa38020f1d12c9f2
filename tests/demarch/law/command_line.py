"""The kernel CLI in a project's folder, driven with its own commands."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from demarch.cli.kernel import CliKernel
from storage.clock import SystemClock
from storage.database import Database
from tests.servers.kernels.project import Project


class CliWorld:
    """`pretended` says whether `ic` is the fake one: only then can be done what no command does."""

    def __init__(self, name: str, project: Project, database: Database, *, pretended: bool) -> None:
        self.name = name
        self.project = project
        self.folder = project.folder
        self._pretended = pretended
        self._scopes: dict[str, str] = {}
        self.kernel = CliKernel(
            project.folder, database, SystemClock(), home=project.home, environment=project.environment
        )

    async def run(
        self,
        goal: str = "refactor auth",
        *,
        phases: Sequence[str] | None = None,
        gates: dict[str, list[dict[str, str]]] | None = None,
        token_budget: int | None = None,
        enforce: bool = False,
    ) -> str:
        # Reviews are found by the scope of a run, so it needs one.
        options: dict[str, object] = {"scope_id": f"scope-{len(self._scopes)}"}
        options |= {} if phases is None else {"phases": json.dumps(list(phases))}
        options |= {} if gates is None else {"gates": json.dumps(gates, ensure_ascii=False)}
        options |= {} if token_budget is None else {"token_budget": token_budget}
        options |= {"budget_enforce": "true"} if enforce else {}
        run_id = await self.project.run(goal, **options)
        self._scopes[run_id] = str(options["scope_id"])
        return run_id

    async def portfolio(self, goal: str, projects: int) -> tuple[str, Sequence[str]]:
        names = ",".join(f"part{number}" for number in range(projects))
        answer = (await self.project.ic("run", "create", f"--goal={goal}", f"--projects={names}")).json
        return str(answer["id"]), [str(child) for child in answer["children"]]

    async def attempt(self, run_id: str, *, priority: int = 1) -> None:
        await self.project.advance(run_id, priority=priority)

    async def skip(self, run_id: str, phase: str) -> None:
        await self.project.ic("run", "skip", run_id, phase, "--reason=not needed")

    async def roll_back(self, run_id: str, phase: str) -> None:
        await self.project.ic("run", "rollback", run_id, f"--to-phase={phase}", "--reason=once more")

    async def artifact(self, run_id: str, phase: str, path: str = "docs/plan.md") -> str:
        return await self.project.artifact(run_id, phase, path)

    async def agent(self, run_id: str) -> str:
        return str((await self.project.ic("run", "agent", "add", run_id, "--type=codex")).json["id"])

    async def agent_done(self, agent_id: str) -> None:
        await self.project.ic("run", "agent", "update", agent_id, "--status=completed")

    async def verdict(self, run_id: str, *, clean: bool = True) -> None:
        self._only_pretended("hand in a verdict")
        self.project.verdict(self._scopes[run_id], "pass" if clean else "fail")

    async def spend(self, run_id: str, tokens: int) -> None:
        self._only_pretended("use tokens without starting an agent")
        await self.project.spend(run_id, tokens)

    async def depend(self, issue_id: str, other: str) -> None:
        await self.project.bd("dep", "add", issue_id, other)

    async def noted(self, run_id: str) -> Sequence[str]:
        lines = (await self.project.ic("events", "tail", "--all")).lines
        return [line["type"] for line in lines if (line["source"], line["run_id"]) == ("interspect", run_id)]

    async def propose(self, discovery_id: str) -> None:
        self._only_pretended("rank a discovery")
        self.project.propose(discovery_id)

    def _only_pretended(self, what: str) -> None:
        if not self._pretended:
            pytest.skip(f"no command of the real ic can {what}")


def fake(place: Path, database: Database) -> CliWorld:
    return CliWorld("fake", Project.create(place), database, pretended=True)
