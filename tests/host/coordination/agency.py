"""An office whose agents have intermute: the real service in this process, and agents from elsewhere."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from container.agent import ToolBox, ToolResult
from demarch.projects import Projects
from host.conversation.turns import Turn
from host.coordination.identity import Whereabouts, agent_of
from host.people.registry import Registry
from host.wiring.coordination import Coordinating, coordinating
from intermute.agents.registration import Wanted
from intermute.caller import Caller, Mode
from intermute.limits import Limits
from intermute.messages.letter import Letter
from intermute.reservations.claim import Wanted as Claimed
from intermute.service import Given, Service
from storage.background import background
from storage.database import Database
from storage.ids import NewId
from storage.wakeups import Wakeups
from tests.clock import HandClock
from tests.host.decisions.office import MAIN, OTHER, Office, furnish

PROJECT = "shop"
ELSEWHERE = "laptop-7"
LOCAL = Caller(mode=Mode.LOCAL)


@dataclass(kw_only=True)
class Agency:
    """Implements `Tainting` for the turns it began."""

    office: Office
    service: Service
    coordinating: Coordinating
    turns: dict[str, Turn] = field(default_factory=dict)

    async def box(self, folder: str = "main", *, tainted: bool = False) -> ToolBox:
        """A turn of the group's agent; its tools."""
        address = MAIN if folder == "main" else OTHER
        self.turns[folder] = await self.office.turn(folder=folder, address=address, tainted=tainted)
        return self.office.parts.toolbox_for(folder, lambda: self.turns.get(folder))

    async def taint(self, turn: Turn) -> None:
        await self.office.database.execute("UPDATE host.turns SET tainted = true WHERE id = $1", turn.id)
        self.turns[turn.lane] = replace(turn, tainted=True)

    def tainted(self, folder: str = "main") -> bool:
        return self.turns[folder].tainted

    async def write(self, body: str, *to: str, sender: str = ELSEWHERE, **more: Any) -> int:
        """Somebody elsewhere writes; the cursor."""
        letter = Letter(
            project=PROJECT,
            id=str(self.office.new_id()),
            sender=sender,
            to=to or (agent_of("main"),),
            body=body,
        )
        return (await self.service.mailroom.messages.send(replace(letter, **more))).cursor

    async def join(self, agent: str = ELSEWHERE, name: str = "Ana's laptop", **more: Any) -> None:
        """Somebody elsewhere registers."""
        wanted = Wanted(id=agent, name=name, project=PROJECT, **more)
        await self.service.agents.register(LOCAL, wanted)

    async def letters(self, agent: str = ELSEWHERE) -> list[str]:
        """What somebody elsewhere finds in the inbox."""
        return [row["body"] for row in await self.service.mailroom.inbox.page(PROJECT, agent, 0, 100)]

    async def hold(self, *patterns: str, agent: str = ELSEWHERE, **more: Any) -> None:
        """Somebody elsewhere reserves."""
        wanted = Claimed(project=PROJECT, agent=agent, patterns=patterns, exclusive=True)
        await self.service.reservations.reserve(replace(wanted, **more))

    async def held(self, project: str = PROJECT) -> dict[str, str]:
        """Pattern to holder."""
        page = await self.service.reservations.active(project)
        return {each.pattern: each.agent for each in page.reservations}

    async def intents(self) -> list[tuple[str, str]]:
        rows = await self.office.database.fetch("SELECT operation, state FROM host.intents ORDER BY id")
        return [(row["operation"], row["state"]) for row in rows]


async def call(box: ToolBox, tool: str, **arguments: Any) -> ToolResult:
    return await box.call(f"coordination_{tool}", arguments)


@asynccontextmanager
async def open_agency(
    database: Database,
    wakeups: Wakeups,
    clock: HandClock,
    new_id: NewId,
    folder: Path,
    *,
    limits: Limits | None = None,
) -> AsyncIterator[Agency]:
    limits = limits or Limits()
    given = Given(db=database, wakeups=wakeups, clock=clock, new_id=new_id, limits=limits)
    async with Service.open(given) as service, background(service.run()):
        made: list[Coordinating] = []

        def coordinate(registry: Registry, projects: Projects) -> Coordinating:
            whereabouts = Whereabouts(projects, PROJECT)
            made.append(
                coordinating(
                    service,
                    database=database,
                    clock=clock,
                    registry=registry,
                    whereabouts=whereabouts,
                    limits=limits,
                )
            )
            return made[-1]

        office = await furnish(database, clock, new_id, folder, coordinate=coordinate)
        agency = Agency(office=office, service=service, coordinating=made[-1])
        made[-1].tainting.attach(agency)
        yield agency
