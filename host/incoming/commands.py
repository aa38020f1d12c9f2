"""Slash commands: answered by the host itself, never by a model."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from bridges.messages import ChatMessage, Content
from host.incoming.help import help_text, unregistered
from host.incoming.models import Model, choose, listing
from host.incoming.reception import COMMAND
from host.people.registry import Group, Registry, Role
from host.phrases import one_line

StatusPage = Callable[[str], Awaitable[Content]]  #: folder to one screen of what goes on


class Cards(Protocol):
    """The desk, as far as commands need it."""

    async def relist(self, address: str, person: str) -> None:
        """Put a card of its own for each open approval, or say that there is none."""
        ...


class Claims(Protocol):
    """Takes the codes that make their bearer the owner."""

    async def claim(self, person: str, name: str, address: str, private: bool, code: str) -> str:
        """Try a code; the sentence to answer."""
        ...


class Conversations(Protocol):
    """The lanes, as far as commands need them."""

    async def stop_turn(self, lane: str) -> bool: ...

    @property
    def talking(self) -> frozenset[str]: ...

    async def reset(self, lane: str, group: Group) -> str: ...

    def switching(self, folder: str) -> AbstractAsyncContextManager[None]: ...


class Choices(Protocol):
    """Changes who answers in a group, on record."""

    async def set_model(self, folder: str, runtime: str, model: str, *, actor: str) -> Group: ...


class Quiet(Protocol):
    """How much news a group hears: folder, what was written behind the command, who wrote it."""

    async def mute(self, folder: str, argument: str, person: str) -> Content: ...

    async def unmute(self, folder: str, argument: str, person: str) -> Content: ...

    async def digest(self, folder: str, argument: str, person: str) -> Content: ...


#: group, chat, person and what was written behind the command; None when a card says it
DiscoveriesPage = Callable[[Group, str, str, str], Awaitable[Content | None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One command somebody gave."""

    message: ChatMessage
    argument: str
    group: Group | None
    role: Role | None

    @property
    def registered(self) -> Group:
        if self.group is None:
            raise LookupError("the chat is not registered")
        return self.group

    @property
    def lane(self) -> str:
        return self.registered.lane_of(self.message.address)


Handler = Callable[[Request], Awaitable[Content | None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One row of the table: who may, and what happens."""

    handler: Handler
    least: Role | None = None  #: the least role that may; None lets everybody, also in unregistered chats


class Commands:
    """The table of commands."""

    def __init__(
        self,
        *,
        registry: Registry,
        choices: Choices,
        lanes: Conversations,
        cards: Cards,
        claims: Claims,
        status: StatusPage,
        spend: StatusPage,
        quiet: Quiet,
        discoveries: DiscoveriesPage,
        models: Sequence[Model],
        name: str,
    ) -> None:
        self._registry = registry
        self._choices = choices
        self._lanes = lanes
        self._cards = cards
        self._claims = claims
        self._status = status
        self._spend = spend
        self._quiet = quiet
        self._discoveries = discoveries
        self._models = models
        self._name = name
        self.table: Mapping[str, Command] = {
            "start": Command(handler=self._start),
            "help": Command(handler=self._help),
            "chatid": Command(handler=self._chatid),
            "ping": Command(handler=self._ping),
            "claim": Command(handler=self._claim),
            "status": Command(handler=self._show_status, least=Role.VIEWER),
            "spend": Command(handler=self._show_spend, least=Role.VIEWER),
            "approvals": Command(handler=self._approvals, least=Role.VIEWER),
            "discoveries": Command(handler=self._show_discoveries, least=Role.VIEWER),
            "mute": Command(handler=self._mute, least=Role.APPROVER),
            "unmute": Command(handler=self._unmute, least=Role.APPROVER),
            "digest": Command(handler=self._digest, least=Role.APPROVER),
            "stop": Command(handler=self._stop, least=Role.MEMBER),
            "reset": Command(handler=self._reset, least=Role.MEMBER),
            "new": Command(handler=self._reset, least=Role.MEMBER),
            "model": Command(handler=self._model, least=Role.APPROVER),
        }

    async def answer(self, message: ChatMessage) -> Content | None:
        """What to say to a message that begins with a command; None for one that is not ours."""
        found = COMMAND.match(message.text.lstrip())
        command = self.table.get(found[1].lower()) if found else None
        if found is None or command is None or found[2]:  # what still names a bot is for another one
            return None
        group = self._registry.group_of(message.address)
        request = Request(
            message=message,
            argument=message.text.lstrip()[found.end() :].strip(),
            group=group,
            role=None if group is None else self._registry.role(group.folder, message.sender.address),
        )
        return self._refusal(request, found[1].lower(), command.least) or await command.handler(request)

    def _refusal(self, request: Request, name: str, least: Role | None) -> Content | None:
        if least is None:
            return None
        if request.group is None:
            return Content(text=unregistered(request.message.address, private=request.message.private))
        if request.role is not None and request.role.includes(least):
            return None
        title = one_line(request.group.title or request.group.folder)
        yours = f"you are {request.role.value}" if request.role else "you have no role"
        return Content(
            text=f"Not done: /{name} needs at least the role {least.value} in “{title}”, and {yours} here. "
            "An owner can change that."
        )

    async def _start(self, request: Request) -> Content:
        if request.group is None:
            return Content(text=unregistered(request.message.address, private=request.message.private))
        hello = f"I am {self._name}. Write to me as to a colleague; what is grave I ask about first."
        return Content(text=f"{hello}\n\n{self._help_for(request)}", headline=False)

    async def _help(self, request: Request) -> Content:
        return Content(text=self._help_for(request))

    def _help_for(self, request: Request) -> str:
        if request.group is None:
            return unregistered(request.message.address, private=request.message.private)
        required = request.group.trigger_required and not request.group.main
        return help_text(self._name, request.role, trigger_required=required)

    async def _chatid(self, request: Request) -> Content:
        message = request.message
        group = f" It belongs to the group “{request.group.folder}”." if request.group else ""
        return Content(text=f"This chat is {message.address}, you are {message.sender.address}.{group}")

    async def _ping(self, request: Request) -> Content:
        del request
        return Content(text="pong")

    async def _claim(self, request: Request) -> Content:
        message = request.message
        if not request.argument:
            return Content(text="Write /claim and the code that the host printed when it started.")
        person = message.sender
        words = await self._claims.claim(
            person.address, person.name, message.address, message.private, request.argument
        )
        return Content(text=words)

    async def _show_status(self, request: Request) -> Content:
        return await self._status(request.registered.folder)

    async def _show_spend(self, request: Request) -> Content:
        return await self._spend(request.registered.folder)

    async def _approvals(self, request: Request) -> None:
        await self._cards.relist(request.message.address, request.message.sender.address)

    async def _show_discoveries(self, request: Request) -> Content | None:
        return await self._discoveries(
            request.registered, request.message.address, _giver(request), request.argument
        )

    async def _mute(self, request: Request) -> Content:
        return await self._quiet.mute(request.registered.folder, request.argument, _giver(request))

    async def _unmute(self, request: Request) -> Content:
        return await self._quiet.unmute(request.registered.folder, request.argument, _giver(request))

    async def _digest(self, request: Request) -> Content:
        return await self._quiet.digest(request.registered.folder, request.argument, _giver(request))

    async def _stop(self, request: Request) -> Content:
        stopped = await self._lanes.stop_turn(request.lane)
        text = "Stopping; what has been said so far stays." if stopped else "Nothing runs here at the moment."
        return Content(text=text)

    async def _reset(self, request: Request) -> Content:
        kept = await self._lanes.reset(request.lane, request.registered)
        words = "A new conversation begins; the agent remembers nothing of the earlier one."
        return Content(text=f"{words} That one is kept as {kept}." if kept else words)

    async def _model(self, request: Request) -> Content:
        group = request.registered
        allowed = group.profile.models
        if not request.argument:
            return Content(text=listing(self._models, group.runtime, group.model, allowed=allowed))
        chosen = choose(self._models, request.argument, runtime=group.runtime, allowed=allowed)
        if isinstance(chosen, str):
            return Content(text=chosen)
        if chosen.serves(group.runtime, group.model):
            return Content(text=f"{chosen.name} answers here already; nothing was changed.")
        async with self._lanes.switching(group.folder):
            await self._choices.set_model(group.folder, chosen.runtime, chosen.model, actor=_giver(request))
        words = f"From now on {one_line(chosen.name)} answers here; it knows what was said."
        if request.lane in self._lanes.talking:
            words += " What is being answered now is finished first."
        return Content(text=words)


def _giver(request: Request) -> str:
    return request.message.sender.address
