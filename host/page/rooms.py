"""The rooms a person sees on the page. Implements `bridges.web.port.Rooms` on what the host has stored."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from uuid import UUID

from bridges.web.port import Change, Item, NoSuchRoom, Room, Side
from demarch.kernel import DemarchError, Run
from demarch.projects import Projects
from host.page import page_items
from host.page.audience import Audience
from host.page.page_items import members, rules, work
from host.page.room_entries import RoomEntries
from host.people.registry import LOCAL_ADDRESS, Group, Registry, Role
from host.shortcomings import shortcomings

PATIENCE = 3.0  #: seconds for the kernel


class PageRooms:
    """Every room by the person's role in it; without a role it is as if it did not exist."""

    def __init__(
        self,
        *,
        registry: Registry,
        entries: RoomEntries,
        projects: Projects,
        audience: Audience,
        agent: str,
    ) -> None:
        self._registry = registry
        self._entries = entries
        self._projects = projects
        self._audience = audience
        self._agent = agent

    async def rooms(self, person: str) -> Sequence[Room]:
        roles = self._registry.roles_of(person)
        counts = await self._entries.open_counts()
        return [
            await self._room(group, roles[group.folder], counts.get(group.folder, 0))
            for group in self._registry.groups()
            if group.folder in roles
        ]

    async def room(self, person: str, folder: str) -> Room:
        group, role = self._seen(person, folder)
        counts = await self._entries.open_counts()
        return await self._room(group, role, counts.get(folder, 0))

    async def history(self, person: str, folder: str, before: str | None, limit: int) -> Sequence[Item]:
        self._seen(person, folder)
        entries = await self._entries.page(folder, _id(before) if before else None, limit)
        return [page_items.item(entry, self._agent) for entry in entries]

    async def item(self, person: str, folder: str, item: str) -> Item | None:
        self._seen(person, folder)
        wanted = _id(item)
        entry = None if wanted is None else await self._entries.entry(folder, wanted)
        return None if entry is None else page_items.item(entry, self._agent)

    async def side(self, person: str, folder: str) -> Side:
        group, _ = self._seen(person, folder)
        cards = await self._entries.open_cards(folder)
        key = self._projects.key(group.project)
        waiting = {card.run for card in cards if card.project == key}
        return Side(
            decisions=[page_items.item(card.entry, self._agent) for card in cards],
            work=[work(run, waits=run.id in waiting) for run in await self._runs(group)],
            people=members(self._registry, group),
            rules=[*rules(self._registry, group, self._agent), *self._kernel_rules(group)],
        )

    async def picture(self, person: str, picture: str) -> bytes | None:
        wanted = _id(picture)
        if wanted is None:
            return None
        for folder in self._registry.roles_of(person):
            if png := await self._entries.picture(folder, wanted):
                return png
        return None

    def changes(self, person: str) -> AbstractAsyncContextManager[AsyncIterator[Change]]:
        return self._changes(person)

    @asynccontextmanager
    async def _changes(self, person: str) -> AsyncIterator[AsyncIterator[Change]]:
        with self._audience.reader(person) as reader:
            yield reader.changes()

    async def _room(self, group: Group, role: Role, decisions: int) -> Room:
        last = await self._entries.last(group.folder)
        return Room(
            folder=group.folder,
            title=group.title or group.folder,
            address=LOCAL_ADDRESS if LOCAL_ADDRESS in group.addresses else None,
            role=role.value,
            last_item=None if last is None else str(last),
            decisions=decisions,
            agent=self._agent,
        )

    async def _runs(self, group: Group) -> Sequence[Run]:
        try:
            async with asyncio.timeout(PATIENCE):
                return await self._projects.kernel(group.project).runs()
        except (DemarchError, TimeoutError):
            return ()  # the bar on top says that the kernel does not answer

    def _kernel_rules(self, group: Group) -> Sequence[str]:
        """Which project this is, where there are several, and what cannot be done with it."""
        several = len(list(self._projects)) > 1
        title = self._projects.title(self._projects.key(group.project))
        lacks = shortcomings(self._projects.capabilities(group.project))
        return [*([f"Its project is {title}."] if several else []), *lacks]

    def _seen(self, person: str, folder: str) -> tuple[Group, Role]:
        group = self._registry.group(folder)
        role = self._registry.role(folder, person)
        if group is None or role is None:
            raise NoSuchRoom(folder)
        return group, role


def _id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
