"""The sandbox port: what locks an agent in, what it needs to know, and how it fails.

ContainerError
├── SandboxUnavailable    the engine is not there; the text says what to install or start
├── ImageMissing          the image must be built first; the text says how
├── StartFailed           the sandbox or the agent in it did not come up in time
├── AgentDied             the agent's connection ended while it was needed
│   └── AgentEnded        it was ended because it took more than it may; the text says what to do
└── AgentRefused          the agent answered a request with an error
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

#: how the last words of an agent begin that was ended for want of memory
OUT_OF_MEMORY = "It needed more memory than it may have."


class ContainerError(Exception):
    """A sandbox or the agent in it did not do what was asked."""


class SandboxUnavailable(ContainerError):
    """The engine is not there; the message says what to do."""


class ImageMissing(ContainerError):
    """The agent's image does not exist here; the message says how to build it."""


class StartFailed(ContainerError):
    """The sandbox or the agent in it did not come up in time."""


class AgentDied(ContainerError):
    """The agent went away while it was needed."""


class AgentEnded(AgentDied):
    """It was ended because it took more than it may; the message says of what, and what to do."""


class AgentRefused(ContainerError):
    """The agent answered with an error."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    memory_bytes: int = 512 * 1024 * 1024
    cpus: float = 1.0
    pids: int = 128
    tmpfs_bytes: int = 64 * 1024 * 1024  #: each of its folders in memory; they count as memory too
    disk_bytes: int = 2 * 1024 * 1024 * 1024  #: all it may write to on the disk, and any one file


@dataclass(frozen=True, slots=True, kw_only=True)
class Mount:
    """A folder of the host that the agent sees; links in `source` are resolved already."""

    source: Path
    target: str  #: absolute, inside
    writable: bool = False
    counted: bool = True  #: what is in it counts against the limit of the disk, if it is writable


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxSpec:
    """Everything a sandbox needs to start one agent; made by a pure planner, carried out by an adapter."""

    key: str  #: which conversation it serves; deterministic name and label
    image: str
    command: tuple[str, ...]  #: what runs inside; the first word is the bridge
    sockets: Path  #: host folder with the container's own sockets, mounted read-only
    environment: Mapping[str, str] = field(default_factory=dict)
    limits: Limits = Limits()
    mounts: tuple[Mount, ...] = ()
    home: str = ""  #: a folder in memory that only the agent's user can use; "" for none
    user: tuple[int, int] = (10001, 10001)  #: user and group inside


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A sandbox of this install that is alive."""

    id: str
    key: str


class Sandbox(Protocol):
    """Starts and ends locked-down agents. Identity of the install is given to the adapter's constructor."""

    @property
    def name(self) -> str: ...

    @property
    def isolated(self) -> bool:
        """False when the agent is merely a child process."""
        ...

    async def check(self) -> None:
        """Raise SandboxUnavailable unless agents could be started now."""
        ...

    async def start(self, spec: SandboxSpec) -> str:
        """Start it and return its id. A leftover of the same key is removed first."""
        ...

    async def stop(self, sandbox_id: str, grace: float = 2.0) -> None:
        """End it, at the latest after `grace` seconds. Already gone is success."""
        ...

    async def pause(self, sandbox_id: str) -> None:
        """Freeze it: it keeps its memory and gets no processor. Raises ContainerError."""
        ...

    async def unpause(self, sandbox_id: str) -> None:
        """Let it go on. Not paused is success. Raises ContainerError."""
        ...

    async def leader(self, sandbox_id: str) -> int:
        """The number its first process has on this machine; 0 when that is not known."""
        ...

    async def crowd(self, sandbox_id: str, leader: int) -> int:
        """How many processes and threads are in it now. `leader` as above; 0 makes it dearer to find out."""
        ...

    async def exit_status(self, sandbox_id: str) -> int | None:
        """None while it runs; its exit status after (or -1 when it is not known any more)."""
        ...

    async def last_words(self, sandbox_id: str) -> str:
        """What is known about its end: OUT_OF_MEMORY, the last lines of its stderr. Untrusted, bounded."""
        ...

    async def running(self) -> Sequence[Running]:
        """All of this install that exist: those of an earlier process and ended ones not yet removed too."""
        ...

    def inside(self, words: Sequence[str], sockets: Path) -> tuple[str, ...]:
        """A command that names things where the image has them, as it reads in this sandbox."""
        ...
