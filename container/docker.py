"""The sandbox that locks agents in: hardened containers without a network."""

import asyncio
import math
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog

from container.crowd import crowd_of_group
from container.engine import Engine
from container.planning import SOCKETS, sandbox_name
from container.recipes import how_to_get
from container.sandbox import (
    OUT_OF_MEMORY,
    ContainerError,
    ImageMissing,
    Mount,
    Running,
    SandboxSpec,
    StartFailed,
)
from container.unnamed import belongs

if TYPE_CHECKING:
    from docker import APIClient

INSTALL_LABEL = "io.intercom.install"
KEY_LABEL = "io.intercom.key"
PARALLEL_STARTS = 4
FREEZE_TRIES, FREEZE_AGAIN = 4, 0.05  #: times, seconds
OPEN_FILES = 1024
CPU_PERIOD = 100_000  #: microseconds in which an agent may use its share of processors
LAST_LINES = 20
LONGEST_WORDS = 2000

log = structlog.get_logger()


class DockerSandbox:
    """Containers of one install, told from others' by a label with its id."""

    name = "docker"
    isolated = True

    def __init__(self, install: str, engine: Engine) -> None:
        self._install = install
        self._engine = engine
        self._starting = asyncio.Semaphore(PARALLEL_STARTS)

    async def check(self) -> None:
        await self._engine.run(lambda client: client.ping())

    async def start(self, spec: SandboxSpec) -> str:
        async with self._starting:
            given_up = threading.Event()
            starting = self._engine.submit(lambda client: self._start(client, spec, given_up))
            try:
                return await asyncio.shield(starting)
            except ImageMissing:
                raise ImageMissing(how_to_get(spec.image)) from None
            except asyncio.CancelledError:
                given_up.set()  # the thread goes on, and what it makes would be nobody's
                with suppress(ContainerError):
                    await self.stop(await starting, grace=0)
                raise

    async def stop(self, sandbox_id: str, grace: float = 2.0) -> None:
        gone = await self._engine.run(lambda client: _stop(client, sandbox_id, grace))
        if not gone:
            raise ContainerError(f"The container {sandbox_id[:12]} is still there after it was removed.")

    async def pause(self, sandbox_id: str) -> None:
        await self._engine.run(lambda client: _freeze(client, sandbox_id, frozen=True))

    async def unpause(self, sandbox_id: str) -> None:
        await self._engine.run(lambda client: _freeze(client, sandbox_id, frozen=False))

    async def leader(self, sandbox_id: str) -> int:
        state = await self._engine.run(lambda client: _state(client, sandbox_id))
        process = int((state or {}).get("Pid", 0))
        # An engine on another machine has numbers of its own.
        return process if process and await asyncio.to_thread(belongs, process, sandbox_id) else 0

    async def crowd(self, sandbox_id: str, leader: int) -> int:
        found = await asyncio.to_thread(crowd_of_group, leader, sandbox_id) if leader else None
        return await self._engine.run(lambda client: _crowd(client, sandbox_id)) if found is None else found

    async def exit_status(self, sandbox_id: str) -> int | None:
        state = await self._engine.run(lambda client: _state(client, sandbox_id))
        if state is None:
            return -1
        return None if state.get("Running") else int(state.get("ExitCode", -1))

    async def last_words(self, sandbox_id: str) -> str:
        return await self._engine.run(lambda client: _last_words(client, sandbox_id))

    async def running(self) -> Sequence[Running]:
        rows = await self._engine.run(
            lambda client: client.containers(
                all=True, filters={"label": f"{INSTALL_LABEL}={self._install}"}, quiet=False
            )
        )
        return [Running(id=row["Id"], key=row["Labels"].get(KEY_LABEL, "")) for row in rows]

    def inside(self, words: Sequence[str], sockets: Path) -> tuple[str, ...]:
        return tuple(words)

    def _name(self, key: str) -> str:
        return sandbox_name(self._install, key)

    def _start(self, client: "APIClient", spec: SandboxSpec, given_up: threading.Event) -> str:
        container = self._create(client, self._name(spec.key), self._options(client, spec))
        try:
            client.start(container)
            if given_up.is_set():
                raise StartFailed("Nobody waits for this container any more.")
        except Exception:
            _remove(client, container)
            raise
        return container

    def _create(self, client: "APIClient", name: str, options: dict[str, Any]) -> str:
        """Create it under its one name; a container of ours that has the name is a leftover."""
        from docker import errors

        for _ in range(3):
            try:
                return str(client.create_container(name=name, **options)["Id"])
            except errors.APIError as error:
                if error.status_code != 409:
                    raise
            if not self._is_ours(client, name):
                break
            log.info("sandbox.leftover_removed", name=name)
            _remove(client, name)
        raise StartFailed(f"The container's name {name} is taken. Remove it: docker rm -f {name}")

    def _is_ours(self, client: "APIClient", name: str) -> bool:
        """By its label, never by its name. One that vanished meanwhile is nobody's: its name is free."""
        from docker import errors

        try:
            labels = client.inspect_container(name)["Config"]["Labels"] or {}
        except errors.NotFound:
            return True
        return bool(labels.get(INSTALL_LABEL) == self._install)

    def _options(self, client: "APIClient", spec: SandboxSpec) -> dict[str, Any]:
        return {
            "image": spec.image,
            "entrypoint": [spec.command[0]],
            "command": list(spec.command[1:]),
            "user": f"{spec.user[0]}:{spec.user[1]}",
            "environment": ({"HOME": spec.home} if spec.home else {}) | dict(spec.environment),
            "labels": {INSTALL_LABEL: self._install, KEY_LABEL: spec.key},
            "host_config": client.create_host_config(**hardening(spec)),
        }


def hardening(spec: SandboxSpec) -> dict[str, Any]:
    """What keeps an agent in: everything is forbidden that it does not need."""
    from docker.types import LogConfig, Ulimit

    limits = spec.limits
    sockets = Mount(source=spec.sockets, target=SOCKETS)
    return {
        "network_mode": "none",
        "read_only": True,
        "tmpfs": _in_memory(spec),
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges:true"],
        "mem_limit": limits.memory_bytes,
        "memswap_limit": limits.memory_bytes,
        # The engine refuses more CPUs than the machine has when they are given as a number of CPUs.
        "cpu_period": CPU_PERIOD,
        "cpu_quota": int(limits.cpus * CPU_PERIOD),
        "pids_limit": limits.pids,
        "ulimits": [
            Ulimit(name="nofile", soft=OPEN_FILES, hard=OPEN_FILES),
            Ulimit(name="fsize", soft=limits.disk_bytes, hard=limits.disk_bytes),
            Ulimit(name="core", soft=0, hard=0),
        ],
        "init": True,
        "restart_policy": {"Name": "no"},
        "mounts": [_bind(mount) for mount in (sockets, *spec.mounts)],
        # Only what an agent writes on stderr ends up here, for the message about its death.
        "log_config": LogConfig(type="json-file", config={"max-size": "64k", "max-file": "1"}),
    }


def _in_memory(spec: SandboxSpec) -> dict[str, str]:
    locks = f"rw,noexec,nosuid,nodev,size={spec.limits.tmpfs_bytes}"
    user, group = spec.user
    folders = {"/tmp": f"{locks},mode=1777"}  # noqa: S108 - a name inside
    if spec.home:
        folders[spec.home] = f"{locks},mode=0700,uid={user},gid={group}"
    return folders


def _bind(mount: Mount) -> dict[str, Any]:
    """A folder of the host as it is now: what is mounted below it, now or later, does not come along.

    The engine makes the mounts below a read-only folder writable; without them there are none.
    """
    return {
        "Type": "bind",
        "Source": str(mount.source),
        "Target": mount.target,
        "ReadOnly": not mount.writable,
        "BindOptions": {"Propagation": "rprivate", "NonRecursive": True},
    }


def _freeze(client: "APIClient", container: str, *, frozen: bool) -> None:
    """Pause it or let it go on.

    The engine believes late reports of its own earlier pauses, for some milliseconds: a refusal because it is
    in that state already counts only when it is repeated.
    """
    from docker import errors

    for _ in range(FREEZE_TRIES):
        try:
            (client.pause if frozen else client.unpause)(container)
            return
        except errors.NotFound:
            raise
        except errors.APIError as error:
            refused = error
        time.sleep(FREEZE_AGAIN)
    state = _state(client, container) or {}
    if not state.get("Running") or bool(state.get("Paused")) != frozen:
        raise refused


def _stop(client: "APIClient", container: str, grace: float) -> bool:
    """End and remove it; whether it is gone."""
    from docker import errors

    if grace > 0:
        with suppress(errors.APIError):  # hardly ever is it frozen, and then it could not hear of its end
            client.unpause(container)
        with suppress(errors.APIError):  # 404 and 304: it has ended already; all else shows below
            client.stop(container, timeout=math.ceil(grace))
    return _remove(client, container)


def _remove(client: "APIClient", container: str) -> bool:
    from docker import errors

    try:
        client.remove_container(container, force=True, v=True)
    except errors.APIError as error:
        if error.status_code not in {404, 409}:  # gone, or somebody else is removing it
            raise
    return _state(client, container) is None


def _state(client: "APIClient", container: str) -> dict[str, Any] | None:
    from docker import errors

    try:
        state = client.inspect_container(container)["State"]
    except errors.NotFound:
        return None
    # Being removed, by us or by somebody else, is as good as gone.
    return None if state.get("Status") == "removing" else state


def _crowd(client: "APIClient", container: str) -> int:
    """What the engine says, for which it takes up to a second."""
    from docker import errors

    try:
        told = client.stats(container, stream=False, one_shot=True)
    except errors.NotFound:
        return 0
    return int(told.get("pids_stats", {}).get("current", 0))


def _last_words(client: "APIClient", container: str) -> str:
    from docker import errors

    state = _state(client, container)
    if state is None:
        return "The container is gone."
    told = f"{OUT_OF_MEMORY} " if state.get("OOMKilled") else ""
    with suppress(errors.APIError):
        raw: bytes = client.logs(container, stdout=False, stderr=True, tail=LAST_LINES)
        told += raw.decode(errors="replace")[-LONGEST_WORDS:]
    return told.strip()
