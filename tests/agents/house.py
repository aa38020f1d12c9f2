"""The host's side of real agents, put together of its own parts: engine, launcher, broker, folders."""

import asyncio
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from container.agent import Fittings, ModelApi, Runtime
from container.broker.bounds import Bounds
from container.broker.broker import Broker
from container.broker.credentials import Fixed, key_headers
from container.broker.port import BudgetSpent, Grant, ModelRequest, Reservation, Trouble, Usage
from container.broker.providers import Provider
from container.docker import DockerSandbox
from container.engine import Engine
from container.launcher import SandboxLauncher
from container.life import LaunchedAgent
from container.planning import GROUP_FOLDER, MODEL_SOCKET, folder_name, user_inside
from container.sandbox import Limits, Mount
from tests.container.scene import Toolbox
from tests.servers.models import KEY, ModelServer

if TYPE_CHECKING:
    from docker import APIClient

BUDGET = "This group has spent what it may today."
#: Enough for every agent, and two cores, so that the tests are not about a slow machine.
LIMITS = Limits(cpus=2.0, pids=256)


@dataclass(slots=True)
class Purse:
    """An account that remembers, and that is empty when a test says so."""

    api: ModelApi
    models: frozenset[str]
    empty: bool = False
    reserved: dict[UUID, ModelRequest] = field(default_factory=dict)
    settled: dict[UUID, Usage | None] = field(default_factory=dict)
    troubles: list[Trouble | None] = field(default_factory=list)

    def grant(self) -> Grant:
        return Grant(api=self.api, models=self.models)

    def reserve(self, request: ModelRequest) -> Reservation:
        if self.empty:
            raise BudgetSpent(BUDGET)
        reservation = Reservation(id=uuid4(), output_tokens=request.output_tokens)
        self.reserved[reservation.id] = request
        return reservation

    async def recorded(self, reservation: UUID) -> None:
        assert reservation in self.reserved

    def settle(self, reservation: UUID, usage: Usage | None) -> None:
        assert reservation in self.reserved
        assert reservation not in self.settled, "settled twice"
        self.settled[reservation] = usage

    def trouble(self, trouble: Trouble | None, model: str = "") -> None:
        del model
        self.troubles.append(trouble)


@dataclass(slots=True, kw_only=True)
class Lodger:
    """One agent with what a test looks at."""

    agent: LaunchedAgent
    tools: Toolbox
    purse: Purse
    folder: Path  #: the group's folder, as the host sees it


class House:
    """One install with a stub of the providers in the place of the real ones."""

    def __init__(
        self,
        *,
        engine: Engine,
        sandbox: DockerSandbox,
        launcher: SandboxLauncher,
        broker: Broker,
        models: ModelServer,
        home: Path,
    ) -> None:
        self.engine = engine
        self.sandbox = sandbox
        self.launcher = launcher
        self.models = models
        self.home = home
        self._broker = broker
        self._owner = user_inside(os.geteuid(), os.getegid())

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        engine: Engine,
        install: str,
        home: Path,
        *,
        limits: Limits = LIMITS,
        bounds: Bounds | None = None,
    ) -> AsyncIterator["House"]:
        sandbox = DockerSandbox(install, engine)
        async with AsyncExitStack() as stack:
            models = await stack.enter_async_context(ModelServer.running())
            broker = await stack.enter_async_context(
                Broker.open(providers(models), sleep=asyncio.sleep, bounds=bounds)
            )
            running = SandboxLauncher.running(sandbox, home / "s", limits=limits)
            launcher = await stack.enter_async_context(running)
            yield cls(
                engine=engine, sandbox=sandbox, launcher=launcher, broker=broker, models=models, home=home
            )

    async def lodge(
        self,
        key: str,
        runtime: Runtime,
        *,
        tools: Toolbox | None = None,
        model: str = "",
        resume: str = "",
        allowed: Sequence[str] = (),
    ) -> Lodger:
        """Start the agent of a conversation; its folders stay from one start to the next."""
        assert runtime.api is not None
        purse = Purse(runtime.api, frozenset(allowed or (*runtime.models, *runtime.own_models)))
        group, state = self._folder(key, "group"), self._folder(key, runtime.name)
        tools = tools or Toolbox()
        fittings = Fittings(
            model=model,
            folder=GROUP_FOLDER,
            mounts=(
                Mount(source=group, target=GROUP_FOLDER, writable=True),
                Mount(source=state, target=runtime.state, writable=True),
            ),
            services={MODEL_SOCKET: self._broker.service(purse)},
            resume=resume,
        )
        agent = await self.launcher.launch(key, runtime, tools, fittings)
        return Lodger(agent=agent, tools=tools, purse=purse, folder=group)

    async def kill(self, agent: LaunchedAgent) -> None:
        """As the kernel would, short of memory: the container ends without a goodbye."""
        await self.engine.run(lambda client: client.kill(agent.sandbox_id))
        async with asyncio.timeout(10):
            await agent.died()

    def age(self, key: str, runtime: Runtime) -> None:
        """Make the conversation one that began at another minute than this.

        Gemini CLI names the file of a session by the minute, and begins the file anew when it loads a session
        within the minute in which that began.
        """
        for file in self._folder(key, runtime.name).glob("tmp/*/chats/session-*.jsonl"):
            *_, identity = file.stem.split("-")
            file.rename(file.with_name(f"session-2026-01-01T00-00-{identity}.jsonl"))

    async def inside(self, agent: LaunchedAgent, script: str) -> str:
        """What Python inside the agent's container prints, as the agent's own user."""

        def run(client: "APIClient") -> str:
            made = client.exec_create(agent.sandbox_id, ["python3", "-I", "-c", script])
            return bytes(client.exec_start(made["Id"])).decode(errors="replace")

        return await self.engine.run(run)

    def _folder(self, key: str, name: str) -> Path:
        path = self.home / "folders" / folder_name(key) / name
        path.mkdir(parents=True, exist_ok=True)
        if os.geteuid() == 0:
            os.chown(path, *self._owner)
        return path


def providers(models: ModelServer) -> dict[ModelApi, Provider]:
    bases = {
        ModelApi.ANTHROPIC: f"{models.url}/anthropic",
        ModelApi.OPENAI: f"{models.url}/openai/v1",
        ModelApi.GEMINI: f"{models.url}/gemini",
    }
    return {
        api: Provider(title=api.value, base_url=base, credential=Fixed(key_headers(api, KEY)))
        for api, base in bases.items()
    }
