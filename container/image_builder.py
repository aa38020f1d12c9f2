"""Builds the agents' image with the engine, tells how far it is, and clears away old ones."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import structlog

from container import base, context
from container.engine import Engine
from container.sandbox import ContainerError, ImageMissing

if TYPE_CHECKING:
    from docker import APIClient

USUAL_BASE = "python:3.12-slim"
PROBE_TIMEOUT = 10  #: seconds a registry may take to answer
LABEL = "io.intercom.image"
VERSION_LABEL = "io.intercom.version"

Progress = Callable[[str], None]
Install = Callable[[Sequence[str]], Awaitable[None]]  #: packages that are missing; may install them, or not

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """An agents' image that exists here."""

    tag: str
    version: str
    size: int  #: bytes
    created: datetime
    current: bool  #: it is the one this version starts agents from


class ImageBuilder:
    """The image of this version: its tag follows from its content, so an old one is never mistaken for it."""

    def __init__(
        self,
        engine: Engine,
        *,
        version: str,
        base_image: str | None = None,
        install: Install | None = None,
        probe: Engine | None = None,
    ) -> None:
        """`base_image` names one to use as it is; without it the usual one, or one made here.

        `probe` asks the registry; it may have a shorter time limit than `engine`.
        """
        self._engine = engine
        self._probe = probe or engine
        self._version = version
        self._base = base_image
        self._install = install
        self.tag = f"{context.REPOSITORY}:{context.content_hash(base_image or USUAL_BASE)}"

    async def exists(self) -> bool:
        return bool(await self._engine.run(lambda client: client.images(self.tag)))

    async def build(self, progress: Progress) -> str:
        """Build it unless it is there; its tag. Raises ContainerError.

        `progress` is called with a sentence from time to time, in this loop.
        """
        if await self.exists():
            progress(f"The image {self.tag} is there.")
            return self.tag
        loop = asyncio.get_running_loop()
        base_image = await self._find_base(progress)
        tell = _from_thread(loop, progress)
        await self._engine.run(lambda client: _build(client, self.tag, base_image, self._version, tell))
        if not await self.exists():
            raise ImageMissing(f"The image {self.tag} is not there after it was built.")
        progress(f"The image {self.tag} is ready.")
        return self.tag

    async def list(self) -> Sequence[Image]:
        """The agents' images that exist here, newest first."""
        rows = await self._engine.run(lambda client: client.images(filters={"label": f"{LABEL}=agent"}))
        found = [self._image(row, tag) for row in rows for tag in row.get("RepoTags") or ()]
        return sorted(found, key=lambda image: image.created, reverse=True)

    async def prune(self) -> Sequence[str]:
        """Remove the images of other versions that no container uses; their tags."""
        old = [image.tag for image in await self.list() if not image.current]
        return [tag for tag in old if await self._engine.run(partial(_remove, tag=tag))]

    def _image(self, row: dict[str, Any], tag: str) -> Image:
        return Image(
            tag=tag,
            version=(row.get("Labels") or {}).get(VERSION_LABEL, ""),
            size=row["Size"],
            created=datetime.fromtimestamp(row["Created"], UTC),
            current=tag == self.tag,
        )

    async def _find_base(self, progress: Progress) -> str:
        """The base that was asked for, the usual one, or one made here."""
        if self._base is not None:
            return self._base
        if await self._engine.run(lambda client: client.images(USUAL_BASE)):
            return USUAL_BASE
        progress(f"Looking for {USUAL_BASE} (at most {PROBE_TIMEOUT} s) …")
        if await self._registry_answers() and await self._pull(progress):
            return USUAL_BASE
        progress("No registry answers.")
        return await self._make_base(progress)

    async def _registry_answers(self) -> bool:
        with suppress(ContainerError, TimeoutError):
            async with asyncio.timeout(PROBE_TIMEOUT):
                await self._probe.run(_ask_registry)
                return True
        return False

    async def _pull(self, progress: Progress) -> bool:
        tell = _from_thread(asyncio.get_running_loop(), progress)
        try:
            await self._engine.run(lambda client: _pull(client, tell))
        except ContainerError:
            log.info("image.pull_failed")  # without the reason: it names registries
            return False
        return True

    async def _make_base(self, progress: Progress) -> str:
        tell = _from_thread(asyncio.get_running_loop(), progress)
        try:
            return await self._engine.run(lambda client: base.make(client, tell))
        except ImageMissing as error:
            if self._install is None or str(error) != base.NOT_INSTALLED:
                raise
        await self._install(["mmdebstrap"])
        return await self._engine.run(lambda client: base.make(client, tell))


def _from_thread(loop: asyncio.AbstractEventLoop, progress: Progress) -> Progress:
    return lambda line: void(loop.call_soon_threadsafe(progress, line))


def void(_: object) -> None:
    """For callbacks whose result nobody wants."""


def _build(client: "APIClient", tag: str, base_image: str, version: str, progress: Progress) -> None:
    progress(f"Building the image {tag} …")
    said = client.build(
        fileobj=context.archive(),
        custom_context=True,
        tag=tag,
        buildargs={"BASE_IMAGE": base_image},
        labels={LABEL: "agent", VERSION_LABEL: version},
        network_mode="none",
        rm=True,
        forcerm=True,
        decode=True,
    )
    for row in said:
        if "error" in row:
            raise ImageMissing(f"The image could not be built: {' '.join(str(row['error']).split())[:300]}")
        step = re.match(r"Step (\d+/\d+) : (\w+)", str(row.get("stream", "")))
        if step:
            progress(f"Image: step {step[1]} ({step[2]}) …")


def _ask_registry(client: "APIClient") -> None:
    client.inspect_distribution(USUAL_BASE)  # type: ignore[no-untyped-call]


def _pull(client: "APIClient", progress: Progress) -> None:
    """Pull with the layers counted; what the engine says about addresses is left out."""
    layers: dict[str, bool] = {}
    told = -1
    repository, tag = USUAL_BASE.split(":")
    for row in client.pull(repository, tag=tag, stream=True, decode=True):
        if "error" in row:
            raise ImageMissing(f"{USUAL_BASE} could not be pulled.")
        if row.get("id") and "progressDetail" in row:
            layers[row["id"]] = row.get("status") in {"Pull complete", "Already exists"}
        done = sum(layers.values())
        if layers and done != told:
            told = done
            progress(f"Pulling {USUAL_BASE}: {done} of {len(layers)} layers …")


def _remove(client: "APIClient", tag: str) -> bool:
    from docker import errors

    try:
        client.remove_image(tag)
    except errors.APIError:  # a container uses it
        return False
    return True
