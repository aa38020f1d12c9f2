"""The tools of a helper: it may read, and say something in its chat under its own name. It has no helpers."""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from container.agent import ToolDeclaration, ToolResult
from demarch.calls import PREFIX
from demarch.operations import OPERATIONS, Access
from demarch.projects import Projects
from host.conversation.turns import Turn
from host.people.registry import Group
from host.phrases import one_line
from host.record.audit_chain import plain
from host.tools.lookups import Lookups
from host.tools.offered import offered_operations
from host.tools.own_tools import declare_own, parse_own
from host.tools.policy import NO_TURN
from host.tools.toolbox import LARGEST, TOO_MANY_WRITES, WRITES_A_MINUTE, Pace, answered, failed, size_of
from host.tools.writes import SEND_MESSAGE
from host.tools.writing import Wish, Writing
from storage.clock import Clock

READS_ONLY = "A helper only reads; say in your result what should be changed."


class HelperToolBox:
    """Implements `container.agent.ToolBox` for one helper."""

    def __init__(
        self,
        *,
        key: str,
        name: str,
        group: Group,
        current_turn: Callable[[], Turn | None],
        projects: Projects,
        lookups: Lookups,
        writing: Writing,
        clock: Clock,
    ) -> None:
        self._key = key
        self._name = name
        self._group = group
        self._current_turn = current_turn
        self._projects = projects
        self._lookups = lookups
        self._writing = writing
        self._clock = clock
        self._writes = Pace(WRITES_A_MINUTE, deque())

    def declarations(self) -> Sequence[ToolDeclaration]:
        reads = offered_operations(self._projects, self._group, writes=False)
        return (*reads, *declare_own(main=False))

    async def call(self, name: str, arguments: Mapping[str, Any]) -> ToolResult:
        return await answered(self._key, name, self._call(name, arguments))

    async def _call(self, name: str, arguments: Mapping[str, Any]) -> ToolResult:
        if size_of(arguments) > LARGEST:
            return failed(f"The arguments are larger than {LARGEST // 1024} KB.")
        operation = OPERATIONS.get(name.removeprefix(PREFIX)) if name.startswith(PREFIX) else None
        if operation is None and name != SEND_MESSAGE:
            return failed(f"There is no tool {one_line(name, 60)!r}.")
        if operation is not None and operation.access is Access.READ:
            outcome = await self._lookups.read(self._group, name, arguments)
            return ToolResult(text=outcome.text, data=outcome.data)
        if not self._writes.take(self._clock.now()):
            return failed(TOO_MANY_WRITES)
        if operation is not None:
            return await self._writing.refuse(self._wish(operation.name, arguments), READS_ONLY)
        return await self._send(arguments)

    async def _send(self, arguments: Mapping[str, Any]) -> ToolResult:
        wish = self._wish(SEND_MESSAGE, arguments)
        if wish.turn is None:
            return await self._writing.refuse(wish, NO_TURN)
        if arguments.get("to") not in (None, "", wish.turn.address):
            return await self._writing.refuse(wish, "A helper's message may go to this chat only.")
        meant = parse_own(SEND_MESSAGE, {**arguments, "to": wish.turn.address})
        return await self._writing.execute(wish.meaning(meant), wish.turn)

    def _wish(self, operation: str, arguments: Mapping[str, Any]) -> Wish:
        return Wish(
            lane=self._key,
            group=self._group,
            turn=self._current_turn(),
            operation=operation,
            arguments=plain(dict(arguments)),
            sender=self._name,
        )
