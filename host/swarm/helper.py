"""One helper, from the wish to its result; also the ear that hears what it says and does."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from xml.sax.saxutils import escape

from bridges.splitting import shorten
from container.agent import Permission, PermissionRequest, StopReason
from host.conversation.answers import visible
from host.conversation.turns import Turn
from host.phrases import one_line, quoted

LONGEST = 20_000  #: UTF-16 units of a result
_CUT = "\n\n(It ran into a limit of its own and stopped here.)"
_HEARD = 200_000  #: characters of one helper that are kept

#: how the group's agents' own requests are decided
Permit = Callable[[Turn, PermissionRequest], Awaitable[Permission]]


class Stage(StrEnum):
    ASKING = "asking"  #: a person decides whether it may start
    STARTING = "starting"
    WORKING = "working"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """What a helper is for."""

    name: str
    task: str
    runtime: str
    folder: str
    number: int
    turn: Turn  #: as it was when the helper was asked for


class Helper:
    """Implements `TurnEvents` for its one prompt."""

    def __init__(self, errand: Errand, permit: Permit) -> None:
        self.errand = errand
        self.stage = Stage.STARTING
        self.result = ""
        self.ended = asyncio.Event()
        self.told = False  #: its caller has been given the result
        self._permit = permit
        self._pieces: list[str] = []
        self._length = 0
        self._doing: dict[str, str] = {}

    @property
    def name(self) -> str:
        return self.errand.name

    @property
    def over(self) -> bool:
        return self.ended.is_set()

    def text(self, chunk: str) -> None:
        room = _HEARD - self._length
        self._length += len(chunk)
        if room > 0 and chunk:
            self._pieces.append(chunk[:room])

    def tool(self, call_id: str, title: str, *, finished: bool, kind: str = "other") -> None:
        del kind
        if self._pieces and not self._pieces[-1].endswith("\n"):
            self.text("\n\n")  # before a tool and after it are two paragraphs
        if finished:
            self._doing.pop(call_id, None)
        elif len(self._doing) < 100:
            self._doing[call_id] = title

    async def permission(self, request: PermissionRequest) -> Permission:
        """Decided like the caller's own requests; people read who asks."""
        named = replace(request, title=f"{quoted(self.name, 40)}: {request.title}")
        return await self._permit(self.errand.turn, named)

    def finish(self, stop: StopReason) -> None:
        """It has answered."""
        said = self.said()
        if stop is StopReason.CANCELLED:
            self.fail("It was stopped.")
        elif stop is StopReason.REFUSED and not said:
            self.fail("Its model declined the task.")
        elif not said:
            self.fail("It ended without saying anything.")
        else:
            self._end(Stage.DONE, f"{said}{_CUT}" if stop is StopReason.LIMIT else said)

    def fail(self, reason: str) -> None:
        """It gives no result; what it said so far is better than nothing."""
        said = self.said()
        self._end(Stage.FAILED, f"{reason} It had said:\n\n{said}" if said else reason)

    def said(self) -> str:
        return shorten(visible("".join(self._pieces)), LONGEST)

    def standing(self) -> str:
        """One line on how it goes."""
        if self.stage is Stage.ASKING:
            return f"{quoted(self.name)} waits for a person to allow it."
        if self.stage is Stage.STARTING:
            return f"{quoted(self.name)} is being started."
        doing = one_line(next(reversed(self._doing.values()), ""), 80).rstrip(".…")
        return f"{quoted(self.name)} works{f': {doing}' if doing else ''}…"

    def _end(self, stage: Stage, result: str) -> None:
        if not self.over:
            self.stage, self.result = stage, result
            self.ended.set()


def prompt(errand: Errand) -> str:
    """What the helper is told: the task in the form in which agents are told everything."""
    where = f" Your folder is {errand.folder}, below the group's workspace." if errand.folder else ""
    return (
        f"You are {errand.name}, a helper of another agent, which gave you the task below and waits for"
        f" your result.{where} What you say last goes to that agent and to nobody else: make it whole and"
        " short, it has not seen what you did. Nobody answers questions: decide yourself, and say what you"
        " assumed."
        f'\n\n<messages><message sender="the agent you help">{escape(errand.task)}</message></messages>'
    )
