"""/status: one screen of what runs, what it costs, what waits for whom, and what is not well."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import structlog

from bridges.messages import Content
from demarch.errors import DemarchError
from demarch.kernel import Run
from demarch.phrases import bar, dots, tokens
from demarch.projects import Projects
from host.coordination.overview import Section
from host.decisions.approvals import Approval, State
from host.decisions.approvals_store import Approvals
from host.decisions.board import Board
from host.decisions.questions import question
from host.news.pictures import Painter
from host.people.registry import Group
from host.phrases import listed, one_line, quoted, sentence
from host.shortcomings import shortcomings
from storage.database import Database

log = structlog.get_logger()

PATIENCE = 3.0  #: seconds for the kernel
RUNS = 8
WAITING = 10

Degraded = Callable[[], Sequence[str]]  #: one sentence per part that is not well
SpentToday = Callable[[str], str]  #: folder to what models cost today; empty when nothing
WhoHoldsWhat = Callable[[Group | None], Awaitable[Sequence[Section]]]


async def nobody(_group: Group | None) -> Sequence[Section]:
    """Without intermute nobody holds anything."""
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Look:
    """What one project's kernel says."""

    key: str
    runs: Sequence[Run]
    trouble: str  #: why it says nothing


class Status:
    def __init__(
        self,
        *,
        database: Database,
        approvals: Approvals,
        board: Board,
        projects: Projects,
        painter: Painter,
        degraded: Degraded,
        spent: SpentToday,
        picture_patience: float,
        holding: WhoHoldsWhat = nobody,
    ) -> None:
        self._database = database
        self._approvals = approvals
        self._board = board
        self._projects = projects
        self._painter = painter
        self._degraded = degraded
        self._spent = spent
        self._picture_patience = picture_patience
        self._holding = holding

    async def content(self, folder: str) -> Content:
        """The screen for the chats of a group; the main group sees everything that waits."""
        group = self._board.registry.group(folder)
        everything = group is not None and group.main
        looks = await self._looks(group)
        async with self._database.transaction() as conn:
            waiting = await self._approvals.open_in(conn, None if everything else [folder], WAITING)
        parts = [
            *(self._running(look, alone=len(looks) == 1) for look in looks),
            _section(
                "Waiting", [self._waits(approval) for approval in waiting], "Nothing waits for a decision."
            ),
        ]
        parts += [_section(each.title, each.lines, "") for each in await self._holding(group)]
        spent = self._spent(folder)
        if spent:
            parts.append(_section("Spent today", [spent], ""))
        unwell = self._unwell(looks)
        if unwell:
            parts.append(_section("Not well", unwell, ""))
        return Content(text="\n\n".join(parts), picture=await self._picture(looks), silent=True)

    async def _looks(self, group: Group | None) -> Sequence[_Look]:
        """At the group's own project; the main group sees those of all groups."""
        own = self._projects.key(group.project if group else "")
        keys = [own]
        if group is not None and group.main:
            named = (each.project for each in self._board.registry.groups())
            keys = list(dict.fromkeys([own, *self._projects.among(named)]))
        async with asyncio.TaskGroup() as tasks:
            looks = [tasks.create_task(self._look(key)) for key in keys]
        return [look.result() for look in looks]

    async def _look(self, key: str) -> _Look:
        try:
            async with asyncio.timeout(PATIENCE):
                return _Look(key=key, runs=await self._projects.of(key).runs(active=True), trouble="")
        except DemarchError as error:
            return _Look(key=key, runs=(), trouble=f"The kernel does not answer: {error}")
        except TimeoutError:
            return _Look(key=key, runs=(), trouble="The kernel does not answer in time.")

    def _running(self, look: _Look, *, alone: bool) -> str:
        title = "Running" if alone else f"Running in {self._projects.title(look.key)}"
        empty = "Nobody can say." if look.trouble else "Nothing runs."
        return _section(title, [_run(run) for run in look.runs[:RUNS]], empty)

    def _unwell(self, looks: Sequence[_Look]) -> list[str]:
        """What kernels lack, what does not answer, and the other parts; the same thing is said once."""
        lacking = {look.key: self._projects.capabilities(look.key) for look in looks}
        known = [reason.rstrip(".") for each in lacking.values() for reason in each.absent.values()]
        broken = [*(look.trouble for look in looks if look.trouble), *self._degraded()]
        lines = [line for each in lacking.values() for line in shortcomings(each)]
        lines += [line for line in broken if not any(reason in line for reason in known)]
        return [sentence(line, 400) for line in dict.fromkeys(lines)]

    def _waits(self, approval: Approval) -> str:
        view = self._board.view(approval)
        asks = one_line(question(approval).headline, 120)
        if approval.state is State.DEFERRED:
            return f"{asks} Deferred; /approvals asks it again. {approval.code}"
        names = listed([one_line(name, 40) for name in view.deciders], 4)
        return f"{asks} {approval.code}" + (f" · {names}" if names else "")

    async def _picture(self, looks: Sequence[_Look]) -> bytes | None:
        """Of the run that has burnt most of its budget."""
        budgets = [(look.key, run) for look in looks for run in look.runs if run.budget and run.used]
        if not budgets:
            return None
        key, burning = max(budgets, key=lambda each: each[1].used / (each[1].budget or 1))
        try:
            async with asyncio.timeout(self._picture_patience):
                run = await self._projects.of(key).run(burning.id)
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
