"""/status: one screen of what runs, what it costs, what waits for whom, and what is not well."""

import asyncio
from collections.abc import Callable, Sequence

import structlog

from bridges.messages import Content
from demarch.errors import DemarchError
from demarch.kernel import Kernel, Run
from demarch.phrases import bar, dots, tokens
from host.decisions.approvals import Approval, State
from host.decisions.approvals_store import Approvals
from host.decisions.board import Board
from host.decisions.questions import question
from host.news.pictures import Painter
from host.phrases import listed, one_line, quoted, sentence
from storage.database import Database

log = structlog.get_logger()

PATIENCE = 3.0  #: seconds for the kernel
RUNS = 8
WAITING = 10

Degraded = Callable[[], Sequence[str]]  #: one sentence per part that is not well
SpentToday = Callable[[str], str]  #: folder to what models cost today; empty when nothing


class Status:
    def __init__(
        self,
        *,
        database: Database,
        approvals: Approvals,
        board: Board,
        kernel: Kernel,
        painter: Painter,
        degraded: Degraded,
        spent: SpentToday,
        picture_patience: float,
    ) -> None:
        self._database = database
        self._approvals = approvals
        self._board = board
        self._kernel = kernel
        self._painter = painter
        self._degraded = degraded
        self._spent = spent
        self._picture_patience = picture_patience

    async def content(self, folder: str) -> Content:
        """The screen for the chats of a group; the main group sees everything that waits."""
        group = self._board.registry.group(folder)
        everything = group is not None and group.main
        runs, trouble = await self._runs()
        async with self._database.transaction() as conn:
            waiting = await self._approvals.open_in(conn, None if everything else [folder], WAITING)
        parts = [
            _section("Running", [_run(run) for run in runs[:RUNS]], "Nothing runs."),
            _section(
                "Waiting", [self._waits(approval) for approval in waiting], "Nothing waits for a decision."
            ),
        ]
        spent = self._spent(folder)
        if spent:
            parts.append(_section("Spent today", [spent], ""))
        unwell = [sentence(line, 200) for line in [*trouble, *self._degraded()]]
        if unwell:
            parts.append(_section("Not well", unwell, ""))
        return Content(text="\n\n".join(parts), picture=await self._picture(runs), silent=True)

    async def _runs(self) -> tuple[Sequence[Run], Sequence[str]]:
        try:
            async with asyncio.timeout(PATIENCE):
                return await self._kernel.runs(active=True), ()
        except DemarchError as error:
            return (), (f"The kernel does not answer: {error}",)
        except TimeoutError:
            return (), ("The kernel does not answer in time.",)

    def _waits(self, approval: Approval) -> str:
        view = self._board.view(approval)
        asks = one_line(question(approval).headline, 120)
        if approval.state is State.DEFERRED:
            return f"{asks} Deferred; /approvals asks it again. {approval.code}"
        names = listed([one_line(name, 40) for name in view.deciders], 4)
        return f"{asks} {approval.code}" + (f" · {names}" if names else "")

    async def _picture(self, runs: Sequence[Run]) -> bytes | None:
        """Of the run that has burnt most of its budget."""
        budgets = [run for run in runs if run.budget and run.used]
        if not budgets:
            return None
        burning = max(budgets, key=lambda run: run.used / (run.budget or 1))
        try:
            async with asyncio.timeout(self._picture_patience):
                run = await self._kernel.run(burning.id)
                return await self._painter.burn(run, self._board.clock.now())
        except (DemarchError, TimeoutError) as error:
            log.info("status.no_picture", run=burning.id, reason=str(error))
            return None


def _run(run: Run) -> str:
    phases = list(run.phases)
    place = phases.index(run.phase) if run.phase in phases else 0
    lines = [quoted(run.goal), f"{dots(place, len(phases))} {one_line(run.phase, 40)}"]
    if run.budget:
        lines.append(f"{bar(run.used, run.budget)} of {tokens(run.budget)} tokens")
    elif run.used:
        lines.append(f"{tokens(run.used)} tokens, no budget")
    return "\n".join(lines)


def _section(title: str, lines: Sequence[str], empty: str) -> str:
    return "\n".join([title, *(lines or [empty])])
