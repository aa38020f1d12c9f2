"""What runs the agents: the sandbox that was chosen, its image, and the launcher."""

import os
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from stat import S_ISDIR
from tempfile import gettempdir

from container.agent import Launcher, Runtime
from container.docker import DockerSandbox
from container.engine import Engine
from container.image_builder import ImageBuilder
from container.launcher import SandboxLauncher
from container.planning import user_inside
from container.process import ProcessSandbox
from container.runtimes import LOCAL, runtimes
from container.sandbox import Limits, Sandbox
from container.sockets import fits
from host.conversation.unisolated import MainOnly
from host.custom_runtimes import custom_runtimes
from host.settings_pieces import AgentSettings
from host.starting import StartRefused, choose_sandbox
from host.swarm.port import lane_of
from host.wiring.ground import Ground

SOCKETS = "sockets"


@dataclass(frozen=True, slots=True, kw_only=True)
class Agents:
    sandbox: Sandbox
    launcher: Launcher
    runtimes: Mapping[str, Runtime]
    image: str  #: of the runtime `local`; "" without Docker
    images: ImageBuilder | None  #: makes the images that are missing; None without Docker
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
        made = builder(engine) if chosen.sandbox.isolated else None
        images = await _images(ground, made) if made is not None else {}
        launcher = await stack.enter_async_context(
            SandboxLauncher.running(
                chosen.sandbox, sockets_folder(settings.home, ground.install), limits=limits(settings.agent)
            )
        )
        await launcher.sweep()
        yield Agents(
            sandbox=chosen.sandbox,
            launcher=launcher if chosen.sandbox.isolated else MainOnly(launcher, _is_main(ground)),
            runtimes=runtimes(images, custom_runtimes(settings.runtimes)),
            image=images.get(LOCAL, ""),
            images=made,
            notes=chosen.notes,
        )


def sockets_folder(home: Path, install: str) -> Path:
    """Beside the data; where that path is too long for a socket, a folder of this install's own in /tmp.

    Raises StartRefused when somebody else made that folder first.
    """
    beside = home / SOCKETS
    if fits(beside):
        return beside
    short = Path(gettempdir()) / f"intercom-{install}"
    short.mkdir(mode=0o700, exist_ok=True)
    found = short.lstat()
    if found.st_uid != os.geteuid() or not S_ISDIR(found.st_mode):
        raise StartRefused(
            f"{short} belongs to somebody else; set INTERCOM_HOME to a folder with a shorter path."
        )
    return short


def builder(engine: Engine) -> ImageBuilder:
    """The builder of this version's images."""
    user, _ = user_inside(os.geteuid(), os.getegid())
    return ImageBuilder(engine, version=version("intercom"), user=user)


def limits(agent: AgentSettings) -> Limits:
    return Limits(
        memory_bytes=int(agent.memory),
        cpus=agent.cpus,
        pids=agent.pids,
        tmpfs_bytes=int(agent.tmpfs),
        disk_bytes=int(agent.disk),
    )


async def _images(ground: Ground, made: ImageBuilder) -> Mapping[str, str]:
    """The tags of all images; what most groups need is built now, the others when they are asked for."""
    for runtime in sorted({LOCAL, ground.settings.agent.runtime} & made.tags.keys()):
        if not await made.exists(runtime):
            ground.terminal.say(f"The image of the runtime {runtime} is not there yet; it is built once.")
            with ground.terminal.working("Building the agents' image") as progress:
                await made.ensure(runtime, progress)
    return made.tags


def _is_main(ground: Ground) -> Callable[[str], bool]:
    def check(lane: str) -> bool:
        group = ground.registry.group(lane_of(lane).partition("/")[0])
        return group is not None and group.main

    return check
