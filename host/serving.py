"""Runs the host's services side by side until one fails or a stop is asked for, then ends them in order."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import structlog

log = structlog.get_logger()

#: seconds a cancelled service may take to leave before the next one is told
LEAVE = 2.0


class ServiceEnded(Exception):
    """A service returned although it should run for ever."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """Something that runs for ever. When the host stops it may first finish what it has begun."""

    name: str
    run: Callable[[], Awaitable[None]]
    drain: Callable[[], Awaitable[None]] | None = None
    grace: float = 0.0  #: seconds the drain may take


async def serve(services: Sequence[Service], stop: asyncio.Event) -> None:
    """Run all services until one fails or `stop` is set; then end them, first to last."""
    async with asyncio.TaskGroup() as group:
        tasks = [(service, group.create_task(_forever(service), name=service.name)) for service in services]
        await stop.wait()
        log.info("host.stopping")
        for service, task in tasks:
            await _end(service, task)


async def _forever(service: Service) -> None:
    await service.run()
    raise ServiceEnded(f"{service.name} ended by itself")


async def _end(service: Service, task: asyncio.Task[None]) -> None:
    if service.drain is not None:
        try:
            async with asyncio.timeout(service.grace):
                await service.drain()
        except TimeoutError:
            log.warning("service.not_drained", service=service.name, seconds=service.grace)
    task.cancel()
    await asyncio.wait({task}, timeout=LEAVE)
