"""What runs the agents: the sandbox that was chosen, its image, and the launcher."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from importlib.metadata import version

from container.agent import Launcher, Runtime
from container.docker import DockerSandbox
from container.engine import Engine
from container.image_builder import ImageBuilder
from container.launcher import SandboxLauncher
from container.process import ProcessSandbox
from container.runtimes import runtimes
from container.sandbox import Limits, Sandbox
from host.settings import AgentSettings
from host.starting import choose_sandbox
from host.unisolated import MainOnly
from host.wiring.ground import Ground

SOCKETS = "sockets"


@dataclass(frozen=True, slots=True, kw_only=True)
class Agents:
    sandbox: Sandbox
    launcher: Launcher
    runtimes: Mapping[str, Runtime]
    image: str  #: "" without Docker
    notes: tuple[str, ...]  #: what people must know while it runs


@asynccontextmanager
async def open_agents(ground: Ground) -> AsyncIterator[Agents]:
    """Choose the sandbox, build the image if it is missing, end what an earlier run left."""
    settings = ground.settings
    async with AsyncExitStack() as stack:
        engine = Engine(settings.docker_host)
        stack.push_async_callback(engine.close)
        chosen = await choose_sandbox(
            settings.sandbox,
            docker=DockerSandbox(ground.install, engine),
            process=ProcessSandbox(ground.install),
            networks=["Telegram"] if settings.telegram.token is not None else [],
        )
        image = await _image(ground, engine) if chosen.sandbox.isolated else ""
        launcher = await stack.enter_async_context(
            SandboxLauncher.running(chosen.sandbox, settings.home / SOCKETS, limits=limits(settings.agent))
        )
        await launcher.sweep()
        yield Agents(
            sandbox=chosen.sandbox,
            launcher=launcher if chosen.sandbox.isolated else MainOnly(launcher, _is_main(ground)),
            runtimes=runtimes(image),
            image=image,
            notes=chosen.notes,
        )


def builder(engine: Engine) -> ImageBuilder:
    """The builder of this version's image."""
    return ImageBuilder(engine, version=version("intercom"))


def limits(agent: AgentSettings) -> Limits:
    return Limits(
        memory_bytes=int(agent.memory), cpus=agent.cpus, pids=agent.pids, tmpfs_bytes=int(agent.tmpfs)
    )


async def _image(ground: Ground, engine: Engine) -> str:
    made = builder(engine)
    if await made.exists():
        return made.tag
    ground.terminal.say("The agents' image is not there yet; it is built once.")
    with ground.terminal.working("Building the agents' image") as progress:
        return await made.build(progress)


def _is_main(ground: Ground) -> Callable[[str], bool]:
    def check(lane: str) -> bool:
        group = ground.registry.group(lane.partition("/")[0])
        return group is not None and group.main

    return check
