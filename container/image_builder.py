"""Builds the agents' images with the engine, tells how far it is, and clears away old ones."""

import asyncio
import tempfile
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

import structlog

from container import base, building
from container.building import LABEL, RUNTIME_LABEL, USUAL_BASE, VERSION_LABEL, Progress
from container.context import Entry, tree
from container.engine import Engine
from container.packages import fetch_node, fetch_packages
from container.planning import USER
from container.recipes import IMAGE, NAMES, NODE, Recipe, agent_entries, node_entries, recipe, warming
from container.runtimes import LOCAL, PACKAGES
from container.sandbox import ContainerError, ImageMissing

PROBE_TIMEOUT = 10  #: seconds a registry may take to answer

Install = Callable[[Sequence[str]], Awaitable[None]]  #: packages that are missing; may install them, or not

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """An agent's image that exists here."""

    tag: str
    runtime: str
    version: str
    size: int  #: bytes
    created: datetime
    current: bool  #: it is the one this version starts agents from


class ImageBuilder:
    """The images of this version: a tag follows from its content, so an old one is never mistaken for it."""

    def __init__(
        self,
        engine: Engine,
        *,
        version: str,
        base_image: str | None = None,
        install: Install | None = None,
        probe: Engine | None = None,
        user: int = USER,
    ) -> None:
        """`base_image` names one to use as it is; without it the usual one, or one made here.

        `probe` asks the registry; it may have a shorter time limit than `engine`. `user` is who agents are.
        """
        self._engine = engine
        self._probe = probe or engine
        self._version = version
        self._base = base_image
        self._install = install
        self._user = user
        self._recipes = {name: recipe(name, base_image or USUAL_BASE, user) for name in NAMES}
        self._building = {name: asyncio.Lock() for name in NAMES}
        self.tags: Mapping[str, str] = MappingProxyType(
            {name: each.agent for name, each in self._recipes.items()}
        )

    def makes(self, runtime: str) -> bool:
        """Whether a runtime's image is made here; others' are whatever the settings name."""
        return runtime in self.tags

    async def exists(self, runtime: str = LOCAL) -> bool:
        return await self._there(self.tags[runtime])

    async def ensure(self, runtime: str, progress: Progress) -> str:
        """Build a runtime's image unless it is there; its tag. Raises ContainerError.

        `progress` is called with a sentence from time to time, in this loop. Who asks for an image that is
        being built already waits for it.
        """
        wanted = self._recipes[runtime]
        async with self._building[runtime]:
            if await self._there(wanted.agent):
                progress(f"The image {wanted.agent} is there.")
                return wanted.agent
            try:
                below = await self._packages(wanted, progress) if wanted.packages else ""
                below = below or await self._find_base(progress)
                await self._make(wanted, wanted.agent, below, lambda: agent_entries(runtime), progress)
            except OSError as error:  # a full disk, mostly
                reason = error.strerror or str(error)
                raise ImageMissing(f"The image cannot be built on this machine: {reason}.") from error
            progress(f"The image {wanted.agent} is ready.")
            return wanted.agent

    async def list(self) -> Sequence[Image]:
        """The agents' images that exist here, newest first."""
        rows = await self._engine.run(partial(building.labelled, kind="agent"))
        found = [self._image(row, tag) for row in rows for tag in building.tags(row)]
        return sorted(found, key=lambda image: image.created, reverse=True)

    async def prune(self) -> Sequence[str]:
        """Remove images of other versions that no container uses, and layers none stands on; their names."""
        needed = {tag for each in self._recipes.values() for tag in (each.agent, each.packages, each.node)}
        removed = []
        for kind in ("agent", "layer"):  # the layers last: the agents' images stand on them
            rows = await self._engine.run(partial(building.labelled, kind=kind))
            old = [name for row in rows for name in building.names(row) if name not in needed]
            removed += [name for name in old if await self._engine.run(partial(building.remove, name=name))]
        return removed

    def _image(self, row: dict[str, Any], tag: str) -> Image:
        labels = row.get("Labels") or {}
        return Image(
            tag=tag,
            runtime=labels.get(RUNTIME_LABEL, LOCAL),
            version=labels.get(VERSION_LABEL, ""),
            size=row["Size"],
            created=datetime.fromtimestamp(row["Created"], UTC),
            current=tag in self.tags.values(),
        )

    async def _there(self, tag: str) -> bool:
        return bool(await self._engine.run(lambda client: client.images(tag)))

    async def _packages(self, wanted: Recipe, progress: Progress) -> str:
        """The layer with an agent's packages; what comes from outside is fetched to a folder of its own."""
        if await self._there(wanted.packages):
            return wanted.packages
        tell = self._from_thread(progress)
        with tempfile.TemporaryDirectory(prefix="intercom-image-") as scratch:
            folder = Path(scratch)
            node = await asyncio.to_thread(fetch_node, NODE / "node.lock", folder, tell)
            if not await self._there(wanted.node):
                below = await self._find_base(progress)
                program = Entry(name="node", path=node / "bin" / "node")
                await self._make(wanted, wanted.node, below, lambda: [*node_entries(), program], progress)
            source = IMAGE / wanted.runtime
            modules = await asyncio.to_thread(fetch_packages, source, node, folder, tell)

            def entries() -> Sequence[Entry]:
                return [*warming(wanted.runtime), *tree(modules, f"root{PACKAGES}/node_modules/")]

            await self._make(wanted, wanted.packages, wanted.node, entries, progress)
        return wanted.packages

    async def _make(
        self,
        wanted: Recipe,
        tag: str,
        below: str,
        entries: Callable[[], Sequence[Entry]],
        progress: Progress,
    ) -> None:
        """Build one layer."""
        labels = {LABEL: "layer", VERSION_LABEL: self._version}
        if tag == wanted.agent:
            labels |= {LABEL: "agent", RUNTIME_LABEL: wanted.runtime}
        arguments = {"BASE_IMAGE": below}
        if tag == wanted.packages:
            arguments["AGENT_USER"] = str(self._user)
        order = building.Order(tag=tag, arguments=arguments, labels=labels)
        tell = self._from_thread(progress)
        await self._engine.run(lambda client: building.build(client, order, entries(), tell))
        if not await self._there(tag):
            raise ImageMissing(f"The image {tag} is not there after it was built.")

    async def _find_base(self, progress: Progress) -> str:
        """The base that was asked for, the usual one, or one made here."""
        if self._base is not None:
            return self._base
        if await self._there(USUAL_BASE):
            return USUAL_BASE
        progress(f"Looking for {USUAL_BASE} (at most {PROBE_TIMEOUT} s) …")
        if await self._registry_answers() and await self._pull(progress):
            return USUAL_BASE
        progress("No registry answers.")
        return await self._make_base(progress)

    async def _registry_answers(self) -> bool:
        with suppress(ContainerError, TimeoutError):
            async with asyncio.timeout(PROBE_TIMEOUT):
                await self._probe.run(building.ask_registry)
                return True
        return False

    async def _pull(self, progress: Progress) -> bool:
        tell = self._from_thread(progress)
        try:
            await self._engine.run(lambda client: building.pull(client, tell))
        except ContainerError:
            log.info("image.pull_failed")  # without the reason: it names registries
            return False
        return True

    async def _make_base(self, progress: Progress) -> str:
        tell = self._from_thread(progress)
        try:
            return await self._engine.run(lambda client: base.make(client, tell))
        except ImageMissing as error:
            if self._install is None or str(error) != base.NOT_INSTALLED:
                raise
        await self._install(["mmdebstrap"])
        return await self._engine.run(lambda client: base.make(client, tell))

    def _from_thread(self, progress: Progress) -> Progress:
        loop = asyncio.get_running_loop()
        return lambda line: void(loop.call_soon_threadsafe(progress, line))


def void(_: object) -> None:
    """For callbacks whose result nobody wants."""
