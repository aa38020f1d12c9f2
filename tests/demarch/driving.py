"""Calls operations and the terminal's writes the way tests want to read them."""

from collections.abc import Awaitable, Callable
from typing import Any

from demarch.calls import parse
from demarch.embedded import EmbeddedKernel, artifacts, budgets, dependencies, moves, runs
from demarch.embedded.artifacts import NewVerdict
from demarch.embedded.ledger import Change
from demarch.embedded.runs import NewRun
from demarch.embedded.writes import outcome_of
from demarch.gates import Tier
from demarch.kernel import KernelEvent, Outcome
from storage.ids import NewId

DONE = Outcome(text="done", data={})


class Driver:
    """One person's hand on the kernel; every write gets a key of its own."""

    def __init__(self, kernel: EmbeddedKernel, new_id: NewId, *, actor: str) -> None:
        self.kernel = kernel
        self.actor = actor
        self._new_id = new_id

    async def read(self, name: str, **arguments: Any) -> Outcome:
        return await self.kernel.read(parse(name, arguments))

    async def write(self, name: str, **arguments: Any) -> Outcome:
        return await self.kernel.write(parse(name, arguments), actor=self.actor, key=str(self._new_id()))

    async def change(self, work: Callable[[Change], Awaitable[Outcome]]) -> Outcome:
        return await self.kernel.change(work, actor=self.actor, key=str(self._new_id()))

    async def issue(self, title: str, **arguments: Any) -> str:
        return str((await self.write("create_issue", title=title, **arguments)).data["id"])

    async def run(self, goal: str = "refactor auth", **new: Any) -> str:
        async def work(change: Change) -> Outcome:
            return Outcome(text="", data={"id": (await runs.create(change, NewRun(goal=goal, **new)))["id"]})

        return str((await self.change(work)).data["id"])

    async def depend(self, issue_id: str, depends_on: str, kind: str = "blocks") -> None:
        async def work(change: Change) -> Outcome:
            return Outcome(text="", data=await dependencies.add(change, issue_id, depends_on, kind))

        await self.change(work)

    async def advance(self, run_id: str, tier: Tier = Tier.HARD, skip_reason: str = "") -> Outcome:
        async def work(change: Change) -> Outcome:
            row = await runs.lock_active(change, run_id)
            return outcome_of(await moves.advance(change, row, tier=tier, skip_reason=skip_reason))

        return await self.change(work)

    async def rollback(self, run_id: str, phase: str) -> Outcome:
        async def work(change: Change) -> Outcome:
            return outcome_of(await moves.rollback(change, await runs.lock(change, run_id), phase, "again"))

        return await self.change(work)

    async def skip(self, run_id: str, phase: str) -> None:
        async def work(change: Change) -> Outcome:
            await moves.skip(change, await runs.lock_active(change, run_id), phase, "not needed")
            return DONE

        await self.change(work)

    async def block(self, run_id: str, reason: str) -> Outcome:
        async def work(change: Change) -> Outcome:
            return outcome_of(await moves.block(change, await runs.lock_active(change, run_id), reason))

        return await self.change(work)

    async def spend(self, run_id: str, tokens: int) -> None:
        async def work(change: Change) -> Outcome:
            await budgets.spend(change, run_id, tokens, 0, "codex")
            return DONE

        await self.change(work)

    async def artifact(self, run_id: str, path: str = "docs/plan.md", **about: Any) -> str:
        arguments = {"phase": None, "type_": "file", "content": None} | about

        async def work(change: Change) -> Outcome:
            row = await artifacts.add(change, run_id, path=path, **arguments)
            return Outcome(text="", data={"id": row["id"]})

        return str((await self.change(work)).data["id"])

    async def verdict(self, run_id: str, verdict: str, findings: int = 0, reviewer: str = "flux") -> None:
        new = NewVerdict(reviewer=reviewer, verdict=verdict, findings=findings, summary="looked at it")

        async def work(change: Change) -> Outcome:
            await artifacts.add_verdict(change, run_id, new)
            return DONE

        await self.change(work)

    async def events(self) -> list[KernelEvent]:
        return list(await self.kernel.events({}, 1000))

    async def types(self) -> list[str]:
        """What happened, by type, in order."""
        return [event.type for event in await self.events()]
