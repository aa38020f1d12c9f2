"""Follows every project that some group works on; begins and ends that as the registrations change."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import structlog

from demarch.projects import Projects
from host.people.registry import CHANNEL, Registry
from storage import sql
from storage.clock import Clock
from storage.database import Database
from storage.errors import StorageError
from storage.wakeups import Wakeups

log = structlog.get_logger()

EVERY = 60.0  #: seconds until it looks without being told
_SQL = sql.load("host", "following")

#: everything that goes on for one project, until cancelled
Follow = Callable[[str, Wakeups], Coroutine[Any, Any, None]]


class Following:
    def __init__(
        self, *, database: Database, registry: Registry, projects: Projects, clock: Clock, follow: Follow
    ) -> None:
        self._database = database
        self._registry = registry
        self._projects = projects
        self._clock = clock
        self._follow = follow
        self._followed: dict[str, asyncio.Task[None]] = {}

    async def run(self, wakeups: Wakeups) -> None:
        """Until cancelled."""
        wakeup = wakeups.subscribe(CHANNEL)
        try:
            async with asyncio.TaskGroup() as tasks:
                while True:
                    await self._adjust(tasks, wakeups)
                    await wakeup.wait(self._clock, EVERY)
        finally:
            self._followed.clear()
            wakeup.close()

    async def _adjust(self, tasks: asyncio.TaskGroup, wakeups: Wakeups) -> None:
        try:
            await self._registry.load()  # whoever hears of a change first has it loaded
        except StorageError as error:
            log.warning("following.stale", reason=str(error))
            return
        named = [group.project for group in self._registry.groups()]
        used = self._projects.among(named)
        for key in self._followed.keys() - set(used):
            await self._end(key)
        await self._forget({self._projects.key(project) for project in named})
        for key in used:
            if key not in self._followed:
                log.info("project.followed", project=key)
                self._followed[key] = tasks.create_task(self._keep(key, wakeups), name=f"project {key}")

    async def _keep(self, key: str, wakeups: Wakeups) -> None:
        """A fault in one project ends neither the others nor the host."""
        while True:
            try:
                await self._follow(key, wakeups)
            except Exception:
                log.exception("project.failed", project=key)
                if _is_ending():  # a fault on the way out hides the cancellation
                    return
            await self._clock.sleep(EVERY)

    async def _end(self, key: str) -> None:
        task = self._followed.pop(key)
        task.cancel()
        await asyncio.wait({task})
        log.info("project.left", project=key)

    async def _forget(self, named: set[str]) -> None:
        """What happens in a project while no group names it is nobody's news: it begins anew at the head.

        A project that a group names and that is not allowed just now keeps its place.
        """
        try:
            await self._database.execute(_SQL["following.forget"], list(named))
        except StorageError as error:
            log.warning("following.not_forgotten", reason=str(error))


def _is_ending() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
