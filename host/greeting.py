"""What `intercom up` prints when it is ready: where the page is, what is on, what is off and why."""

import asyncio
from contextlib import suppress
from importlib.metadata import version

from host.coordination.running import Running
from host.page.page_link import page_link
from host.people.claim import Claims
from host.people.registry import LOCAL_PERSON, Role
from host.settings import Settings
from host.wiring.agents import Agents
from host.wiring.ground import Ground
from host.wiring.network import Network

PATIENCE = 1.0  #: seconds intermute gets to listen before it is called slow


async def greet(
    ground: Ground, agents: Agents, network: Network, claims: Claims, url: str, intermute: Running | None
) -> None:
    terminal, settings = ground.terminal, ground.settings
    link = page_link(url, await network.doors.link_token())
    terminal.say(f"Intercom {version('intercom')} is ready ({terminal.elapsed:.1f} s).")
    terminal.say()
    rows = [
        ("Page", f"{link}   (works once; `intercom link` prints another)"),
        ("Telegram", "on" if settings.telegram.token else "off: INTERCOM_TELEGRAM__TOKEN is not set"),
        ("Agents", _agents(agents)),
        ("Kernel", _kernel(settings)),
        ("Intermute", await _intermute(intermute)),
        ("Database", f"embedded, in {settings.home}" if settings.database_url is None else "external"),
    ]
    if settings.telegram.token is not None and not _is_claimed(ground):
        rows.insert(2, ("", "nobody owns the bot yet. In a private chat with it, write:"))
        rows.insert(3, ("", f"/claim {await claims.code()}"))
    terminal.table(rows)
    terminal.say()
    for note in (*agents.notes, *await network.kernel.words()):
        terminal.say(f"  WARNING: {note}")
        terminal.say()
    terminal.say("Ctrl-C stops it.")


async def _intermute(running: Running | None) -> str:
    """A start that is slow to listen does not hold up the others'."""
    if running is None:
        return "off: INTERCOM_INTERMUTE__ENABLED"
    with suppress(TimeoutError):
        async with asyncio.timeout(PATIENCE):
            await running.settled.wait()
    if running.where is None:
        return f"not served: {await running.check()}" if running.settled.is_set() else "starting"
    socket = f" and {running.where.socket}" if running.where.socket else ""
    return f"{running.where.url}{socket}, for agents outside"


def _agents(agents: Agents) -> str:
    return f"in Docker containers, {agents.image}" if agents.sandbox.isolated else "NOT isolated, see below"


def _kernel(settings: Settings) -> str:
    if settings.kernel == "embedded":
        return "embedded"
    default, *more = settings.folders()
    return f"ic and bd in {default}" + (f", and {len(more)} more" if more else "")


def _is_claimed(ground: Ground) -> bool:
    main = ground.registry.main()
    owners = [] if main is None else ground.registry.people_with(main.folder, Role.OWNER)
    return any(person != LOCAL_PERSON for person, _ in owners)
