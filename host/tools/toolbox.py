"""The tools of one lane's agent: every call is parsed, judged, put on record, and only then executed."""

import json
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Protocol

import structlog

from container.agent import ToolDeclaration, ToolResult
from demarch.calls import PREFIX, parse
from demarch.errors import DemarchError, InvalidCall, NotPossible
from demarch.operations import OPERATIONS, Access, Call
from demarch.projects import Projects
from host.conversation.turns import Turn
from host.people.registry import Group, Registry
from host.phrases import one_line, sentence
from host.record.audit_chain import plain
from host.tools.lookups import Lookups
from host.tools.offered import check_offered, offered_operations
from host.tools.own_tools import declare_own, is_own, parse_own
from host.tools.policy import Judgement, Ruling, may, may_register, may_route, may_send, offers_writes
from host.tools.writes import ROUTE_REVIEW, SEND_MESSAGE
from host.tools.writing import Wish, Writing
from storage.clock import Clock

log = structlog.get_logger()

CurrentTurn = Callable[[], Turn | None]

LARGEST = 256 * 1024  #: bytes of one call's arguments
WRITES_A_MINUTE = 60
TOO_MANY_WRITES = f"There were {WRITES_A_MINUTE} writes in the last minute, which is the most; wait a moment."


@dataclass(slots=True)
class Pace:
    """How many calls were made lately."""

    most: int
    times: deque[datetime]

    def take(self, now: datetime) -> bool:
        while self.times and now - self.times[0] >= timedelta(minutes=1):
            self.times.popleft()
        if len(self.times) >= self.most:
            return False
        self.times.append(now)
        return True


class MoreTools(Protocol):
    """Tools of another part of the host, offered beside the lane's own."""

    def offered(self, group: Group) -> Sequence[ToolDeclaration]: ...

    def has(self, name: str) -> bool: ...

    async def call(
        self, lane: str, group: Group, current_turn: CurrentTurn, name: str, arguments: Mapping[str, Any]
    ) -> ToolResult:
        """Raises DemarchError."""
        ...


class LaneToolBox:
    """Implements `container.agent.ToolBox`. Which lane is calling is decided by whose box this is."""

    def __init__(
        self,
        *,
        lane: str,
        current_turn: CurrentTurn,
        projects: Projects,
        registry: Registry,
        lookups: Lookups,
        writing: Writing,
        clock: Clock,
        more: MoreTools,
    ) -> None:
        self._lane = lane
        self._folder = lane.partition("/")[0]
        self._current_turn = current_turn
        self._projects = projects
        self._registry = registry
        self._lookups = lookups
        self._writing = writing
        self._clock = clock
        self._more = more
        self._writes = Pace(WRITES_A_MINUTE, deque())

    def declarations(self) -> Sequence[ToolDeclaration]:
        """What this group may use; what it may not, or its kernel cannot do, is not offered."""
        group = self._registry.group(self._folder)
        if group is None:
            return ()
        offered = offered_operations(self._projects, group, writes=offers_writes(group))
        return (*offered, *declare_own(main=group.main), *self._more.offered(group))

    async def call(self, name: str, arguments: Mapping[str, Any]) -> ToolResult:
        """Answer a call of the agent; whatever is wrong with it is a failed result in words."""
        return await answered(self._lane, name, self._call(name, arguments))

    async def _call(self, name: str, arguments: Mapping[str, Any]) -> ToolResult:
        group = self._registry.group(self._folder)
        if group is None:
            return failed("This group is not registered any more.")
        if size_of(arguments) > LARGEST:
            return failed(f"The arguments are larger than {LARGEST // 1024} KB.")
        if is_own(name):
            return await self._own(group, name, arguments)
        if self._more.has(name):
            return await self._more.call(self._lane, group, self._current_turn, name, arguments)
        if not name.startswith(PREFIX):
            return failed(f"There is no tool {one_line(name, 60)!r}.")
        return await self._operation(group, name, arguments)

    async def _operation(self, group: Group, name: str, arguments: Mapping[str, Any]) -> ToolResult:
        turn = self._current_turn()
        operation = OPERATIONS.get(name.removeprefix(PREFIX))
        if operation is not None and operation.access is Access.WRITE:
            # Judged before the parameters are read: what a group may not do it learns nothing about.
            judgement = may(group, operation, running=turn is not None, tainted=turn is None or turn.tainted)
            read = partial(_parse_operation, self._projects, group)
            return await self._write(group, turn, operation.name, arguments, judgement, read)
        outcome = await self._lookups.read(group, name, arguments, lane=self._lane)
        return ToolResult(text=outcome.text, data=outcome.data)

    async def _own(self, group: Group, name: str, arguments: Mapping[str, Any]) -> ToolResult:
        turn = self._current_turn()
        tainted = turn is None or turn.tainted
        if name != SEND_MESSAGE:
            judge = may_route if name == ROUTE_REVIEW else may_register
            judgement = judge(group, running=turn is not None, tainted=tainted)
            return await self._write(group, turn, name, arguments, judgement, parse_own)
        here = turn.address if turn else ""
        to = str(arguments.get("to") or here)
        target = self._registry.group_of(to)
        judgement = may_send(
            group,
            own_chat=to == here or (target is not None and target.folder == group.folder),
            known=target is not None,
            running=turn is not None,
            tainted=tainted,
        )
        return await self._write(group, turn, name, {**arguments, "to": to}, judgement, parse_own)

    async def _write(
        self,
        group: Group,
        turn: Turn | None,
        operation: str,
        arguments: Mapping[str, Any],
        judgement: Judgement,
        read: Callable[[str, Mapping[str, Any]], dict[str, Any]],
    ) -> ToolResult:
        if not self._writes.take(self._clock.now()):
            return failed(TOO_MANY_WRITES)  # not even on record: a refusal is a row as well
        wish = Wish(
            lane=self._lane, group=group, turn=turn, operation=operation, arguments=plain(dict(arguments))
        )
        if judgement.ruling is Ruling.REFUSED or turn is None:
            return await self._writing.refuse(wish, judgement.reason)
        try:
            wish = wish.meaning(read(operation, arguments))
        except (InvalidCall, NotPossible) as error:
            return await self._writing.refuse(wish, str(error))
        if judgement.ruling is Ruling.CONFIRM:
            return await self._writing.ask(wish, turn)
        return await self._writing.execute(wish, turn)


async def answered(lane: str, name: str, call: Awaitable[ToolResult]) -> ToolResult:
    """The result of a call; what is wrong with it is a failed result, and so is a fault of ours."""
    try:
        return await call
    except DemarchError as error:
        return failed(str(error))
    except Exception:  # the agent is told, the reason is ours to read
        log.exception("tool.failed", lane=lane, tool=one_line(name, 60))
        return failed(f"{one_line(name, 60)} could not be done because of an internal fault; it is logged.")


def failed(text: str) -> ToolResult:
    return ToolResult(text=sentence(text, 2000), data={"status": "failed"}, failed=True)


def _parse_operation(
    projects: Projects, group: Group, name: str, arguments: Mapping[str, Any]
) -> dict[str, Any]:
    check_offered(projects, group, name)
    return plain_arguments(parse(name, arguments))


def plain_arguments(call: Call) -> dict[str, Any]:
    """The parameters as JSON, without what was not given: parsed again they are the same call."""
    return call.params.model_dump(mode="json", exclude_unset=True)


def size_of(arguments: Mapping[str, Any]) -> int:
    return len(json.dumps(arguments, default=str).encode("utf-8", "surrogatepass"))
