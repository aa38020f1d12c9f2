"""The swarm: helpers are asked for, kept by turn, waited for, and let go when their turn ends."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from container.agent import ToolDeclaration, ToolResult
from demarch.errors import NotPossible
from demarch.projects import Projects
from host.conversation.turns import Turn
from host.decisions.permission_policy import whole
from host.people.registry import Group
from host.phrases import listed, quoted
from host.swarm.calls import AWAIT_AGENT, AwaitAgent, SpawnAgent, declare, read
from host.swarm.crew import Crew
from host.swarm.helper import Errand, Helper, Permit, Stage
from host.swarm.port import Assignment, HelperPlaces, helper_key
from host.swarm.rules import SwarmRules, may_spawn
from host.swarm.toolbox import HelperToolBox
from host.swarm.working import Job, Working, draft
from host.tools.lookups import Lookups
from host.tools.policy import NO_TURN, Ruling
from host.tools.toolbox import CurrentTurn, failed
from host.tools.writes import SPAWN_AGENT
from host.tools.writing import Wish, Writing
from storage.clock import Clock

#: seconds one call waits: Codex gives a tool a minute, the others more
PATIENCE = 45.0
NOT_NOW = "Helpers cannot be started while this program starts or stops."
TOO_LONG = "A person must allow this helper, and its task is too long for a card; write it shorter."


class Swarm:
    """Implements `host.tools.toolbox.MoreTools`."""

    def __init__(
        self,
        *,
        working: Working,
        writing: Writing,
        lookups: Lookups,
        permit: Permit,
        projects: Projects,
        clock: Clock,
        rules: SwarmRules,
        runtimes: Collection[str],
    ) -> None:
        self._working = working
        self._writing = writing
        self._lookups = lookups
        self._permit = permit
        self._projects = projects
        self._clock = clock
        self._rules = rules
        self._runtimes = runtimes
        self._crews: dict[str, Crew] = {}  #: by lane
        self._numbers = _Numbers()
        self._tasks: asyncio.TaskGroup | None = None

    def attach(self, places: HelperPlaces) -> None:
        """Say who lends containers: they are made later, since they need these tools."""
        self._working.attach(places)

    async def run(self) -> None:
        """Helpers live in here, and end when it is cancelled."""
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            try:
                await asyncio.Event().wait()
            finally:
                self._tasks = None

    def dismiss(self, lane: str) -> None:
        """The lane's turn is over: whoever still works for it ends."""
        crew = self._crews.pop(lane, None)
        if crew is not None:
            crew.dismiss()

    def offered(self, group: Group) -> Sequence[ToolDeclaration]:
        return declare(self._runtimes, self._rules.free) if group.main and self._rules.most else ()

    def has(self, name: str) -> bool:
        return name in (SPAWN_AGENT, AWAIT_AGENT)

    async def call(
        self, lane: str, group: Group, current_turn: CurrentTurn, name: str, arguments: Mapping[str, Any]
    ) -> ToolResult:
        if name == AWAIT_AGENT:
            return await self._await(lane, current_turn(), read(AwaitAgent, name, arguments).name)
        meant = read(SpawnAgent, name, arguments)
        wish = Wish(
            lane=lane,
            group=group,
            turn=current_turn(),
            operation=SPAWN_AGENT,
            arguments=meant.model_dump(exclude_none=True),
        )
        try:
            return await self._spawn(wish, meant, current_turn)
        except NotPossible as error:
            return await self._writing.refuse(wish, str(error))

    async def _spawn(self, wish: Wish, meant: SpawnAgent, current_turn: CurrentTurn) -> ToolResult:
        turn = wish.turn
        if turn is None or self._tasks is None:
            raise NotPossible(NO_TURN if turn is None else NOT_NOW)
        # Between the judgement and the helper's being in its crew nothing is waited for.
        crew = self._crew(wish.lane, turn)
        judgement = may_spawn(wish.group, turn, len(crew.helpers), self._rules)
        if judgement.ruling is Ruling.REFUSED:
            raise NotPossible(judgement.reason)
        asked = judgement.ruling is Ruling.CONFIRM
        lines = whole(meant.task) or ()
        if asked and not lines:
            raise NotPossible(TOO_LONG)
        name, runtime = crew.name_for(meant.name), self._runtime(meant.runtime or wish.group.runtime)
        errand = Errand(
            name=name,
            task=meant.task,
            runtime=runtime,
            folder=meant.folder,
            number=self._numbers.take(wish.lane),
            turn=turn,
        )
        helper = crew.helpers[name] = Helper(errand, self._permit)
        job = Job(
            wish=wish,
            helper=helper,
            assignment=self._assignment(wish, errand, crew, current_turn),
            asks=(lambda names: draft(helper, wish, lines, names)) if asked else None,
        )
        return await self._begin(job, crew)

    async def _begin(self, job: Job, crew: Crew) -> ToolResult:
        """On record first; then it goes its own way, unless its turn or this program has ended meanwhile."""
        lane, helper = job.wish.lane, job.helper
        task: asyncio.Task[None] | None = None
        try:
            recorded = await self._working.record(job)
            if recorded is None or self._crews.get(lane) is not crew or self._tasks is None:
                return failed(NO_TURN)
            task = crew.start(self._tasks, self._working.run(recorded))
            task.add_done_callback(lambda _: self._numbers.free(lane, helper.errand.number))
        finally:
            if task is None:
                helper.fail("It was not started.")
                self._numbers.free(lane, helper.errand.number)
        return _spawned(helper, waits=job.asks is not None)

    async def _await(self, lane: str, turn: Turn | None, name: str | None) -> ToolResult:
        crew = self._crews.get(lane)
        if crew is None or not crew.serves(turn) or not crew.helpers:
            return failed(f"There are no helpers in this turn; {SPAWN_AGENT} starts one.")
        wanted = [crew.find(name)] if name is not None else list(crew.helpers.values())
        helpers = [helper for helper in wanted if helper is not None]
        if not helpers:
            return failed(f"There is no helper {quoted(name)}; there are {listed(list(crew.helpers))}.")
        if not _news(helpers, named=name is not None):
            await self._any_ended([helper for helper in helpers if not helper.over])
        return _told(helpers, _news(helpers, named=name is not None))

    async def _any_ended(self, helpers: Sequence[Helper]) -> None:
        """Wait for the first that ends, but not for long."""
        if not helpers:
            return
        async with asyncio.TaskGroup() as tasks:
            waits = [tasks.create_task(helper.ended.wait()) for helper in helpers]
            alarm = tasks.create_task(self._clock.sleep(PATIENCE))
            await asyncio.wait({*waits, alarm}, return_when=asyncio.FIRST_COMPLETED)
            for task in (*waits, alarm):
                task.cancel()

    def _crew(self, lane: str, turn: Turn) -> Crew:
        """The helpers of this attempt at this turn; those of an earlier one are let go."""
        crew = self._crews.get(lane)
        if crew is None or not crew.serves(turn):
            self.dismiss(lane)
            crew = self._crews[lane] = Crew(turn)
        return crew

    def _runtime(self, name: str) -> str:
        if name not in self._runtimes:
            known = listed(sorted(self._runtimes))
            raise NotPossible(f"There is no runtime {quoted(name)}; there are {known}.")
        return name

    def _assignment(self, wish: Wish, errand: Errand, crew: Crew, current_turn: CurrentTurn) -> Assignment:
        def same_turn() -> Turn | None:
            turn = current_turn()
            return turn if crew.serves(turn) else None

        tools = HelperToolBox(
            key=helper_key(wish.lane, errand.number),
            name=errand.name,
            group=wish.group,
            current_turn=same_turn,
            projects=self._projects,
            lookups=self._lookups,
            writing=self._writing,
            clock=self._clock,
        )
        return Assignment(
            lane=wish.lane,
            number=errand.number,
            group=wish.group,
            runtime=errand.runtime,
            folder=errand.folder,
            tools=tools,
            current_turn=same_turn,
        )


class _Numbers:
    """Of the helpers of each lane that are not gone yet."""

    def __init__(self) -> None:
        self._taken: dict[str, set[int]] = {}

    def take(self, lane: str) -> int:
        taken = self._taken.setdefault(lane, set())
        number = next(number for number in range(1, len(taken) + 2) if number not in taken)
        taken.add(number)
        return number

    def free(self, lane: str, number: int) -> None:
        self._taken[lane].discard(number)
        if not self._taken[lane]:
            del self._taken[lane]


def _news(helpers: Sequence[Helper], *, named: bool) -> list[Helper]:
    """Whose result is given now: the one that was named, else all that have not been told."""
    return [helper for helper in helpers if helper.over and (named or not helper.told)]


def _told(helpers: Sequence[Helper], news: Sequence[Helper]) -> ToolResult:
    for helper in news:
        helper.told = True
    working = [helper for helper in helpers if not helper.over]
    results = [f"{quoted(each.name)} {_HOW[each.stage]}\n\n{each.result}" for each in news]
    rest = [helper.standing() for helper in working]
    if working:
        rest.append(f"Call {AWAIT_AGENT} again.")
    elif not news:
        rest.append("All helpers have ended, and you have all their results.")
    return ToolResult(
        text="\n\n".join([*results, "\n".join(rest)]).strip(),
        data={"helpers": [{"name": each.name, "status": each.stage.value} for each in helpers]},
        failed=len(news) == len(helpers) and all(each.stage is Stage.FAILED for each in news),
    )


_HOW = {Stage.DONE: "is done:", Stage.FAILED: "gives no result:"}


def _spawned(helper: Helper, *, waits: bool) -> ToolResult:
    if waits:
        text = (
            f"A person must allow {quoted(helper.name)} first; they have been asked. Call {AWAIT_AGENT}: when"
            " you end your turn, the question is withdrawn."
        )
    else:
        text = f"{quoted(helper.name)} has begun. {AWAIT_AGENT} gives its result; until then you can go on."
    return ToolResult(text=text, data={"name": helper.name, "status": "pending" if waits else "started"})
