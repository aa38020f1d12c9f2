"""The host: everything wired in one place, served until a stop is asked for."""

import asyncio
from contextlib import AsyncExitStack
from functools import partial
from importlib import import_module
from importlib.metadata import version

import structlog

from container.sandbox import ContainerError
from demarch.embedded import EmbeddedKernel
from host.event_retention import EventRetention, readers
from host.greeting import greet
from host.page import page_link
from host.sampling import Sampler
from host.serving import Service, serve
from host.settings import Settings
from host.terminal import Terminal
from host.wiring.agents import Agents, open_agents
from host.wiring.conversation import Conversation, build_conversation
from host.wiring.coordination import Intermute, open_intermute
from host.wiring.ground import Ground, open_ground
from host.wiring.network import Network, open_network
from host.wiring.outside import Outside, open_outside
from host.wiring.projects import open_kernels

log = structlog.get_logger()

RECONCILE_EVERY = 5.0  #: seconds
SEND_GRACE = 8.0  #: seconds the outbox gets at the end


async def up(settings: Settings, terminal: Terminal, stop: asyncio.Event) -> None:
    """Run the host until `stop` is set. Raises what keeps it from starting, in words."""
    async with AsyncExitStack() as stack:
        ground = await stack.enter_async_context(open_ground(settings, terminal))
        kernels = await open_kernels(ground)
        outside = await stack.enter_async_context(open_outside(ground))
        agents = await stack.enter_async_context(open_agents(ground))
        intermute = await stack.enter_async_context(open_intermute(ground, kernels.projects))
        network = await stack.enter_async_context(open_network(ground, agents, kernels.projects, intermute))
        coordinating = intermute.coordinating if intermute else None
        conversation = build_conversation(ground, agents, outside, network, kernels, coordinating)
        await conversation.decisions.recover()
        log.info("host.starting", version=version("intercom"), install=ground.install)
        services = _services(ground, agents, outside, network, conversation, intermute)
        await serve(services, stop)
    log.info("host.stopped")
    terminal.say("Stopped.")


def _services(
    ground: Ground,
    agents: Agents,
    outside: Outside,
    network: Network,
    conversation: Conversation,
    intermute: Intermute | None,
) -> list[Service]:
    """In the order in which they end: first nothing new comes in, then what runs is finished and sent.

    The page goes late: it is where the last words are read, and what is written there is stored anyway.
    """
    grace = float(ground.settings.grace)
    lanes, sender, decisions = conversation.lanes, conversation.sender, conversation.decisions
    intake = conversation.intake

    async def send_the_rest() -> None:
        await sender.drain(SEND_GRACE)

    others = [bridge for name, bridge in network.bridges.items() if name != "web"]
    return [
        Service(name="greeting", run=lambda: _greet(ground, agents, network, conversation, intermute)),
        *(Service(name=f"bridge:{each.name}", run=partial(each.run, intake)) for each in others),
        Service(name="following", run=lambda: decisions.following.run(ground.wakeups)),
        Service(name="digests", run=decisions.news.digests.run),
        Service(name="triage", run=decisions.news.triage.run),
        Service(name="lanes", run=lanes.run, drain=lambda: lanes.drain(grace), grace=grace + 5),
        Service(name="swarm", run=decisions.swarm.run),
        Service(name="router", run=conversation.router.run),
        Service(
            name="spending", run=decisions.spending.run, drain=decisions.spending.drain, grace=SEND_GRACE
        ),
        Service(name="spend-telling", run=decisions.spend_telling.run),
        Service(name="egress", run=outside.record.run),
        Service(name="expiry", run=decisions.desk.run_expiry),
        Service(name="sender", run=sender.run, drain=send_the_rest, grace=SEND_GRACE + 1),
        *_coordination(ground, conversation, intermute),
        Service(name="bridge:web", run=lambda: network.web.run(intake)),
        Service(name="rooms", run=lambda: network.changes.run(ground.wakeups)),
        Service(name="registry", run=lambda: ground.registry.run(ground.wakeups)),
        Service(name="condition", run=network.condition.run),
        Service(name="reconcile", run=lambda: _reconcile(ground, agents)),
        Service(name="metrics", run=Sampler(db=ground.db, metrics=ground.metrics, clock=ground.clock).run),
        Service(name="audit", run=lambda: ground.audit.run(ground.wakeups)),
        Service(name="event-retention", run=_retention(ground).run),
    ]


def _coordination(ground: Ground, conversation: Conversation, intermute: Intermute | None) -> list[Service]:
    if intermute is None:
        return []
    care = intermute.care(ground, lambda: conversation.lanes.living)
    waits = intermute.waits(ground, conversation.lanes)
    return [
        Service(name="coordination-waits", run=lambda: waits.run(ground.wakeups)),
        Service(name="coordination", run=lambda: care.run(ground.wakeups)),
        Service(name="intermute", run=intermute.running.run),
    ]


def _retention(ground: Ground) -> EventRetention:
    """The kernel CLI keeps its own log as it likes."""
    embedded = ground.settings.kernel != "cli"
    return EventRetention(
        EmbeddedKernel(ground.db, ground.clock, readers=partial(readers, ground.db)),
        ground.clock,
        ground.new_id,
        days=ground.settings.events.keep_days if embedded else 0,
    )


async def _greet(
    ground: Ground, agents: Agents, network: Network, conversation: Conversation, intermute: Intermute | None
) -> None:
    """Once the page is served: say so, then load what the first conversation will need."""
    url = await network.web.url()
    home = ground.settings.home
    await asyncio.to_thread(page_link.remember, home, url)
    running = intermute.running if intermute else None
    await greet(ground, agents, network, conversation.decisions.claims, url, running)
    network.condition.serving(on=True)
    try:
        await network.condition.ready()
        await asyncio.to_thread(import_module, "container.conversation")
        await asyncio.Event().wait()
    finally:
        ground.terminal.say("Stopping; what runs gets time to finish.")
        network.condition.serving(on=False)
        page_link.forget(home)


async def _reconcile(ground: Ground, agents: Agents) -> None:
    """End containers of ours that serve no conversation, whatever became of who started them."""
    while True:
        await ground.clock.sleep(RECONCILE_EVERY)
        try:
            await agents.launcher.sweep()
        except ContainerError as error:
            log.warning("sandbox.not_swept", reason=str(error))
