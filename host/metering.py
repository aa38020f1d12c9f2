"""Counts what passes a port: a bridge and a launcher that do what the real ones do, and tell the metrics."""

import asyncio
from collections.abc import Awaitable, Sequence
from typing import TypeVar

from bridges.messages import Content, Part
from bridges.port import BridgeError, BridgeState, ChatBridge, Intake, RateLimited
from container.agent import Agent, Launcher, Runtime, ToolBox
from container.sandbox import ContainerError
from host.metrics import Metrics

T = TypeVar("T")


class MeteredBridge:
    """A `ChatBridge` whose calls are counted."""

    def __init__(self, bridge: ChatBridge, metrics: Metrics) -> None:
        self._bridge = bridge
        self._metrics = metrics

    @property
    def name(self) -> str:
        return self._bridge.name

    def state(self) -> BridgeState:
        return self._bridge.state()

    async def run(self, intake: Intake) -> None:
        await self._bridge.run(intake)

    def parts(self, content: Content) -> Sequence[Part]:
        return self._bridge.parts(content)

    async def send(self, address: str, part: Part) -> str:
        return await self._counted("send", self._bridge.send(address, part))

    async def edit(self, address: str, ref: str, part: Part) -> None:
        await self._counted("edit", self._bridge.edit(address, ref, part))

    async def delete(self, address: str, ref: str) -> None:
        await self._counted("delete", self._bridge.delete(address, ref))

    async def answer(self, tap_id: str, text: str, *, alert: bool = False) -> None:
        await self._counted("answer", self._bridge.answer(tap_id, text, alert=alert))

    async def typing(self, address: str) -> None:
        await self._bridge.typing(address)

    async def _counted(self, what: str, call: Awaitable[T]) -> T:
        loop = asyncio.get_running_loop()
        started = loop.time()
        outcome = "failed"
        try:
            result = await call
            outcome = "ok"
            return result
        except RateLimited:
            outcome = "rate_limited"
            self._metrics.rate_limited.labels(self.name).inc()
            raise
        except BridgeError as error:
            outcome = type(error).__name__
            raise
        finally:
            self._metrics.sends.labels(self.name, what, outcome).inc()
            self._metrics.send_seconds.labels(self.name).observe(loop.time() - started)


class MeteredLauncher:
    """A `Launcher` whose starts are counted."""

    def __init__(self, launcher: Launcher, metrics: Metrics) -> None:
        self._launcher = launcher
        self._metrics = metrics

    async def launch(self, key: str, runtime: Runtime, tools: ToolBox) -> Agent:
        loop = asyncio.get_running_loop()
        started = loop.time()
        try:
            agent = await self._launcher.launch(key, runtime, tools)
        except ContainerError as error:
            self._metrics.container_starts.labels(type(error).__name__).inc()
            raise
        self._metrics.container_starts.labels("ok").inc()
        self._metrics.container_start_seconds.observe(loop.time() - started)
        return agent

    async def sweep(self, keep: Sequence[str] = ()) -> int:
        return await self._launcher.sweep(keep)
