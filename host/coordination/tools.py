"""The tools of coordination: who a container is there says its socket; what others wrote taints the turn."""

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from container.agent import ToolDeclaration, ToolResult
from demarch.errors import InvalidCall, NotPossible
from host.conversation.turns import Turn
from host.coordination import telling
from host.coordination.addressing import Addressing
from host.coordination.calls import CHECK, INBOX, SEND, TOOLS, WRITES, Check, Inbox, parse, read
from host.coordination.conflicts import told
from host.coordination.declared import declare
from host.coordination.deeds import pinned
from host.coordination.identity import Me, Whereabouts
from host.coordination.marks import Marks
from host.coordination.port import Coordination
from host.people.registry import Group
from host.phrases import listed, quoted
from host.record.audit_chain import plain
from host.tools.others_words import marked, marked_up
from host.tools.policy import Ruling, may_write, offers_writes
from host.tools.toolbox import TOO_MANY_WRITES, WRITES_A_MINUTE, CurrentTurn, Pace, failed
from host.tools.writing import Wish, Writing
from storage.clock import Clock

NO_TURN = "There is no running turn this call belongs to, so nothing that others wrote is shown."
LANES = 10_000  #: whose pace is remembered


class Tainting(Protocol):
    """Whoever runs the turns."""

    async def taint(self, turn: Turn) -> None:
        """Count the turn as tainted from now on."""
        ...


class CoordinationTools:
    """Implements `host.tools.toolbox.MoreTools`."""

    def __init__(
        self,
        *,
        coordination: Coordination,
        whereabouts: Whereabouts,
        addressing: Addressing,
        writing: Writing,
        tainting: Tainting,
        marks: Marks,
        clock: Clock,
    ) -> None:
        self._coordination = coordination
        self._whereabouts = whereabouts
        self._addressing = addressing
        self._writing = writing
        self._tainting = tainting
        self._marks = marks
        self._clock = clock
        self._paces: dict[str, Pace] = {}

    def offered(self, group: Group) -> Sequence[ToolDeclaration]:
        return declare(writes=offers_writes(group))

    def has(self, name: str) -> bool:
        return name in TOOLS

    async def call(
        self, lane: str, group: Group, current_turn: CurrentTurn, name: str, arguments: Mapping[str, Any]
    ) -> ToolResult:
        me, turn = self._whereabouts.me(lane, group), current_turn()
        if name in WRITES:
            return await self._write(me, lane, group, turn, name, arguments)
        if turn is None:
            return failed(NO_TURN)
        await self._coordination.arrive(me)
        if name == INBOX:
            return await self._inbox(me, turn, read(Inbox, name, arguments))
        asked = read(Check, CHECK, arguments)
        return await (self._conflicts(me, turn, asked) if asked.paths else self._overview(me, turn))

    async def _write(
        self,
        me: Me,
        lane: str,
        group: Group,
        turn: Turn | None,
        name: str,
        arguments: Mapping[str, Any],
    ) -> ToolResult:
        if not self._pace(lane).take(self._clock.now()):
            return failed(TOO_MANY_WRITES)
        wish = Wish(lane=lane, group=group, turn=turn, operation=name, arguments=plain(dict(arguments)))
        tainted = turn is None or turn.tainted
        judgement = may_write(group, confirm=False, running=turn is not None, tainted=tainted)
        if judgement.ruling is Ruling.REFUSED or turn is None:
            return await self._writing.refuse(wish, judgement.reason)
        try:
            wish = wish.meaning(pinned(me, await self._meant(me, name, arguments)))
        except (InvalidCall, NotPossible) as error:
            return await self._writing.refuse(wish, str(error))
        if judgement.ruling is Ruling.CONFIRM:
            return await self._writing.ask(wish, turn)
        result = await self._writing.execute(wish, turn)
        return await self._others(turn, result) if result.data.get("untrusted") else result

    async def _meant(self, me: Me, name: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """As it is put on record: with the ids of those it is for, whatever they are called later."""
        meant = parse(name, arguments)
        if name == SEND:
            for member in ("to", "cc"):
                if member in meant:
                    meant[member] = await self._addressing.ids(me, meant[member])
        return meant

    async def _inbox(self, me: Me, turn: Turn, asked: Inbox) -> ToolResult:
        if asked.acknowledge:
            await self._coordination.acknowledge(me, list(dict.fromkeys(asked.acknowledge)))
        since = await self._marks.since(me, turn) if asked.since is None else asked.since
        page = await self._coordination.inbox(me, since, asked.limit)
        letters = telling.fitting(page.letters)
        cursor = page.cursor if len(letters) == len(page.letters) else letters[-1].cursor
        more = len(letters) < len(page.letters) or len(letters) == asked.limit
        data = {"cursor": cursor, "messages": [letter.id for letter in letters], "more": more}
        if not letters:
            return ToolResult(text="There is nothing new in your inbox.", data=data)
        if any(letter.sender != me.agent for letter in letters):
            await self._tainting.taint(turn)
        if asked.since is None:
            await self._marks.advance(me, turn, since, cursor)
        await self._coordination.read(me, [letter.id for letter in letters])
        rest = "\nThere may be more: look again." if more else ""
        return ToolResult(text=marked_up(telling.letters(letters)) + rest, data=data)

    async def _conflicts(self, me: Me, turn: Turn, asked: Check) -> ToolResult:
        conflicts = await self._coordination.conflicts(me, asked.paths, exclusive=not asked.shared)
        if not conflicts:
            paths = listed([quoted(path, 200) for path in asked.paths], 20)
            return ToolResult(text=f"Nobody stands in the way of {paths}.", data={"free": True})
        result = ToolResult(text=told(conflicts, self._clock.now()), data={"free": False})
        return await self._others(turn, result)

    async def _overview(self, me: Me, turn: Turn) -> ToolResult:
        now = self._clock.now()
        fellows = [each for each in await self._coordination.fellows(me.project) if each.agent != me.agent]
        held = await self._coordination.holdings(me.project)
        others = [each for each in held if each.agent != me.agent]
        mine = telling.own([each for each in held if each.agent == me.agent], now)
        you = f"You are {me.agent} in the project {quoted(me.project)}. {mine}"
        data = {"agents": len(fellows), "reservations": len(others)}
        if not fellows and not others:
            return ToolResult(text=f"{you} There is nobody else.", data=data)
        parts = [
            f"Agents:\n{telling.people(fellows, now)}" if fellows else "",
            f"Held by them:\n{telling.holdings(others, now)}" if others else "",
        ]
        marked_words = await self._others(turn, ToolResult(text="\n".join(filter(None, parts)), data=data))
        return ToolResult(text=f"{you}\n{marked_words.text}", data=data)

    async def _others(self, turn: Turn, result: ToolResult) -> ToolResult:
        """What others wrote counts from before it is read."""
        await self._tainting.taint(turn)
        return ToolResult(text=marked(result.text), data=result.data, failed=result.failed)

    def _pace(self, lane: str) -> Pace:
        if len(self._paces) >= LANES:
            self._paces.clear()
        return self._paces.setdefault(lane, Pace(WRITES_A_MINUTE, deque()))
