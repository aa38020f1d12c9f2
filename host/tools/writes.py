"""Carrying out a write by name: the operations of the kernel, and the few that are the host's own."""

from collections.abc import Mapping
from typing import Any, Protocol
from uuid import UUID

from bridges.messages import Content, Markup
from demarch.calls import parse
from demarch.errors import NotPossible
from demarch.kernel import Outcome
from demarch.operations import OPERATIONS
from demarch.projects import Projects
from host.outgoing.outbox import Outbox, PostKind
from host.people.registry import Group, Registry, RegistryError
from host.phrases import one_line, quoted
from host.tools.routing_reviews import ReviewRoutes
from storage import sql
from storage.database import Connection, Database

SEND_MESSAGE = "send_message"
REGISTER_GROUP = "register_group"
SPAWN_AGENT = "spawn_agent"
ROUTE_REVIEW = "route_review"

_SQL = sql.load("host", "intents")


class Registrar(Protocol):
    """Registers a chat as a new group, on record."""

    async def add_group(
        self, address: str, folder: str, *, title: str, trigger_required: bool, actor: str
    ) -> Group: ...


class OtherWrites(Protocol):
    """Writes of another part of the host, by operations of its own."""

    def has(self, operation: str) -> bool: ...

    async def perform(self, operation: str, arguments: Mapping[str, Any], key: str) -> Outcome:
        """Once per key. Raises DemarchError."""
        ...

    async def written(self, operation: str, arguments: Mapping[str, Any], key: str) -> Outcome | None:
        """What the write with this key did, None when it did not happen. Raises DemarchError."""
        ...


class Writes:
    """Executes once per key, whichever operation it is."""

    def __init__(
        self,
        *,
        projects: Projects,
        database: Database,
        outbox: Outbox,
        registry: Registry,
        registrar: Registrar,
        reviews: ReviewRoutes,
        others: OtherWrites | None = None,
    ) -> None:
        self._projects = projects
        self._database = database
        self._outbox = outbox
        self._registry = registry
        self._registrar = registrar
        self._reviews = reviews
        self._others = others

    async def perform(
        self, operation: str, arguments: Mapping[str, Any], *, project: str, actor: str, key: str
    ) -> Outcome:
        """`project` is the key of the kernel's project. Raises DemarchError."""
        if operation in OPERATIONS:
            kernel = self._projects.of(project)
            return await kernel.write(parse(operation, arguments), actor=actor, key=key)
        if operation == REGISTER_GROUP:
            return await self._register(arguments, actor)
        if operation == ROUTE_REVIEW:
            return await self._reviews.send(arguments, project=project, slot=_slot(key))
        if self._others is not None and self._others.has(operation):
            return await self._others.perform(operation, arguments, key)
        if operation != SEND_MESSAGE:
            raise NotPossible(f"{one_line(operation, 60)} cannot be done here.")
        async with self._database.transaction() as conn:
            return await self.say(conn, arguments, key)

    async def written(
        self, operation: str, arguments: Mapping[str, Any], key: str, *, project: str
    ) -> Outcome | None:
        """What the write with this key did, None when it certainly did not happen. Raises DemarchError."""
        if operation in OPERATIONS:
            return await self._projects.of(project).written(key)
        if operation in (SEND_MESSAGE, ROUTE_REVIEW) and await self._database.fetchval(
            _SQL["intents.slot_taken"], _slot(key)
        ):
            return Outcome(text="The message is on its way.", data={})
        if self._others is not None and self._others.has(operation):
            return await self._others.written(operation, arguments, key)
        return None

    async def say(
        self,
        conn: Connection,
        arguments: Mapping[str, Any],
        key: str,
        turn: UUID | None = None,
        sender: str = "",
    ) -> Outcome:
        """Post a message of the agent in the caller's transaction. The slot makes it one message per key.

        `sender` is the name of a helper that says it.
        """
        address = str(arguments["to"])
        group = self._registry.group_of(address)
        if group is None:
            raise NotPossible(f"The chat {one_line(address, 80)} is not registered.")
        await self._outbox.put(
            conn,
            address=address,
            kind=PostKind.ANSWER,
            content=Content(text=str(arguments["text"]), markup=Markup.MARKDOWN, sender=sender),
            folder=group.folder,
            slot=_slot(key),
            turn=turn,
        )
        return Outcome(
            text=f"The message to {quoted(group.title or group.folder)} is on its way.", data={"to": address}
        )

    def wake(self, operation: str, arguments: Mapping[str, Any]) -> None:
        """After the commit."""
        if operation == SEND_MESSAGE:
            self._outbox.wake(str(arguments["to"]))

    async def _register(self, arguments: Mapping[str, Any], actor: str) -> Outcome:
        address, folder = str(arguments["address"]), str(arguments["folder"])
        known = self._registry.group(folder)
        if known is None or address not in known.addresses:
            try:
                await self._registrar.add_group(
                    address,
                    folder,
                    title=one_line(arguments.get("title", ""), 80),
                    trigger_required=bool(arguments.get("trigger_required", True)),
                    actor=actor,
                )
            except RegistryError as error:
                raise NotPossible(str(error)) from error
        return Outcome(text=f"The chat {address} is registered as {folder}.", data={"folder": folder})


def _slot(key: str) -> str:
    return f"said:{key}"
