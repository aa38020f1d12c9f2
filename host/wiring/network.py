"""The chat networks: the page always, Telegram when there is a token; and how well all parts are."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from bridges.port import ChatBridge
from bridges.web.bridge import WebBridge
from bridges.web.port import HealthChanged
from bridges.web.settings import WebSettings
from demarch.projects import Projects
from host.incoming.menu import MENU
from host.kernel_health import KernelHealth
from host.page.audience import Audience
from host.page.doorkeeper import Doors
from host.page.page_files import PageFiles
from host.page.room_changes import RoomChanges
from host.page.room_entries import RoomEntries
from host.page.rooms import PageRooms
from host.readiness import Check, Condition, Part
from host.settings_pieces import TelegramSettings
from host.wiring.agents import Agents
from host.wiring.coordination import Intermute
from host.wiring.ground import Ground


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    bridges: dict[str, ChatBridge]
    web: WebBridge
    doors: Doors
    condition: Condition
    changes: RoomChanges
    kernel: KernelHealth


@asynccontextmanager
async def open_network(
    ground: Ground, agents: Agents, projects: Projects, intermute: Intermute | None
) -> AsyncIterator[Network]:
    settings = ground.settings
    audience = Audience()
    kernel = KernelHealth(projects, ground.registry)
    bridges: dict[str, ChatBridge] = {}
    condition = Condition(
        parts=[*_parts(ground, agents, kernel, bridges), *_coordination(intermute)],
        metrics=ground.metrics,
        clock=ground.clock,
        notes=agents.notes,
        changed=lambda: audience.tell(HealthChanged()),
        more_metrics=bytes if intermute is None else intermute.service.metrics_text,
    )
    doors = Doors(db=ground.db, audit=ground.audit, clock=ground.clock, session_age=settings.web.session_age)
    entries = RoomEntries(ground.db)
    web = WebBridge(
        settings=WebSettings(host=settings.web.host, port=settings.web.port),
        rooms=PageRooms(
            registry=ground.registry,
            entries=entries,
            projects=projects,
            audience=audience,
            agent=settings.assistant_name,
        ),
        files=PageFiles(
            database=ground.db, registry=ground.registry, clock=ground.clock, new_id=ground.new_id
        ),
        doorkeeper=doors,
        health=condition,
        clock=ground.clock,
        new_id=ground.new_id,
    )
    changes = RoomChanges(
        audience=audience,
        entries=entries,
        registry=ground.registry,
        clock=ground.clock,
        agent=settings.assistant_name,
    )
    bridges["web"] = web
    network = Network(
        bridges=bridges, web=web, doors=doors, condition=condition, changes=changes, kernel=kernel
    )
    if settings.telegram.token is None:
        yield network
        return
    async with _telegram(ground, settings.telegram, settings.telegram.token.get_secret_value()) as bridge:
        bridges[bridge.name] = bridge
        yield network


@asynccontextmanager
async def _telegram(ground: Ground, settings: TelegramSettings, token: str) -> AsyncIterator[ChatBridge]:
    # Imported only when it is used: the library takes 20 MB.
    from bridges.telegram import TelegramBridge
    from bridges.telegram.settings import TelegramSettings as BridgeSettings

    bridge = TelegramBridge(
        BridgeSettings(
            token=token,
            api_base=settings.api_base,
            commands=MENU,
            overall_rate=settings.overall_per_second,
            private_rate=settings.chat_per_second,
            group_rate=settings.group_per_minute / 60,
        ),
        ground.clock,
    )
    async with bridge.opened():
        yield bridge


def _parts(
    ground: Ground, agents: Agents, kernel: KernelHealth, bridges: dict[str, ChatBridge]
) -> Sequence[Part]:
    async def database() -> str:
        await ground.db.fetchval("SELECT 1")
        return ""

    async def sandbox() -> str:
        await agents.sandbox.check()
        return ""

    def bridge(name: str) -> Check:
        async def check() -> str:
            state = bridges[name].state()
            return "" if state.ok else state.reason

        return check

    parts = [
        Part(name="database", check=database, banner="The database does not answer"),
        Part(
            name="sandbox",
            check=sandbox,
            banner="Agents cannot be started",
            note=lambda: " ".join(agents.notes),
        ),
        Part(
            name="kernel",
            check=kernel.check,
            banner="The kernel does not answer",
            note=kernel.lacks,
        ),
        Part(name="bridge:web", check=bridge("web"), banner="The page"),
    ]
    if ground.settings.telegram.token is not None:
        parts.append(Part(name="bridge:tg", check=bridge("tg"), banner="Telegram"))
    return parts


def _coordination(intermute: Intermute | None) -> Sequence[Part]:
    """Programs outside may miss it; the chats and their agents go on without its address."""
    if intermute is None:
        return ()
    return [Part(name="intermute", check=intermute.running.check, banner="Coordination", needed=False)]
